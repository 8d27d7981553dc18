package signtest

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Fault replaces the normal response to one request: an HTTP status, or one of the
// constants.
type Fault int

const (
	// Reset closes the connection before the request is processed.
	Reset Fault = -1
	// Lost closes the connection after the request was processed, without a response.
	Lost Fault = -2
)

// Service is a server on loopback.
type Service struct {
	// URL is the base URL, without a trailing slash.
	URL string

	next http.Handler

	mu       sync.Mutex
	faults   []Fault
	requests int
}

func (s *Service) start(tb testing.TB, next http.Handler) {
	tb.Helper()
	s.next = next
	server := httptest.NewServer(s)
	tb.Cleanup(server.Close)
	s.URL = server.URL
}

// Next sets the faults of the following POST requests, one for each.
func (s *Service) Next(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Requests returns the number of POST requests.
func (s *Service) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodPost {
		s.next.ServeHTTP(w, req)
		return
	}
	switch fault := s.take(); fault {
	case 0:
		s.next.ServeHTTP(w, req)
	case Reset:
		resetConnection(w)
	case Lost:
		s.next.ServeHTTP(&discarded{header: http.Header{}}, req)
		resetConnection(w)
	case http.StatusConflict:
		// The entry was created by an earlier, equal request.
		body := new(bytes.Buffer)
		_, _ = body.ReadFrom(req.Body)
		first := req.Clone(req.Context())
		first.Body = readCloser{bytes.NewReader(body.Bytes())}
		s.next.ServeHTTP(&discarded{header: http.Header{}}, first)
		req.Body = readCloser{body}
		s.next.ServeHTTP(w, req)
	default:
		http.Error(w, `{"code":`+http.StatusText(int(fault))+`,"message":"test fault"}`, int(fault))
	}
}

func (s *Service) take() Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	if len(s.faults) == 0 {
		return 0
	}
	fault := s.faults[0]
	s.faults = s.faults[1:]
	return fault
}

// resetConnection closes the connection with a reset.
func resetConnection(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_ = conn.(*net.TCPConn).SetLinger(0) // so that the client sees a reset
	_ = conn.Close()
}

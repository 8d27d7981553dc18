package signtest

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Fault is how a service answers one request instead of doing its work: an
// HTTP status, or one of the constants.
type Fault int

const (
	// Reset ends the connection before the work.
	Reset Fault = -1
	// Lost ends it after the work: the answer never arrives.
	Lost Fault = -2
)

// Service is a server on loopback.
type Service struct {
	// URL is its root, without a slash at its end.
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

// Next makes the coming POST requests fail, one fault each.
func (s *Service) Next(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Requests returns how many POST requests there were.
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
		hangUp(w)
	case Lost:
		s.next.ServeHTTP(&unheard{header: http.Header{}}, req)
		hangUp(w)
	case http.StatusConflict:
		// Somebody was faster: the same request comes again.
		body := new(bytes.Buffer)
		_, _ = body.ReadFrom(req.Body)
		first := req.Clone(req.Context())
		first.Body = readCloser{bytes.NewReader(body.Bytes())}
		s.next.ServeHTTP(&unheard{header: http.Header{}}, first)
		req.Body = readCloser{body}
		s.next.ServeHTTP(w, req)
	default:
		http.Error(w, `{"code":`+http.StatusText(int(fault))+`,"message":"told to"}`, int(fault))
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

// hangUp resets the connection.
func hangUp(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_ = conn.(*net.TCPConn).SetLinger(0) // so that the client sees a reset
	_ = conn.Close()
}

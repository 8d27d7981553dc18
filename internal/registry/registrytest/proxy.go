package registrytest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"time"
)

// Mode is a way for a request to fail.
type Mode int

// The modes.
const (
	// Unavailable answers 503.
	Unavailable Mode = iota
	// Unauthorized answers 401.
	Unauthorized
	// Reset ends the connection before the registry hears of the request.
	Reset
	// Silence answers nothing until the client gives up.
	Silence
	// CutUpload ends the connection after half of the request's body.
	CutUpload
	// Lost lets the registry do what it was asked, and ends the connection
	// instead of answering.
	Lost
	// CutAnswer ends the connection after half of the answer.
	CutAnswer
	// Modes is how many there are.
	Modes
)

func (m Mode) String() string {
	return [...]string{"unavailable", "unauthorized", "reset", "silence", "cut upload", "lost", "cut answer"}[m]
}

// Arrived reports whether the registry may have executed the request.
func (m Mode) Arrived() bool { return m == Lost || m == CutAnswer }

// Span is how long it lasts.
type Span int

// The spans.
const (
	// Once is one request.
	Once Span = iota
	// Stuck is every request with the method and path of that one.
	Stuck
	// Outage is every request from that one on.
	Outage
	// Spans is how many there are.
	Spans
)

func (s Span) String() string { return [...]string{"once", "stuck", "outage"}[s] }

// Fault is the request to fail and the kind of failure.
type Fault struct {
	Mode Mode
	Span Span
	// At is the number of the request, from 1; 0 is none.
	At int
}

func (f Fault) String() string { return fmt.Sprintf("request %d %s (%s)", f.At, f.Mode, f.Span) }

// Proxy stands in front of a registry.
type Proxy struct {
	next http.Handler

	mu    sync.Mutex
	fault Fault
	count int
	key   string // of the request At
	at    string // the same for people
}

// NewProxy returns a proxy that fails nothing.
func NewProxy(next http.Handler) *Proxy { return &Proxy{next: next} }

// Arm restarts the count of requests at 1 and sets the fault f.
func (p *Proxy) Arm(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault, p.count, p.key, p.at = f, 0, "", ""
}

// Count returns how many requests came since Arm.
func (p *Proxy) Count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// Hit returns METHOD PATH of the first request that was failed; "" for none.
func (p *Proxy) Hit() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at
}

// upload is the part of an upload's path that differs from run to run.
var upload = regexp.MustCompile(`/blobs/uploads/[^/]+`)

func (p *Proxy) fails(req *http.Request) (Mode, bool) {
	key := req.Method + " " + upload.ReplaceAllString(req.URL.Path, "/blobs/uploads/ID")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	f := p.fault
	if f.At == 0 || p.count < f.At {
		return 0, false
	}
	if p.count == f.At {
		p.key, p.at = key, req.Method+" "+req.URL.Path
		return f.Mode, true
	}
	return f.Mode, f.Span == Outage || f.Span == Stuck && key == p.key
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	mode, fails := p.fails(req)
	if !fails {
		p.next.ServeHTTP(w, req)
		return
	}
	switch mode {
	case Unavailable:
		w.WriteHeader(http.StatusServiceUnavailable)
	case Unauthorized:
		w.WriteHeader(http.StatusUnauthorized)
	case Silence:
		_, _ = io.Copy(io.Discard, req.Body) // a client that is gone is noticed afterwards
		select {
		case <-req.Context().Done():
		case <-time.After(10 * time.Second):
		}
	case CutUpload:
		if req.ContentLength > 1 {
			req.Body = io.NopCloser(io.MultiReader(io.LimitReader(req.Body, req.ContentLength/2), broken{}))
			p.next.ServeHTTP(httptest.NewRecorder(), req)
		}
		hangUp(w, "")
	case Lost, CutAnswer:
		answer := httptest.NewRecorder()
		p.next.ServeHTTP(answer, req)
		if mode == CutAnswer {
			hangUp(w, half(answer, req.Method))
		} else {
			hangUp(w, "")
		}
	default:
		hangUp(w, "")
	}
}

// broken is the end of a request whose client is gone.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// half is the first half of an answer: of its body where it has one, else of
// its headers.
func half(r *httptest.ResponseRecorder, method string) string {
	text := fmt.Sprintf("HTTP/1.1 %d %s\r\n", r.Code, http.StatusText(r.Code))
	body := r.Body.Bytes()
	if len(body) < 2 || method == http.MethodHead {
		return text + "Content-Le"
	}
	r.Header().Set("Content-Length", fmt.Sprint(len(body)))
	for key, values := range r.Header() {
		for _, v := range values {
			text += key + ": " + v + "\r\n"
		}
	}
	return text + "\r\n" + string(body[:len(body)/2])
}

// hangUp writes last words and ends the connection; without any, as a machine
// that restarts does.
func hangUp(w http.ResponseWriter, last string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = conn.Close() }()
	if last != "" {
		_, _ = io.WriteString(conn, last) // the peer may have closed the connection
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

package pgtest

import (
	"bytes"
	"fmt"
	"sync"
)

// keptLog is how much is kept of the beginning and of the end of a log, each in
// bytes.
const keptLog = 4 << 20

// serverLog collects a server's log. Positions in it are bytes from its beginning,
// including those that are not kept.
type serverLog struct {
	mu         sync.Mutex
	head, tail []byte
	written    int
	// ready is the last position of the message accepting, crash that of crashing.
	ready, crash lastMatch
	changes      chan struct{}
}

func newServerLog() *serverLog {
	return &serverLog{
		changes: make(chan struct{}),
		ready:   lastMatch{text: []byte(accepting), at: never}, crash: lastMatch{text: []byte(crashing), at: never},
	}
}

func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ready.scan(p, l.written)
	l.crash.scan(p, l.written)
	first := min(len(p), keptLog-len(l.head))
	l.head = append(l.head, p[:first]...)
	l.tail = append(l.tail, p[first:]...)
	if len(l.tail) > 2*keptLog { // not at each write, which would copy the tail every time
		l.tail = append(l.tail[:0], l.tail[len(l.tail)-keptLog:]...)
	}
	l.written += len(p)
	close(l.changes)
	l.changes = make(chan struct{})
	return len(p), nil
}

// changed is closed at the next write.
func (l *serverLog) changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changes
}

// mark returns the current end of the log.
func (l *serverLog) mark() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.written
}

// since returns the log after mark. A line replaces the part that is not kept.
func (l *serverLog) since(mark int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	head := l.head[min(mark, len(l.head)):]
	tail := l.tail[max(0, len(l.tail)-keptLog):]
	start := l.written - len(tail)
	tail = tail[min(max(0, mark-start), len(tail)):]
	omitted := ""
	if lost := start - max(mark, len(l.head)); lost > 0 {
		omitted = fmt.Sprintf("\n-- %d bytes are left out --\n", lost)
	}
	return string(head) + omitted + string(tail)
}

// dropped returns how much of the log is not kept, in bytes.
func (l *serverLog) dropped() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.written - len(l.head) - min(len(l.tail), keptLog)
}

// accepts reports whether the log has the message accepting after mark, and no
// crash after that.
func (l *serverLog) accepts(mark int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ready.at >= mark && l.ready.at > l.crash.at
}

// crashed reports whether the log has a crash after mark, and whether the server has
// not accepted connections since (recovering).
func (l *serverLog) crashed(mark int) (crashed, recovering bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.crash.at >= mark, l.crash.at >= mark && l.crash.at > l.ready.at
}

// never is before every position.
const never = -1

// lastMatch finds the last position of a text in a stream.
type lastMatch struct {
	text []byte
	// at is the position, or never. seam is the end of the previous writes.
	at   int
	seam []byte
}

// scan looks for the text in p, which is written at a position.
func (s *lastMatch) scan(p []byte, position int) {
	n := len(s.text) - 1
	if i := bytes.LastIndex(p, s.text); i >= 0 {
		s.at = position + i
	} else if i := bytes.LastIndex(append(s.seam, p[:min(n, len(p))]...), s.text); i >= 0 {
		s.at = position - len(s.seam) + i
	}
	s.seam = append(s.seam, p[max(0, len(p)-n):]...)
	s.seam = s.seam[max(0, len(s.seam)-n):]
}

package pgtest

import (
	"bytes"
	"fmt"
	"sync"
)

// keptLog is how much is kept of the beginning of a log, and as much of its
// end, in bytes.
const keptLog = 4 << 20

// serverLog collects what a server writes. Places in it are counted in bytes
// since its beginning, whether they are kept or not.
type serverLog struct {
	mu         sync.Mutex
	head, tail []byte
	written    int
	// ready is the last time that the server took connections, crash that it
	// stopped to, since a process of its crashed.
	ready, crash sighting
	news         chan struct{}
}

func newServerLog() *serverLog {
	return &serverLog{
		news:  make(chan struct{}),
		ready: sighting{text: []byte(accepting), at: never}, crash: sighting{text: []byte(crashing), at: never},
	}
}

func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ready.look(p, l.written)
	l.crash.look(p, l.written)
	first := min(len(p), keptLog-len(l.head))
	l.head = append(l.head, p[:first]...)
	l.tail = append(l.tail, p[first:]...)
	if len(l.tail) > 2*keptLog { // not at each write, which would copy all again and again
		l.tail = append(l.tail[:0], l.tail[len(l.tail)-keptLog:]...)
	}
	l.written += len(p)
	close(l.news)
	l.news = make(chan struct{})
	return len(p), nil
}

// changed is closed at the next write.
func (l *serverLog) changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.news
}

// mark is a place in the log: its end as it is now.
func (l *serverLog) mark() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.written
}

// since returns what was written after mark and is kept. A line tells of what
// is not.
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

// lost is how much of the log is not kept, in bytes.
func (l *serverLog) lost() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.written - len(l.head) - min(len(l.tail), keptLog)
}

// accepts tells whether the server's last word after mark is that it takes
// connections.
func (l *serverLog) accepts(mark int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ready.at >= mark && l.ready.at > l.crash.at
}

// crashed tells whether the server took no connections any more at some time
// after mark; recovering, whether it has not taken any since.
func (l *serverLog) crashed(mark int) (crashed, recovering bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.crash.at >= mark, l.crash.at >= mark && l.crash.at > l.ready.at
}

// never is before every place.
const never = -1

// sighting is the last place of a text in what is written bit by bit.
type sighting struct {
	text []byte
	// at is where it starts, or never; seam is the end of what was written.
	at   int
	seam []byte
}

// look looks for the text in what is written at a place.
func (s *sighting) look(p []byte, place int) {
	n := len(s.text) - 1
	if i := bytes.LastIndex(p, s.text); i >= 0 {
		s.at = place + i
	} else if i := bytes.LastIndex(append(s.seam, p[:min(n, len(p))]...), s.text); i >= 0 {
		s.at = place - len(s.seam) + i
	}
	s.seam = append(s.seam, p[max(0, len(p)-n):]...)
	s.seam = s.seam[max(0, len(s.seam)-n):]
}

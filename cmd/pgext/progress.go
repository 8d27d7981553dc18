package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/pgext/pgext/internal/fetch"
)

// progressInterval is how often the line of progress changes.
const progressInterval = 100 * time.Millisecond

// progress returns what shows downloads on one line of a terminal, and nil
// where nobody watches.
func (a *app) progress() func(fetch.Progress) {
	if !a.isTerminal() || a.global.json || a.global.verbose {
		return nil
	}
	p := &progressLine{app: a, done: map[string]int64{}}
	return p.show
}

type progressLine struct {
	app  *app
	mu   sync.Mutex
	done map[string]int64
	last time.Time
}

func (p *progressLine) show(u fetch.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done[u.Name] = u.Done
	now := time.Now()
	finished := u.Done == u.Total
	if !finished && now.Sub(p.last) < progressInterval {
		return
	}
	p.last = now
	var bytes int64
	for _, n := range p.done {
		bytes += n
	}
	fmt.Fprintf(p.app.stderr, "\r\x1b[Kfetching %s: %d files, %.1f MB", u.Name, len(p.done), float64(bytes)/1e6)
	if finished {
		fmt.Fprint(p.app.stderr, "\r\x1b[K")
	}
}

// isTerminal reports whether people watch stderr.
func (a *app) isTerminal() bool {
	f, ok := a.stderr.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

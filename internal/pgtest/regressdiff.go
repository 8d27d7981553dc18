package pgtest

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// maxDiff is how much of one test's difference is kept, maxDiffs of all, in
// bytes.
const (
	maxDiff  = 4 << 20
	maxDiffs = 64 << 20
)

// headLines is how many lines of a difference a check shows.
const headLines = 40

// differenceError says that a test printed something else than expected.
type differenceError struct {
	// expected is the nearest of the files that may hold it.
	expected string
	// diff is a unified difference.
	diff string
}

func (e *differenceError) Error() string {
	lines := strings.Split(strings.TrimSuffix(e.diff, "\n"), "\n")
	missing, unexpected := 0, 0
	for _, l := range lines[min(2, len(lines)):] { // the names of the files
		switch {
		case strings.HasPrefix(l, "-"):
			missing++
		case strings.HasPrefix(l, "+"):
			unexpected++
		}
	}
	if len(lines) > headLines {
		lines = append(lines[:headLines:headLines], "…")
	}
	return fmt.Sprintf("differs from %s: %d lines are missing, %d unexpected\n%s",
		e.expected, missing, unexpected, strings.Join(lines[min(2, len(lines)):], "\n"))
}

// diffs are the differences of all tests.
type diffs struct{ bytes.Buffer }

func (d *diffs) add(text string) {
	if d.Len()+len(text) <= maxDiffs {
		d.WriteString(text)
	}
}

// counter counts lines.
type counter struct{ lines int }

func (c *counter) Write(p []byte) (int, error) {
	c.lines += bytes.Count(p, []byte("\n"))
	return len(p), nil
}

// limited drops what is over a limit.
type limited struct {
	to   io.Writer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	if _, err := l.to.Write(p[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}

package pgtest

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// maxDiff limits the difference of one test, maxDiffs those of all tests, in bytes.
const (
	maxDiff  = 4 << 20
	maxDiffs = 64 << 20
)

// headLines is how many lines of a difference the detail of a check has.
const headLines = 40

// differs returns the error for a test whose output is not as expected: expected
// is the nearest of the files with an expected output, diff the unified difference
// to it.
func differs(expected, diff string) error {
	lines := strings.Split(strings.TrimSuffix(diff, "\n"), "\n")
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
	return fmt.Errorf("differs from %s: %d lines are missing, %d unexpected\n%s",
		expected, missing, unexpected, strings.Join(lines[min(2, len(lines)):], "\n"))
}

// diffs collects the differences of all tests.
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

// limited discards everything after left bytes.
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

package elf

import (
	"errors"
	"io"
)

// windowSize is how much of a file is read at a time. It bounds the length of
// a structure and, with it, of a string (Linux' PATH_MAX is 4096 as well).
const windowSize = 4096

// window is a view of a file that remembers the last stretch it read.
type window struct {
	r     io.ReaderAt
	size  int64
	start uint64
	buf   []byte
}

// at returns the n bytes at off, n at most windowSize; they are valid until
// the next call. It reports false when they are not all inside the file.
func (w *window) at(off uint64, n int) ([]byte, bool, error) {
	if off > uint64(w.size) || uint64(w.size)-off < uint64(n) {
		return nil, false, nil
	}
	if off < w.start || off-w.start+uint64(n) > uint64(len(w.buf)) {
		if err := w.fill(off); err != nil {
			return nil, false, err
		}
		if len(w.buf) < n {
			return nil, false, nil
		}
	}
	return w.buf[off-w.start:][:n], true, nil
}

// upTo returns as much of the file at off as one window holds, at least
// atLeast bytes unless the file or the window ends before.
func (w *window) upTo(off uint64, atLeast int) ([]byte, error) {
	if off >= uint64(w.size) {
		return nil, nil
	}
	if off < w.start || off-w.start+uint64(atLeast) > uint64(len(w.buf)) {
		if err := w.fill(off); err != nil {
			return nil, err
		}
	}
	return w.buf[min(off-w.start, uint64(len(w.buf))):], nil
}

func (w *window) fill(off uint64) error {
	if cap(w.buf) < windowSize {
		w.buf = make([]byte, windowSize)
	}
	n, err := w.r.ReadAt(w.buf[:min(windowSize, uint64(w.size)-off)], int64(off))
	if err != nil && !errors.Is(err, io.EOF) {
		w.buf = w.buf[:0]
		return err
	}
	w.start, w.buf = off, w.buf[:n]
	return nil
}

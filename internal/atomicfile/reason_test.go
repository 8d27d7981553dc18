package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestReason(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent")
	_, opening := os.Open(absent)
	other := errors.New("digest mismatch")
	for _, tc := range []struct {
		name string
		err  error
		want error
		ok   bool
	}{
		{"opening", opening, syscall.ENOENT, true},
		{"renaming", os.Rename(absent, absent+"2"), syscall.ENOENT, true},
		{"told by others", fmt.Errorf("writing: %w", &fs.PathError{Op: "write", Path: absent, Err: syscall.ENOSPC}), syscall.ENOSPC, true},
		{"something else", other, other, false},
		{"none", nil, nil, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got, ok := Reason(tc.err); got != tc.want || ok != tc.ok { //nolint:errorlint // the very one
				t.Errorf("Reason() = %v, %v, want %v, %v", got, ok, tc.want, tc.ok)
			}
		})
	}
}

func TestFull(t *testing.T) {
	for err, want := range map[error]bool{syscall.ENOSPC: true, syscall.EDQUOT: true, syscall.EACCES: false} {
		if got := Full(fmt.Errorf("writing: %w", err)); got != want {
			t.Errorf("Full(%v) = %v", err, got)
		}
	}
	if Full(nil) {
		t.Error("Full(nil)")
	}
}

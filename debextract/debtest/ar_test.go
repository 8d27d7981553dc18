package debtest_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/blakesmith/ar"

	"github.com/pgext/pgext/debextract"
)

// TestReaderOfAr is what DEPENDENCIES.md says of a library whose writer serves
// here and whose reader does not: what it takes without an error is refused by
// the product, and one header makes it panic.
func TestReaderOfAr(t *testing.T) {
	header := "debian-binary   0           0     0     100644  4         `\n"
	for _, tc := range []struct {
		name, file string
		want       error
		panics     bool
	}{
		{"no archive magic", "!<mess>\n" + header + "2.0\n", debextract.ErrFormat, false},
		{"no header magic", "!<arch>\n" + strings.Replace(header, "`\n", "??", 1) + "2.0\n", debextract.ErrFormat, false},
		{"truncated", "!<arch>\n" + header + "2.", debextract.ErrTruncated, false},
		{"blank mode", "!<arch>\n" + strings.Replace(header, "100644  ", "        ", 1) + "2.0\n", debextract.ErrTruncated, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if panicked, err := readAr(tc.file); panicked != tc.panics || err != nil {
				t.Errorf("ar.Reader panicked: %v, error: %v; want %v, none", panicked, err, tc.panics)
			}
			if _, err := debextract.Open(strings.NewReader(tc.file), int64(len(tc.file)), debextract.Options{}); !errors.Is(err, tc.want) {
				t.Errorf("Open() error = %v, want %v", err, tc.want)
			}
		})
	}
}

// readAr reads a file with one member.
func readAr(file string) (panicked bool, err error) {
	defer func() { panicked = recover() != nil }()
	r := ar.NewReader(bytes.NewReader([]byte(file)))
	if _, err := r.Next(); err != nil {
		return false, err
	}
	_, err = io.Copy(io.Discard, r)
	return false, err
}

package digest

import (
	"encoding/hex"
	"strings"
	"testing"
)

// empty is the SHA-256 of nothing (FIPS 180-4 examples).
const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func TestSHA256(t *testing.T) {
	if got := SHA256(nil); got != empty {
		t.Errorf("SHA256(nil) = %s", got)
	}
	if got, want := SHA256([]byte("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; got != want {
		t.Errorf("SHA256(abc) = %s, want %s", got, want)
	}
}

func TestCut(t *testing.T) {
	for _, tc := range []struct {
		text string
		want bool
	}{
		{"sha256:" + empty, true},
		{empty, false},
		{"sha256:", false},
		{"", false},
		{"SHA256:" + empty, false},
		{"sha512:" + empty, false},
		{"sha256:" + strings.ToUpper(empty), false},
		{"sha256:" + empty + "\n", false},
		{"sha256:\n" + empty[1:], false},
		{"sha256:" + empty[1:], false},
		{"sha256:" + empty + "0", false},
		{"sha256:g" + empty[1:], false},
		{"sha256:../" + empty[3:], false},
	} {
		if digits, ok := Cut(tc.text); ok != tc.want || IsNamed(tc.text) != ok || ok && digits != empty || !ok && digits != "" {
			t.Errorf("Cut(%q) = %q, %v", tc.text, digits, ok)
		}
	}
}

// FuzzIs: a digest is what encoding/hex writes.
func FuzzIs(f *testing.F) {
	f.Add(empty, 32)
	f.Add("", 0)
	f.Add("0G", 1)
	f.Add("é", 1)
	f.Fuzz(func(t *testing.T, s string, size int) {
		b, err := hex.DecodeString(s)
		want := err == nil && len(b) == size && hex.EncodeToString(b) == s
		if got := Is(s, size); got != want {
			t.Errorf("Is(%q, %d) = %v, want %v", s, size, got, want)
		}
	})
}

package debinfo

import (
	"io/fs"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/quick"
	"time"

	oldrand "math/rand"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
)

// arbitrary returns a value with every exported field filled.
func arbitrary[T any](tb testing.TB, seed int64) T {
	tb.Helper()
	v, ok := quick.Value(reflect.TypeFor[T](), oldrand.New(oldrand.NewSource(seed)))
	if !ok {
		tb.Fatalf("no value of %v", reflect.TypeFor[T]())
	}
	return v.Interface().(T)
}

func sample(tb testing.TB, seed int64) *record {
	tb.Helper()
	rng := rand.New(rand.NewPCG(1, uint64(seed)))
	digest := func() string { return strings.Repeat(string("0123456789abcdef"[rng.IntN(16)]), 64) }
	at := time.Unix(1_700_000_000-rng.Int64N(3_000_000_000), 0).UTC()
	f := &record{
		Control: []debian.Field{{Name: "Package", Value: "x"}, {Name: "Description", Value: "a\nb\n"}},
		Scripts: map[string]string{"postinst": "#!/bin/sh\n", "md5sums": ""},
		Entries: []filetree.Entry{
			{Path: "usr", Kind: filetree.Dir, Mode: 0o755 | fs.ModeSticky, ModTime: at},
			{Path: "usr/a", Kind: filetree.File, Mode: 0o755 | fs.ModeSetuid, ModTime: at, Size: rng.Int64(), SHA256: digest()},
			{Path: "usr/b", Kind: filetree.Symlink, Mode: 0o777, ModTime: at, Link: "../ä\x00"},
			{Path: "usr/c", Kind: filetree.File, ModTime: at, SHA256: digest()},
		},
		Objects:   map[string]elf.Object{"usr/a": arbitrary[elf.Object](tb, seed), "usr/b": arbitrary[elf.Object](tb, ^seed)},
		Malformed: map[string]string{"usr/c": "malformed ELF file"},
	}
	return f
}

func mustEncode(tb testing.TB, f *record) []byte {
	tb.Helper()
	b, err := f.encode()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// Encoding and decoding keeps every exported field.
func TestRecord(t *testing.T) {
	for seed := range int64(50) {
		want := sample(t, seed)
		got, err := decodeRecord(mustEncode(t, want))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("decodeRecord(encode()) (-want +got):\n%s", diff)
		}
	}
}

// A truncated or extended record is an error, and so is an invalid entry.
func TestRecordDamaged(t *testing.T) {
	data := mustEncode(t, sample(t, 1))
	for n := range data {
		if _, err := decodeRecord(data[:n]); err == nil {
			t.Fatalf("decode of the first %d bytes of %d: no error", n, len(data))
		}
	}
	if _, err := decodeRecord(append(data, 0)); err == nil {
		t.Error("decode with a byte too many: no error")
	}
	for _, e := range []filetree.Entry{{Path: "a", Kind: 7}, {Path: "a", SHA256: "../../x"}} {
		if _, err := decodeRecord(mustEncode(t, &record{Entries: []filetree.Entry{e}})); err == nil {
			t.Errorf("decoding entry %+v: no error", e)
		}
	}
}

// A record may be any bytes.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add(mustEncode(f, sample(f, 1)))
	f.Add(mustEncode(f, &record{}))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := decodeRecord(data)
		if err != nil {
			return
		}
		again, err := got.encode()
		if err != nil {
			t.Fatalf("encode of what was decoded: %v", err)
		}
		if second, err := decodeRecord(again); err != nil || !cmp.Equal(got, second, cmpopts.EquateEmpty()) {
			t.Errorf("decoding twice differs: %v", err)
		}
	})
}

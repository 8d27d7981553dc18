package debinfo

import (
	"bytes"
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

// arbitrary fills every exported field of a value, also those that are new.
func arbitrary[T any](tb testing.TB, seed int64) T {
	tb.Helper()
	v, ok := quick.Value(reflect.TypeFor[T](), oldrand.New(oldrand.NewSource(seed)))
	if !ok {
		tb.Fatalf("no value of %v", reflect.TypeFor[T]())
	}
	return v.Interface().(T)
}

func sample(tb testing.TB, seed int64) *facts {
	tb.Helper()
	rng := rand.New(rand.NewPCG(1, uint64(seed)))
	digest := func() string { return strings.Repeat(string("0123456789abcdef"[rng.IntN(16)]), 64) }
	at := time.Unix(1_700_000_000-rng.Int64N(3_000_000_000), 0).UTC()
	f := &facts{
		control: debian.NewParagraph(debian.Field{Name: "Package", Value: "x"}, debian.Field{Name: "Description", Value: "a\nb\n"}),
		scripts: map[string]string{"postinst": "#!/bin/sh\n", "md5sums": ""},
		entries: []filetree.Entry{
			{Path: "usr", Kind: filetree.Dir, Mode: 0o755 | fs.ModeSticky, ModTime: at},
			{Path: "usr/a", Kind: filetree.File, Mode: 0o755 | fs.ModeSetuid, ModTime: at, Size: rng.Int64(), SHA256: digest()},
			{Path: "usr/b", Kind: filetree.Symlink, Mode: 0o777, ModTime: at, Link: "../ä\x00"},
			{Path: "usr/c", Kind: filetree.File, ModTime: at, SHA256: digest()},
		},
		objects:   map[string]elf.Object{"usr/a": arbitrary[elf.Object](tb, seed), "usr/b": arbitrary[elf.Object](tb, ^seed)},
		malformed: map[string]string{"usr/c": "malformed ELF file"},
	}
	return f
}

func mustEncode(tb testing.TB, f *facts) []byte {
	tb.Helper()
	b, err := encode(f)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestRecord(t *testing.T) {
	for seed := range int64(50) {
		want := sample(t, seed)
		record := mustEncode(t, want)
		if !bytes.Equal(record, mustEncode(t, want)) {
			t.Fatal("encode gives different bytes the second time")
		}
		got, err := decode(record)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(facts{}), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("decode(encode) (-want +got):\n%s", diff)
		}
	}
}

func TestRecordDamaged(t *testing.T) {
	record := mustEncode(t, sample(t, 1))
	for n := range record {
		if _, err := decode(record[:n]); err == nil {
			t.Fatalf("decode of the first %d bytes of %d: no error", n, len(record))
		}
	}
	if _, err := decode(append(record, 0)); err == nil {
		t.Error("decode with a byte too many: no error")
	}
}

// A record comes from a disk that others can write to.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add(mustEncode(f, sample(f, 1)))
	f.Add(mustEncode(f, &facts{}))
	f.Fuzz(func(t *testing.T, record []byte) {
		got, err := decode(record)
		if err != nil {
			return
		}
		again, err := encode(got)
		if err != nil {
			t.Fatalf("encode of what was decoded: %v", err)
		}
		if second, err := decode(again); err != nil || !cmp.Equal(got, second, cmp.AllowUnexported(facts{}), cmpopts.EquateEmpty()) {
			t.Errorf("decoding twice differs: %v", err)
		}
	})
}

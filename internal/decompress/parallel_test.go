package decompress

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ulikunitz/xz"

	"github.com/pgext/pgext/internal/oracle"
)

func openParallel(tb testing.TB, packed []byte, o Options) *parallel {
	tb.Helper()
	r := newParallel(bytes.NewReader(packed), int64(len(packed)), o.complete())
	if r == nil {
		tb.Fatal("decodes sequentially")
	}
	return r
}

func TestParallelKeepsOrder(t *testing.T) {
	plain := text(1_000_000)
	for _, check := range []byte{xz.CRC32, xz.CRC64, xz.SHA256} {
		packed := blocks(t, plain, 100_000, check)
		for jobs := 2; jobs <= 12; jobs += 5 {
			r := openParallel(t, packed, Options{Jobs: jobs})
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("check %d, %d jobs: %d bytes, %v", check, jobs, len(got), err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestParallelOnlyWhereItFits(t *testing.T) {
	plain := text(5000)
	two := blocks(t, plain, 2500, xz.CRC64)
	for _, tc := range []struct {
		name    string
		packed  []byte
		options Options
	}{
		{"one block", blocks(t, plain, 5000, xz.CRC64), Options{Jobs: 4}},
		{"two streams", append(bytes.Clone(two), two...), Options{Jobs: 4}},
		{"stream padding", append(bytes.Clone(two), 0, 0, 0, 0), Options{Jobs: 4}},
		{"no budget", two, Options{Jobs: 4, Budget: NewBudget(1)}},
		{"budget for one", two, Options{Jobs: 4, Budget: NewBudget(2*2500 + chunkSize)}},
		{"dictionaries beyond the budget", claim(t, two, 28), Options{Jobs: 4, Budget: NewBudget(100 << 20)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if r := newParallel(bytes.NewReader(tc.packed), int64(len(tc.packed)), tc.options.complete()); r != nil {
				r.Close()
				t.Fatal("decodes in parallel")
			}
			got, err := readAll(NewReaderAt(bytes.NewReader(tc.packed), int64(len(tc.packed)), XZ, tc.options))
			if err != nil || !bytes.HasPrefix(got, plain) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	if r := newParallel(bytes.NewReader(two), int64(len(two)), Options{Jobs: 4}.complete()); r == nil {
		t.Error("two blocks are not decoded in parallel")
	} else {
		r.Close()
	}
}

func TestParallelReturnsItsBudget(t *testing.T) {
	const free = 10 << 20
	plain := text(400_000)
	good := blocks(t, plain, 50_000, xz.CRC64)
	bad := bytes.Clone(good)
	bad[len(bad)/2] ^= 1
	for _, tc := range []struct {
		name   string
		packed []byte
		read   int64 // bytes before Close
		want   error
	}{
		{"at the end", good, 1 << 20, nil},
		{"closed at once", good, 0, nil},
		{"closed in the middle", good, 60_000, nil},
		{"corrupt", bad, 1 << 20, ErrCorrupt},
	} {
		t.Run(tc.name, func(t *testing.T) {
			budget := NewBudget(free)
			r := openParallel(t, tc.packed, Options{Jobs: 3, Budget: budget})
			if budget.free >= free {
				t.Error("takes nothing from the budget")
			}
			var got bytes.Buffer
			_, err := io.CopyN(&got, r, tc.read)
			if tc.want != nil && !errors.Is(err, tc.want) {
				t.Errorf("error = %v, want %v", err, tc.want)
			}
			if !bytes.HasPrefix(plain, got.Bytes()) {
				t.Error("wrong bytes before the error")
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			if budget.free != free {
				t.Errorf("%d bytes of the budget are lost", free-budget.free)
			}
		})
	}
}

// TestAgreesWithXZ compares with the program on what only it can write.
func TestAgreesWithXZ(t *testing.T) {
	program := oracle.Need(t, "xz")
	plain := text(300_000)
	file := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(file, plain, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args     []string
		parallel bool
	}{
		{[]string{"-6"}, false},
		{[]string{"-0", "--block-size=30000"}, true},
		{[]string{"-T2", "--block-size=90000"}, true},
		{[]string{"-6e", "--block-size=150000"}, true},
		{[]string{"--block-list=1,29999,90000,0"}, true},
		{[]string{"-C", "none", "--block-size=120000"}, true},
		{[]string{"-C", "crc32", "--block-size=120000"}, true},
		{[]string{"-C", "sha256", "--block-size=120000"}, true},
		{[]string{"--x86", "--lzma2"}, false},
		{[]string{"--delta=dist=4", "--lzma2", "--block-size=120000"}, true},
	} {
		t.Run(fmt.Sprint(tc.args), func(t *testing.T) {
			packed, err := exec.Command(program, append(tc.args, "-c", "--", file)...).Output()
			if err != nil {
				t.Fatal(err)
			}
			got, err := read(t, packed, XZ, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, plain) {
				t.Error("other bytes")
			}
			r := newParallel(bytes.NewReader(packed), int64(len(packed)), Options{Jobs: 2}.complete())
			if (r != nil) != tc.parallel {
				t.Errorf("decodes in parallel: %v, want %v", r != nil, tc.parallel)
			}
			if r != nil {
				r.Close()
			}
		})
	}
}

// TestAgreesWithZstdAndGzip lets the programs write what is read here.
func TestAgreesWithZstdAndGzip(t *testing.T) {
	plain := text(300_000)
	for _, tc := range []struct {
		program string
		args    []string
		format  Format
	}{
		{"gzip", []string{"-9n"}, Gzip},
		{"zstd", []string{"-9"}, Zstd},
		{"zstd", []string{"-3", "--long=27"}, Zstd},
	} {
		t.Run(tc.program+fmt.Sprint(tc.args), func(t *testing.T) {
			cmd := exec.Command(oracle.Need(t, tc.program), append(tc.args, "-c")...)
			cmd.Stdin = bytes.NewReader(plain)
			packed, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			got, err := read(t, packed, tc.format, Options{})
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
}

func TestXZIndex(t *testing.T) {
	packed := blocks(t, text(2500), 1000, xz.CRC64)
	s, err := readXZIndex(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int64
	for _, b := range s.blocks {
		sizes = append(sizes, b.uncompressed)
	}
	if diff := cmp.Diff([]int64{1000, 1000, 500}, sizes); diff != "" {
		t.Errorf("block sizes (-want +got):\n%s", diff)
	}
	for i, b := range s.blocks {
		plain, err := readAll(NewReader(s.single(bytes.NewReader(packed), b), XZ, Options{}))
		if err != nil || !bytes.Equal(plain, text(2500)[i*1000:min(2500, (i+1)*1000)]) {
			t.Errorf("block %d alone: %d bytes, %v", i, len(plain), err)
		}
	}
}

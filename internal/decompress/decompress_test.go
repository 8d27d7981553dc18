package decompress

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// text returns n bytes that compress, but not to nothing.
func text(n int) []byte {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	out := make([]byte, 0, n+32)
	for len(out) < n {
		out = fmt.Appendf(out, "line %d of %d\n", random.IntN(1000), n)
	}
	return out[:n]
}

func compress(tb testing.TB, f Format, plain []byte) []byte {
	tb.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch f {
	case Gzip:
		w = gzip.NewWriter(&out)
	case XZ:
		w, err = xz.WriterConfig{DictCap: 1 << 16}.NewWriter(&out)
	case Zstd:
		w, err = zstd.NewWriter(&out)
	default:
		return plain
	}
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// blocks returns an .xz stream with blocks of size bytes.
func blocks(tb testing.TB, plain []byte, size int64, check byte) []byte {
	tb.Helper()
	var out bytes.Buffer
	w, err := xz.WriterConfig{BlockSize: size, CheckSum: check, DictCap: 1 << 16}.NewWriter(&out)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// read decodes packed with NewReader and with NewReaderAt, and fails when
// they disagree.
func read(tb testing.TB, packed []byte, f Format, o Options) ([]byte, error) {
	tb.Helper()
	streamed, err := readAll(NewReader(bytes.NewReader(packed), f, o))
	o.Jobs = 3
	random, errAt := readAll(NewReaderAt(bytes.NewReader(packed), int64(len(packed)), f, o))
	if (err == nil) != (errAt == nil) {
		tb.Fatalf("NewReader: %v; NewReaderAt: %v", err, errAt)
	}
	if err == nil && !bytes.Equal(streamed, random) {
		tb.Fatalf("NewReader and NewReaderAt differ: %d and %d bytes", len(streamed), len(random))
	}
	return streamed, err
}

func readAll(r io.ReadCloser, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

var packers = []Format{Gzip, XZ, Zstd}

func TestRoundTrip(t *testing.T) {
	for _, f := range []Format{None, Gzip, XZ, Zstd} {
		for _, n := range []int{0, 1, 1000, 1 << 20} {
			t.Run(fmt.Sprintf("%v/%d", f, n), func(t *testing.T) {
				packed := compress(t, f, text(n))
				got, err := read(t, packed, f, Options{})
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, text(n)) {
					t.Errorf("got other bytes back")
				}
				if d := Detect(packed); n > 0 && d != f {
					t.Errorf("Detect() = %v", d)
				}
			})
		}
	}
}

func TestByExtension(t *testing.T) {
	for _, tc := range []struct {
		name string
		want Format
		err  error
	}{
		{"data.tar.xz", XZ, nil},
		{"control.tar.gz", Gzip, nil},
		{"data.tar.zst", Zstd, nil},
		{"data.tar", None, nil},
		{"Packages", None, nil},
		{"data.tar.bz2", None, ErrUnsupported},
		{"data.tar.lzma", None, ErrUnsupported},
	} {
		got, err := ByExtension(tc.name)
		if got != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("ByExtension(%q) = %v, %v; want %v, %v", tc.name, got, err, tc.want, tc.err)
		}
		if f := got.Extension(); err == nil && !strings.HasSuffix(tc.name, f) {
			t.Errorf("%v.Extension() = %q", got, f)
		}
	}
	if _, err := NewReader(strings.NewReader(""), Format(9), Options{}); !errors.Is(err, ErrUnsupported) {
		t.Errorf("NewReader(Format(9)) error = %v", err)
	}
}

func TestTruncated(t *testing.T) {
	for _, f := range packers {
		packed := compress(t, f, text(2000))
		for n := range packed {
			if _, err := read(t, packed[:n], f, Options{}); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%v cut after %d of %d bytes: error = %v", f, n, len(packed), err)
			}
		}
	}
	packed := blocks(t, text(4000), 1000, xz.CRC64)
	for n := range packed {
		if _, err := read(t, packed[:n], XZ, Options{}); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("xz blocks cut after %d of %d bytes: error = %v", n, len(packed), err)
		}
	}
}

func TestCorrupt(t *testing.T) {
	plain := text(1200)
	for _, tc := range []struct {
		name   string
		format Format
		packed []byte
	}{
		{"gzip", Gzip, compress(t, Gzip, plain)},
		{"zstd", Zstd, compress(t, Zstd, plain)},
		{"xz", XZ, compress(t, XZ, plain)},
		{"xz blocks", XZ, blocks(t, plain, 500, xz.SHA256)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for i := range tc.packed {
				for _, flip := range []byte{1, 0xff} {
					broken := bytes.Clone(tc.packed)
					broken[i] ^= flip
					got, err := read(t, broken, tc.format, Options{MaxSize: 1 << 20})
					if err == nil && !bytes.Equal(got, plain) {
						t.Errorf("byte %d ^ %#x: other bytes and no error", i, flip)
					}
				}
			}
		})
	}
}

func TestTrailing(t *testing.T) {
	plain := text(1000)
	for _, f := range packers {
		packed := compress(t, f, plain)
		for _, garbage := range []string{"x", "garbage after the end", "\x00", "\x00\x00\x00", "\xfd7zXZ"} {
			if _, err := read(t, append(bytes.Clone(packed), garbage...), f, Options{}); err == nil {
				t.Errorf("%v followed by %q: no error", f, garbage)
			}
		}
		got, err := read(t, append(bytes.Clone(packed), packed...), f, Options{})
		if err != nil || len(got) != 2*len(plain) {
			t.Errorf("%v twice: %d bytes, %v", f, len(got), err)
		}
	}
	padded := append(compress(t, XZ, plain), 0, 0, 0, 0) // xz-file-format.txt, 2.2
	if got, err := read(t, padded, XZ, Options{}); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("xz with stream padding: %v", err)
	}
}

func TestLimits(t *testing.T) {
	plain := text(100_000)
	for _, f := range []Format{None, Gzip, XZ, Zstd} {
		packed := compress(t, f, plain)
		if _, err := read(t, packed, f, Options{MaxSize: 100_000}); err != nil {
			t.Errorf("%v of the largest size: %v", f, err)
		}
		got, err := read(t, packed, f, Options{MaxSize: 99_999})
		var limit *LimitError
		if !errors.As(err, &limit) || limit.What != "size" || limit.Limit != 99_999 {
			t.Errorf("%v one byte larger: error = %v", f, err)
		}
		if len(got) > 99_999 {
			t.Errorf("%v one byte larger: got %d bytes", f, len(got))
		}
	}
	for _, f := range []Format{XZ, Zstd} {
		_, err := read(t, compress(t, f, plain), f, Options{MaxDict: 1024})
		var limit *LimitError
		if !errors.As(err, &limit) || limit.What != "dictionary" {
			t.Errorf("%v with a large dictionary: error = %v", f, err)
		}
	}
}

func TestParallelLimit(t *testing.T) {
	packed := blocks(t, text(100_000), 10_000, xz.CRC32)
	_, err := read(t, packed, XZ, Options{MaxSize: 99_999})
	var limit *LimitError
	if !errors.As(err, &limit) {
		t.Errorf("error = %v", err)
	}
	if _, err := read(t, packed, XZ, Options{MaxSize: 100_000}); err != nil {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestSourceErrorsPass(t *testing.T) {
	broken := errors.New("the disk broke")
	for _, f := range []Format{None, Gzip, XZ, Zstd} {
		packed := compress(t, f, text(5000))
		src := io.MultiReader(bytes.NewReader(packed[:len(packed)/2]), failing{broken})
		_, err := readAll(NewReader(src, f, Options{}))
		if !errors.Is(err, broken) || errors.Is(err, ErrCorrupt) {
			t.Errorf("%v: error = %v, want the source's", f, err)
		}
	}
}

func TestReadAfterClose(t *testing.T) {
	packed := blocks(t, text(4000), 1000, xz.CRC64)
	for _, open := range []func() (io.ReadCloser, error){
		func() (io.ReadCloser, error) { return NewReader(bytes.NewReader(packed), XZ, Options{}) },
		func() (io.ReadCloser, error) {
			return NewReaderAt(bytes.NewReader(packed), int64(len(packed)), XZ, Options{Jobs: 2})
		},
	} {
		r, err := open()
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := r.Close(); err != nil {
				t.Errorf("Close() = %v", err)
			}
		}
		if _, err := r.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Read() after Close() = %v", err)
		}
	}
}

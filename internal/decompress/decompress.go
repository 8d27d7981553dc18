package decompress

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/mikelolasagasti/xz"
)

// What a reader can refuse, beside *LimitError. A truncated stream is
// io.ErrUnexpectedEOF.
var (
	// ErrCorrupt is a stream that breaks its format, garbage after its end
	// included.
	ErrCorrupt = errors.New("corrupt")
	// ErrUnsupported is a compression format that is not read here.
	ErrUnsupported = errors.New("unsupported compression format")
)

// LimitError is a stream that wants more than its reader was given.
type LimitError struct {
	// What is "size" or "dictionary".
	What string
	// Limit is in bytes.
	Limit int64
}

// Error names the limit.
func (e *LimitError) Error() string {
	return fmt.Sprintf("decompressed %s is larger than %d bytes", e.What, e.Limit)
}

// Options bound a reader.
type Options struct {
	// MaxSize is the largest decompressed size in bytes; 0 means 8 GiB.
	MaxSize int64
	// MaxDict is the largest dictionary or window in bytes that a stream may
	// ask for; 0 means 128 MiB.
	MaxDict uint32
	// Jobs is how many blocks of one stream are decoded at the same time, where
	// the format allows; 0 means GOMAXPROCS.
	Jobs int
	// Budget is the memory for decoding in parallel; nil means one of 256 MiB
	// for this reader alone. A reader that finds it spent decodes sequentially.
	Budget *Budget
}

func (o Options) complete() Options {
	if o.MaxSize == 0 {
		o.MaxSize = 8 << 30
	}
	if o.MaxDict == 0 {
		o.MaxDict = 128 << 20
	}
	if o.Jobs == 0 {
		o.Jobs = runtime.GOMAXPROCS(0)
	}
	if o.Budget == nil {
		o.Budget = NewBudget(256 << 20)
	}
	return o
}

// NewReader returns a reader of what src, a stream of format f, decompresses
// to. It decodes in the caller's goroutine, and may read from src more than it
// needs. The caller closes it; src stays open.
func NewReader(src io.Reader, f Format, o Options) (io.ReadCloser, error) {
	o = o.complete()
	s := &source{r: src}
	decoder, err := newDecoder(s, f, o)
	if err != nil {
		return nil, s.explain(err, f, o)
	}
	return &sequential{format: f, options: o, source: s, decoder: decoder, left: o.MaxSize}, nil
}

// NewReaderAt is NewReader for the first size bytes of src, which must not
// change meanwhile. The blocks of an .xz stream that has several and an
// index, as dpkg-deb and xz -T write it, are decoded in parallel.
func NewReaderAt(src io.ReaderAt, size int64, f Format, o Options) (io.ReadCloser, error) {
	o = o.complete()
	if f == XZ && o.Jobs > 1 {
		if r := newParallel(src, size, o); r != nil {
			return r, nil
		}
	}
	return NewReader(bufio.NewReaderSize(io.NewSectionReader(src, 0, size), 64<<10), f, o)
}

func newDecoder(src io.Reader, f Format, o Options) (io.ReadCloser, error) {
	switch f {
	case None:
		return io.NopCloser(src), nil
	case Gzip:
		return gzip.NewReader(src)
	case XZ:
		r, err := xz.NewReader(src, o.MaxDict)
		return io.NopCloser(r), err
	case Zstd:
		d, err := zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(max(uint64(o.MaxDict), zstd.MinWindowSize)))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	return nil, fmt.Errorf("%w %v", ErrUnsupported, f)
}

// source remembers how its reader ended, to tell its errors from a decoder's.
type source struct {
	r   io.Reader
	n   int64
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// explain turns a decoder's error into one of this package's.
func (s *source) explain(err error, f Format, o Options) error {
	var limit *LimitError
	switch {
	case s.err != nil:
		return s.err
	case errors.As(err, &limit), errors.Is(err, ErrUnsupported):
		return err
	case errors.Is(err, xz.ErrMemlimit), errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return &LimitError{"dictionary", int64(o.MaxDict)}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, xz.ErrBuf):
		return fmt.Errorf("truncated %v stream: %w", f, io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("%w %v stream: %w", ErrCorrupt, f, err)
}

// sequential reads from a decoder, counts, and explains errors.
type sequential struct {
	format  Format
	options Options
	source  *source
	decoder io.ReadCloser
	left    int64 // of MaxSize
	err     error
}

func (r *sequential) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	// One byte more than is allowed tells a bomb from a stream that fits.
	if int64(len(p)) > r.left+1 {
		p = p[:r.left+1]
	}
	n, err := r.decoder.Read(p)
	if int64(n) > r.left {
		n, err = int(r.left), &LimitError{"size", r.options.MaxSize}
	}
	r.left -= int64(n)
	switch {
	case err == nil:
	case err == io.EOF && (r.source.n > 0 || r.format == None):
		r.err = io.EOF
	default:
		r.err = r.source.explain(err, r.format, r.options)
	}
	return n, r.err
}

func (r *sequential) Close() error {
	if errors.Is(r.err, os.ErrClosed) {
		return nil
	}
	r.err = os.ErrClosed
	return r.decoder.Close()
}

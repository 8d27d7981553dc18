package debextract

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pgext/pgext/internal/decompress"
)

// tarStream is a decompressed tar member, read to its very end.
type tarStream struct {
	*tar.Reader
	name  string
	plain io.ReadCloser
	tail  *tailReader
}

// open starts to read the tar archive a, which has at most maxSize bytes.
func (p *Package) open(ctx context.Context, a archive, maxSize int64) (*tarStream, error) {
	section := io.NewSectionReader(p.src, a.offset, a.size)
	plain, err := decompress.NewReaderAt(section, a.size, a.format, decompress.Options{
		MaxSize: maxSize, Jobs: p.options.Jobs, Budget: p.options.Budget,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.name, classify(err))
	}
	tail := &tailReader{r: bufio.NewReaderSize(contextReader{ctx, plain}, 64<<10)}
	return &tarStream{Reader: tar.NewReader(tail), name: a.name, plain: plain, tail: tail}, nil
}

func (s *tarStream) close() { _ = s.plain.Close() } // read side: nothing to lose

// finish verifies, after the last entry, that the archive has its end marker
// and that only zeros follow it. It makes the decompressor verify its own end.
func (s *tarStream) finish() error {
	if s.tail.zeros < 512 {
		return fmt.Errorf("%s: %w: no end marker", s.name, ErrTruncated)
	}
	var buf [32 << 10]byte
	for {
		s.tail.zeros = 0
		n, err := s.tail.Read(buf[:])
		if s.tail.zeros < int64(n) {
			return fmt.Errorf("%s: the tar archive %w", s.name, ErrTrailing)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, classify(err))
		}
	}
}

// tailReader counts the zeros that what has been read so far ends in.
type tailReader struct {
	r     io.Reader
	zeros int64
}

func (t *tailReader) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	i := n
	for i > 0 && p[i-1] == 0 {
		i--
	}
	if i > 0 {
		t.zeros = 0
	}
	t.zeros += int64(n - i)
	return n, err
}

// contextReader ends with its context.
type contextReader struct {
	ctx context.Context //nolint:containedctx // lives as long as one walk
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

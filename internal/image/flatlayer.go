package image

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pgext/pgext/internal/decompress"
	"github.com/pgext/pgext/internal/failure"
)

// FlatLayer describes the blob of a layer that was read.
type FlatLayer struct {
	Digest v1.Hash
	// MediaType is that in the manifest, Format the actual format.
	MediaType types.MediaType
	Format    decompress.Format
	// Size is the size of the blob, Unpacked the size of the tar stream, in
	// bytes.
	Size, Unpacked int64
	// DiffID is the digest of the tar stream. Mismatched is true if the config
	// has another one.
	DiffID     v1.Hash
	Mismatched bool
	// GoesOn is true if data other than zeros follows the end of the archive;
	// some programs read it.
	GoesOn bool
}

func describeLayer(l v1.Layer) (f FlatLayer, err error) {
	if f.Digest, err = l.Digest(); err != nil {
		return f, err
	}
	if f.MediaType, err = l.MediaType(); err != nil {
		return f, err
	}
	f.Size, err = l.Size()
	return f, err
}

// flattener is the state between the layers of one image.
type flattener struct {
	ctx     context.Context //nolint:containedctx // lives as long as one call
	o       FlattenOptions
	where   string
	forest  *forest
	layer   int
	entries int
	size    int64 // of files, hard links and sparse ones in full
	packed  int64 // of tar streams
	buf     []byte

	whiteouts []string
	layers    []FlatLayer
}

// apply reads a layer to its last byte and compares both of its digests.
func (f *flattener) apply(layer v1.Layer, diffID v1.Hash) error {
	want, err := layer.Digest()
	if err != nil {
		return err
	}
	blob, err := layer.Compressed()
	if err != nil {
		return err
	}
	defer blob.Close()
	digest, diff := sha256.New(), sha256.New()
	in := bufio.NewReaderSize(io.TeeReader(blob, digest), 64<<10)
	format, stream, err := open(in, f.o.MaxSize-f.packed)
	if err != nil {
		return f.blame(err, in, digest, want)
	}
	defer stream.Close()
	plain := &counter{r: io.TeeReader(stream, diff)}
	if err := f.read(tar.NewReader(plain), layer); err != nil {
		return f.blame(err, in, digest, want)
	}
	var behind onlyZeros
	if _, err := io.CopyBuffer(&behind, plain, f.buf); err != nil {
		return f.blame(err, in, digest, want)
	}
	if _, err := io.CopyBuffer(onlyWriter{io.Discard}, in, f.buf); err != nil {
		return err
	}
	f.packed += plain.n
	facts, err := describeLayer(layer)
	if err != nil {
		return err
	}
	facts.Format, facts.Unpacked, facts.GoesOn = format, plain.n, behind.broken
	facts.DiffID = v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(diff.Sum(nil))}
	facts.Mismatched = facts.DiffID != diffID
	f.layers = append(f.layers, facts)
	if err := f.check(digest, want); err != nil || f.o.Lenient {
		return err
	}
	return f.check(diff, diffID)
}

// blame returns the error for a layer that cannot be read. It reads the rest of
// the blob: if its digest is right, the layer was built this way and the error is a
// *MalformedError, otherwise the blob was damaged later or in transit.
func (f *flattener) blame(err error, rest io.Reader, digest hash.Hash, want v1.Hash) error {
	malformed := false
	for _, is := range []error{io.ErrUnexpectedEOF, io.EOF, tar.ErrHeader, decompress.ErrCorrupt, decompress.ErrUnsupported} {
		malformed = malformed || errors.Is(err, is)
	}
	if !malformed {
		return err
	}
	if _, cut := io.CopyBuffer(onlyWriter{io.Discard}, rest, f.buf); cut != nil {
		return cut
	}
	if damaged := f.check(digest, want); damaged != nil {
		return damaged
	}
	return &MalformedError{err}
}

// MalformedError is the error for a layer whose digest is right but that cannot
// be unpacked. It does not unwrap to Err: an io.ErrUnexpectedEOF would look like a
// network error.
type MalformedError struct{ Err error }

func (e *MalformedError) Error() string { return "malformed layer: " + e.Err.Error() }

func (f *flattener) check(h hash.Hash, want v1.Hash) error {
	got := v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(h.Sum(nil))}
	if got != want {
		return failure.New(failure.Untrusted, "build or push the image again", "%s: digest mismatch: got %s, want %s", f.where, got, want)
	}
	return nil
}

// open decompresses a stream by its actual format, as container runtimes do.
func open(in *bufio.Reader, limit int64) (decompress.Format, io.ReadCloser, error) {
	prefix, err := in.Peek(6)
	if err != nil && !errors.Is(err, io.EOF) {
		return decompress.None, nil, err
	}
	format := decompress.Detect(prefix)
	stream, err := decompress.NewReader(in, format, decompress.Options{MaxSize: max(1, limit), Jobs: 1})
	return format, stream, err
}

// onlyZeros records whether anything but zeros was written.
type onlyZeros struct{ broken bool }

func (z *onlyZeros) Write(p []byte) (int, error) {
	z.broken = z.broken || len(bytes.TrimLeft(p, "\x00")) > 0
	return len(p), nil
}

// counter counts the bytes read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

package image

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// position is the position of a file in a layer: the index of its tar entry.
type position struct {
	layer v1.Layer
	entry int
}

// layerContent is the content of a file, read from its layer when needed.
type layerContent struct {
	at     position
	size   int64
	sha256 string
}

// Open implements filetree.Content. It decompresses the layer from its start up to
// the file.
func (c *layerContent) Open() (io.ReadCloser, error) {
	blob, err := c.at.layer.Compressed()
	if err != nil {
		return nil, err
	}
	_, stream, err := open(bufio.NewReader(blob), defaultMaxSize)
	if err != nil {
		blob.Close()
		return nil, err
	}
	f := &layerFile{content: c, hash: sha256.New(), stack: stacked{stream, blob}}
	tr := tar.NewReader(stream)
	for range c.at.entry + 1 {
		if _, err := tr.Next(); err != nil {
			_ = f.Close() // the error of Next is returned
			return nil, fmt.Errorf("reading a file of a layer: %w", err)
		}
	}
	f.r = tr
	return f, nil
}

// layerFile compares the digest of the content at its end.
type layerFile struct {
	content *layerContent
	r       io.Reader
	hash    hash.Hash
	stack   stacked
}

func (f *layerFile) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	f.hash.Write(p[:n])
	if err == io.EOF {
		if got := hex.EncodeToString(f.hash.Sum(nil)); got != f.content.sha256 {
			return n, fmt.Errorf("the layer changed: digest mismatch of a file: got %s, want %s", got, f.content.sha256)
		}
	}
	return n, err
}

func (f *layerFile) Close() error { return f.stack.Close() }

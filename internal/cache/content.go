package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
)

// Content returns a blob as the content of a file of the given size in bytes,
// -1 when it is not known. It is opened when it is needed, and verified while it
// is read: a reader gets a *DamagedError where it expects io.EOF. Open fails
// with fs.ErrNotExist when the blob is absent.
func (c *Cache) Content(sha256 string, size int64) Content {
	return Content{c, sha256, size}
}

// Content is a blob that can be opened any number of times.
type Content struct {
	cache *Cache
	sha   string
	size  int64
}

// Open returns a reader that verifies what it reads.
func (k Content) Open() (io.ReadCloser, error) {
	f, info, err := k.cache.openFile(k.sha)
	if err != nil {
		return nil, err
	}
	if k.cache.trusted(k.sha, info) {
		if k.size < 0 || k.size == info.Size() {
			return f, nil
		}
		f.Close()
		return nil, fmt.Errorf("opening blob %s in the cache: %d bytes, %d expected", k.sha, info.Size(), k.size)
	}
	return &verifier{Content: k, file: f, info: info, hash: sha256.New()}, nil
}

// verifier hashes what is read from a blob and judges at its end.
type verifier struct {
	Content
	file *os.File
	info os.FileInfo
	hash hash.Hash
	n    int64
	err  error // once set, every Read returns it
}

func (v *verifier) Read(p []byte) (int, error) {
	if v.err != nil {
		return 0, v.err
	}
	n, err := v.file.Read(p)
	v.hash.Write(p[:n])
	v.n += int64(n)
	if err == io.EOF { //nolint:errorlint // io.Reader returns it bare
		err = v.end()
	}
	v.err = err
	return n, err
}

func (v *verifier) end() error {
	if hex.EncodeToString(v.hash.Sum(nil)) != v.sha {
		return v.cache.discard(v.file, v.sha)
	}
	if v.size >= 0 && v.n != v.size {
		return fmt.Errorf("reading blob %s in the cache: %d bytes, %d expected", v.sha, v.n, v.size)
	}
	if v.n == v.info.Size() {
		v.cache.trust(v.sha, v.info)
	}
	return io.EOF
}

func (v *verifier) Close() error { return v.file.Close() }

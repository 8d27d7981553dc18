package cache

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
)

// Writer is a blob on its way into the cache. What was written can be read back
// with ReadAt before it is decided whether the blob stays. A Writer belongs to
// one goroutine; it must end in Commit or Abort.
type Writer struct {
	cache *Cache
	file  *os.File
	hash  hash.Hash
	size  int64
	err   error // the first failure, or errDone
}

var errDone = errors.New("the writer was committed or aborted already")

// Create starts a blob. Its errors, like those of the Writer's methods, are
// *WriteError when the directory cannot take it.
func (c *Cache) Create() (*Writer, error) {
	f, err := c.createTemporary()
	if err != nil {
		return nil, c.writeError(err)
	}
	return &Writer{cache: c, file: f, hash: sha256.New()}, nil
}

// Write appends p to the blob.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.file.Write(p)
	w.hash.Write(p[:n])
	w.size += int64(n)
	if err != nil {
		w.err = w.cache.writeError(err)
	}
	return n, w.err
}

// ReadAt implements io.ReaderAt over what was written so far.
func (w *Writer) ReadAt(p []byte, off int64) (int, error) { return w.file.ReadAt(p, off) }

// Size returns the number of bytes written so far.
func (w *Writer) Size() int64 { return w.size }

// SHA256 returns the digest of what was written so far, in lower-case hex.
func (w *Writer) SHA256() string { return hex.EncodeToString(w.hash.Sum(nil)) }

// Commit ends the blob and makes it visible under its digest, which it returns
// in lower-case hex with the size in bytes. When wantSHA256 is not empty and
// differs from it, the blob is dropped and the error is a *MismatchError. After
// any error nothing is left behind.
func (w *Writer) Commit(wantSHA256 string) (sha256 string, size int64, err error) {
	if w.err != nil {
		err := w.err
		w.Abort()
		return "", 0, err
	}
	got := w.SHA256()
	if wantSHA256 != "" && wantSHA256 != got {
		size := w.size
		w.Abort()
		return "", 0, &MismatchError{Got: got, Want: wantSHA256, Size: size}
	}
	if err := w.publish(got); err != nil {
		return "", 0, err
	}
	return got, w.size, nil
}

func (w *Writer) publish(sha string) error {
	defer w.Abort()
	path, err := w.cache.blobPath(sha)
	if err != nil {
		return err
	}
	info, err := w.file.Stat()
	if err == nil {
		err = w.cache.rename(w.file, path)
	}
	if err != nil {
		return w.cache.writeError(err)
	}
	w.cache.trust(sha, info)
	return nil
}

// Abort drops the blob. After Commit, or a second time, it does nothing.
func (w *Writer) Abort() {
	if w.file == nil {
		return
	}
	discardTemporary(w.file)
	w.file, w.err = nil, errDone
}

// rename gives the temporary file its final name, replacing what is there. On
// success the name in tmp is gone; the file stays open and locked.
func (c *Cache) rename(f *os.File, path string) error {
	err := os.Rename(f.Name(), path)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), dirMode); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func (c *Cache) temporaryDir() string { return filepath.Join(c.root, "tmp") }

// createTemporary creates a file in tmp and locks it, which tells other
// processes that it is alive.
func (c *Cache) createTemporary() (*os.File, error) {
	path := filepath.Join(c.temporaryDir(), rand.Text())
	create := func() (*os.File, error) {
		return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
	}
	f, err := create()
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(c.temporaryDir(), dirMode); err != nil {
			return nil, err
		}
		f, err = create()
	}
	if err != nil {
		return nil, err
	}
	lock(f)
	return f, nil
}

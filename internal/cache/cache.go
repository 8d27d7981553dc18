package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

const (
	// version names the subdirectory; another layout takes another name, so
	// that two releases of pgext share a cache directory without harm.
	version = "v1"

	dirMode = 0o755
	// fileMode is the mode of a finished file, which is never written again.
	fileMode = 0o444
)

// Cache is a content-addressed store in a directory. It is safe for use by
// several goroutines, and the directory by several processes.
type Cache struct {
	dir  string // as the user named it, absolute
	root string // dir/version

	mu    sync.Mutex
	blobs map[string]*state
}

// Open returns the cache in dir, which need not exist yet: it is created by the
// first write. Temporary files that dead processes left behind more than a minute
// ago are removed. It is an error when dir is there and not a directory.
func Open(dir string) (*Cache, error) {
	if dir == "" {
		return nil, errors.New("opening the cache: no directory named")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the cache %s: %w", dir, err)
	}
	info, err := os.Stat(abs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("opening the cache: %w", err)
	case !info.IsDir():
		return nil, &WriteError{Dir: dir, Err: syscall.ENOTDIR}
	}
	c := &Cache{dir: abs, root: filepath.Join(abs, version), blobs: map[string]*state{}}
	c.cleanTemporary()
	return c, nil
}

// DefaultDir returns $XDG_CACHE_HOME/pgext or, where that is not set, pgext
// below the user's cache directory of the operating system. It fails when the
// environment names neither.
func DefaultDir() (string, error) {
	if dir := os.Getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "pgext"), nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", &homelessError{err}
	}
	return filepath.Join(dir, "pgext"), nil
}

// Dir returns the absolute path that the cache was opened with.
func (c *Cache) Dir() string { return c.dir }

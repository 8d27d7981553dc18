package rootfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/digest"
)

// version is raised whenever the same input would give another root.
const version = 3

// storePrefix is how the names of stores start.
const storePrefix = "rootfs-"

// temporary is how the names of roots in the making start.
const temporary = "tmp-"

// Options configure a Store.
type Options struct {
	// Jobs is how many packages are unpacked at once; 0 means one a CPU.
	Jobs int
}

// Store makes roots and remembers them. It is safe for use by several
// goroutines. What it returned stays until the process ends, or forgets the
// Store.
type Store struct {
	cache *cache.Cache
	dir   string
	jobs  int

	mu sync.Mutex
	// used are the folders that were returned, with a shared lock.
	used map[string]*os.File
}

// Open returns the store beside the cache c, and removes what processes that
// died in the middle of their work left in it, and what was not used for long.
func Open(c *cache.Cache, o Options) (*Store, error) {
	s := &Store{cache: c, dir: filepath.Join(c.Dir(), fmt.Sprint(storePrefix, version)), jobs: o.Jobs, used: map[string]*os.File{}}
	if s.jobs <= 0 {
		s.jobs = runtime.GOMAXPROCS(0)
	}
	if err := s.sweep(); err != nil {
		return nil, fmt.Errorf("opening the root file systems in %s: %w", s.dir, err)
	}
	return s, nil
}

// sweep removes leftovers, unless somebody is at work.
func (s *Store) sweep() error {
	unlock, err := tryLock(s.dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errTaken) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.removeTemporary(); err != nil {
		return err
	}
	_ = s.expire(time.Now()) // what cannot be removed stays
	return nil
}

// removeTemporary removes roots in the making. The caller holds the lock, so
// nobody is making them any more.
func (s *Store) removeTemporary() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), temporary) {
			if err := removeAll(filepath.Join(s.dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// once returns the folder of a kind and a key, which is made when it is not
// there yet, and stays while this process uses it. A disk that takes nothing is
// a *cache.WriteError.
func (s *Store) once(ctx context.Context, kind, key string, make func(dir *os.Root) error) (string, error) {
	path, err := s.unlessMade(ctx, kind, key, make)
	for _, refused := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS} {
		if errors.Is(err, refused) && !errors.As(err, new(*cache.WriteError)) {
			return "", &cache.WriteError{Dir: s.cache.Dir(), Err: refused}
		}
	}
	return path, err
}

func (s *Store) unlessMade(ctx context.Context, kind, key string, make func(dir *os.Root) error) (string, error) {
	path := filepath.Join(s.dir, kind+key)
	if there, err := s.use(path); there || err != nil {
		return path, err
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(ctx, s.dir)
	if err != nil {
		return "", err
	}
	defer unlock()
	// nothing is removed under the lock
	if there, err := s.use(path); there || err != nil {
		return path, err // somebody else has made it meanwhile
	}
	if err := s.removeTemporary(); err != nil {
		return "", err
	}
	half, err := os.MkdirTemp(s.dir, temporary)
	if err != nil {
		return "", err
	}
	err = inside(half, make)
	if err == nil {
		err = os.Rename(half, path)
	}
	if err != nil {
		_ = removeAll(half) // the next one tries again
		return "", err
	}
	_, err = s.use(path)
	return path, err
}

// inside calls make with a folder that everybody may enter.
func inside(dir string, make func(dir *os.Root) error) error {
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // nothing is written through the folder itself
	return make(root)
}

// removeAll removes a folder, also one with folders that nobody may enter.
func removeAll(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(path, 0o700) //nolint:gosec // a folder that is about to go
		}
		return nil
	})
	return os.RemoveAll(dir)
}

// keyOf is the SHA-256 digest of lines, in lower-case hex.
func keyOf(lines ...string) string { return digest.SHA256([]byte(strings.Join(lines, "\n"))) }

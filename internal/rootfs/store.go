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

// version must be incremented when the same input gives another root.
const version = 3

// storePrefix is the prefix of the names of stores.
const storePrefix = "rootfs-"

// temporary is the prefix of the names of incomplete roots.
const temporary = "tmp-"

// Options configure a Store.
type Options struct {
	// Jobs is how many packages are unpacked at the same time; 0 means one for
	// each CPU.
	Jobs int
}

// Store makes roots and keeps them. It may be used by several goroutines. A
// folder that it returned exists at least until the process ends.
type Store struct {
	cache *cache.Cache
	dir   string
	jobs  int

	mu sync.Mutex
	// used are the folders that were returned, with a shared lock.
	used map[string]*os.File
}

// Open returns the store beside the cache c. It removes incomplete roots of
// processes that died, and folders that were not used for a long time.
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

// sweep removes incomplete and expired folders, unless a root is being made.
func (s *Store) sweep() error {
	unlock, err := tryLock(s.dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errLocked) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.removeTemporary(); err != nil {
		return err
	}
	_ = s.expire(time.Now()) // folders that cannot be removed stay
	return nil
}

// removeTemporary removes incomplete roots. The caller holds the lock, so their
// makers have died.
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

// once returns the folder of a kind and a key, which make fills if it does not
// exist yet. A full or read-only disk is a *cache.WriteError.
func (s *Store) once(ctx context.Context, kind, key string, make func(dir *os.Root) error) (string, error) {
	path, err := s.makeOnce(ctx, kind, key, make)
	for _, refused := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS} {
		if errors.Is(err, refused) && !errors.As(err, new(*cache.WriteError)) {
			return "", &cache.WriteError{Dir: s.cache.Dir(), Err: refused}
		}
	}
	return path, err
}

func (s *Store) makeOnce(ctx context.Context, kind, key string, make func(dir *os.Root) error) (string, error) {
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
	// another process may have made it meanwhile; nothing is removed under the lock
	if there, err := s.use(path); there || err != nil {
		return path, err
	}
	if err := s.removeTemporary(); err != nil {
		return "", err
	}
	half, err := os.MkdirTemp(s.dir, temporary)
	if err != nil {
		return "", err
	}
	err = fill(half, make)
	if err == nil {
		err = os.Rename(half, path)
	}
	if err != nil {
		_ = removeAll(half) // otherwise the next Open does it
		return "", err
	}
	_, err = s.use(path)
	return path, err
}

// fill calls make with a folder, whose mode it sets to 0755.
func fill(dir string, make func(dir *os.Root) error) error {
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

// removeAll removes a folder, also if a folder in it has no permissions.
func removeAll(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(path, 0o700) //nolint:gosec // a folder that is removed next
		}
		return nil
	})
	return os.RemoveAll(dir)
}

// keyOf returns the SHA-256 digest of lines, in lower-case hex.
func keyOf(lines ...string) string { return digest.SHA256([]byte(strings.Join(lines, "\n"))) }

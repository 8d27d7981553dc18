package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The kinds of folders in a store; their names begin with it.
const (
	kindDebs    = "debs-"
	kindOperand = "operand-"
	kindImage   = "image-"
)

// unused is how long a folder stays that nobody uses.
const unused = 14 * 24 * time.Hour

// most is how many folders of a kind stay: a root takes 250 MB and more, an
// image what it unpacks to.
var most = map[string]int{kindDebs: 6, kindOperand: 4, kindImage: 150}

// use keeps a folder from being removed for as long as this process lives, and
// notes the time. Without it, it was removed in this moment.
func (s *Store) use(path string) (there bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used[path] != nil {
		return true, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	// a file system that cannot lock is used without
	_ = retry(func() error { return syscall.Flock(int(f.Fd()), syscall.LOCK_SH) })
	ours, err := f.Stat()
	if now, nowErr := os.Stat(path); err != nil || nowErr != nil || !os.SameFile(ours, now) {
		f.Close()
		return false, err
	}
	s.used[path] = f
	now := time.Now()
	_ = os.Chtimes(path, now, now) // of a cache that cannot be written to nothing expires
	return true, nil
}

func retry(do func() error) error {
	for {
		if err := do(); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// expire removes what was not used for long, and of each kind what is more than
// there may be, except what a process uses. The caller holds the store's lock.
func (s *Store) expire(now time.Time) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	type folder struct {
		name string
		used time.Time
	}
	kinds := map[string][]folder{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue
		}
		for kind := range most {
			if strings.HasPrefix(e.Name(), kind) {
				kinds[kind] = append(kinds[kind], folder{e.Name(), info.ModTime()})
			}
		}
	}
	var problems []error // the next one may go all the same
	for kind, folders := range kinds {
		slices.SortFunc(folders, func(a, b folder) int { return b.used.Compare(a.used) })
		for i, f := range folders {
			if i < most[kind] && now.Sub(f.used) < unused {
				continue
			}
			if err := s.remove(f.name); err != nil {
				problems = append(problems, fmt.Errorf("removing %s, which was last used at %s: %w", f.name, f.used.Format(time.DateOnly), err))
			}
		}
	}
	return errors.Join(append(problems, s.expireVersions(now))...)
}

// remove removes a folder that nobody uses. It vanishes at once, by rename.
func (s *Store) remove(name string) error {
	path := filepath.Join(s.dir, name)
	unlock, err := tryLock(path)
	if errors.Is(err, errTaken) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unlock()
	gone := filepath.Join(s.dir, temporary+name)
	if err := os.Rename(path, gone); err != nil {
		return err
	}
	return removeAll(gone)
}

// expireVersions removes the stores of earlier versions of this room, in which
// nothing was made for long.
func (s *Store) expireVersions(now time.Time) error {
	parent := filepath.Dir(s.dir)
	entries, err := os.ReadDir(parent)
	if err != nil {
		return err
	}
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), storePrefix)
		n, err := strconv.Atoi(number)
		if !ok || err != nil || n >= version {
			continue
		}
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) >= unused {
			if err := removeAll(filepath.Join(parent, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

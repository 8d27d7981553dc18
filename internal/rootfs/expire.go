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

// unused is how long a folder stays after its last use.
const unused = 14 * 24 * time.Hour

// most is how many folders of a kind stay. A root has 250 MB and more.
var most = map[string]int{kindDebs: 6, kindOperand: 4, kindImage: 150}

// use locks a folder against removal until this process ends, and sets its time of
// use. there is false if the folder does not exist.
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
	// the lock is optional: some file systems have none
	_ = retry(func() error { return syscall.Flock(int(f.Fd()), syscall.LOCK_SH) })
	ours, err := f.Stat()
	if now, nowErr := os.Stat(path); err != nil || nowErr != nil || !os.SameFile(ours, now) {
		f.Close()
		return false, err
	}
	s.used[path] = f
	now := time.Now()
	_ = os.Chtimes(path, now, now) // nothing expires in a read-only cache
	return true, nil
}

func retry(do func() error) error {
	for {
		if err := do(); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// expire removes the folders that were not used for the time unused, and of each
// kind those beyond the number in most. Folders that a process uses stay. The
// caller holds the store's lock.
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
	var problems []error // the other folders are removed all the same
	for kind, folders := range kinds {
		slices.SortFunc(folders, func(a, b folder) int { return b.used.Compare(a.used) })
		for i, f := range folders {
			if i < most[kind] && now.Sub(f.used) < unused {
				continue
			}
			if err := s.remove(f.name); err != nil {
				problems = append(problems, fmt.Errorf("removing %s, last used on %s: %w", f.name, f.used.Format(time.DateOnly), err))
			}
		}
	}
	return errors.Join(append(problems, s.expireVersions(now))...)
}

// remove removes a folder unless a process uses it. It disappears atomically, by
// rename.
func (s *Store) remove(name string) error {
	path := filepath.Join(s.dir, name)
	unlock, err := tryLock(path)
	if errors.Is(err, errLocked) || errors.Is(err, fs.ErrNotExist) {
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

// expireVersions removes the stores of earlier versions of this package that were
// not changed for the time unused.
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

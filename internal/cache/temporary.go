package cache

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// temporaryAge is how old a file in tmp must be before it counts as left
// behind: longer than it takes a writer to lock the file that it has made.
const temporaryAge = time.Minute

// lock marks f as in use until it is closed or the process dies, however it
// dies. File systems without locks keep their leftovers.
func lock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// discardTemporary closes f and removes its name in tmp where it is still there.
func discardTemporary(f *os.File) {
	os.Remove(f.Name()) //nolint:errcheck // gone after a rename; else cleanTemporary gets it
	f.Close()           // the bytes are not wanted, or were accounted for
}

// cleanTemporary removes files in tmp that are older than temporaryAge and that
// no living process has locked. Nothing depends on its success.
func (c *Cache) cleanTemporary() {
	entries, err := os.ReadDir(c.temporaryDir())
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > temporaryAge {
			removeUnlocked(filepath.Join(c.temporaryDir(), e.Name()), info)
		}
	}
}

func removeUnlocked(path string, info fs.FileInfo) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	if is, err := f.Stat(); err != nil || !os.SameFile(is, info) || !lock(f) {
		return
	}
	os.Remove(path) //nolint:errcheck // the next Open tries again
}

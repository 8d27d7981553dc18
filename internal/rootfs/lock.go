package rootfs

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// lockWait is how often a taken lock is tried again.
const lockWait = 20 * time.Millisecond

// errTaken says that somebody else has the lock.
var errTaken = errors.New("the lock is taken")

// tryLock takes an exclusive lock on a folder; the end of the process gives it
// back, too. A file system that cannot lock a folder is used without.
func tryLock(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		f.Close()
		return nil, errTaken
	}
	return func() { f.Close() }, nil
}

// lock waits for the lock.
func lock(ctx context.Context, dir string) (unlock func(), err error) {
	for {
		unlock, err := tryLock(dir)
		if !errors.Is(err, errTaken) {
			return unlock, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lockWait):
		}
	}
}

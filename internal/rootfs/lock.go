package rootfs

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// lockWait is the interval between attempts to take a lock.
const lockWait = 20 * time.Millisecond

// errLocked means that another process or Store has the lock.
var errLocked = errors.New("locked by another process")

// tryLock takes an exclusive lock on a folder, which also ends with the process.
// On a file system without locks it does nothing.
func tryLock(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		f.Close()
		return nil, errLocked
	}
	return func() { f.Close() }, nil
}

// lock waits for the lock of tryLock.
func lock(ctx context.Context, dir string) (unlock func(), err error) {
	for {
		unlock, err := tryLock(dir)
		if !errors.Is(err, errLocked) {
			return unlock, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lockWait):
		}
	}
}

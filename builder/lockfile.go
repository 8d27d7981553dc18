package builder

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/pgext/pgext/internal/atomicfile"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/lock"
)

// WriteLock writes the lock of a plan beside its recipe, when it changed. What
// another process has locked meanwhile for other targets stays.
func (p *Plan) WriteLock(ctx context.Context) error {
	if !p.Changed {
		return nil
	}
	unlock, err := image.LockDir(ctx, filepath.Dir(p.LockPath))
	if err != nil {
		return fmt.Errorf("writing the lock: %w", err)
	}
	defer unlock()
	l := p.Lock
	if now, _, err := lock.Load(p.LockPath); err == nil { // an unreadable one is replaced
		l = p.onto(now)
	}
	if err := l.Validate(); err != nil {
		return err
	}
	if err := atomicfile.Write(p.LockPath, l.Encode()); err != nil {
		return fmt.Errorf("writing the lock: %w", err)
	}
	return nil
}

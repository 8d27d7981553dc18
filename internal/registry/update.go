package registry

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/retry"
)

// updateAttempts is how often a tag is changed that others change as well.
const updateAttempts = 20

// update changes what a tag names until next, which is given what it names
// (false: nothing), says that nothing is to be changed. Another publisher may
// do the same at the same time, and few registries heed conditions: after as
// long as a change took here, which is about as long as it takes others, the
// tag is looked at again, so that what was lost is put there once more.
func (s *session) update(ctx context.Context, tag string, next func(stored, bool) (stored, bool, error)) error {
	heeded := true
	for range updateAttempts {
		start := time.Now()
		old, ok, err := s.read(ctx, tag)
		if err != nil {
			return fmt.Errorf("tag %s: %w", tag, err)
		}
		m, changed, err := next(old, ok)
		if err != nil || !changed {
			return err
		}
		condition := old.etag
		if !heeded || strings.HasPrefix(condition, "W/") {
			condition = ""
		}
		err = s.put(ctx, tag, m, condition)
		switch {
		case hasStatus(err, http.StatusPreconditionFailed) && condition != "":
			now, _, err := s.read(ctx, tag)
			if err != nil {
				return fmt.Errorf("tag %s: %w", tag, err)
			}
			heeded = now.digest != old.digest // else the condition is misunderstood
		case ok && keepsTags(err):
			return fmt.Errorf("tag %s: %w", tag, &FixedError{Tag: tag, Err: err})
		case err != nil:
			return fmt.Errorf("tag %s: %w", tag, err)
		}
		if err := retry.Sleep(ctx, retry.Jitter(time.Since(start))); err != nil {
			return err
		}
	}
	return fmt.Errorf("tag %s: %w", tag, errNotKept)
}

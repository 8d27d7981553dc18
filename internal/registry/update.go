package registry

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/retry"
)

// updateAttempts is the number of attempts to update a tag that others update
// concurrently.
const updateAttempts = 20

// update updates a tag until next reports no change. next gets the manifest of the
// tag (false if there is none) and returns the new one. Another publisher may update
// the tag concurrently, and few registries support conditional requests. So the tag
// is read again after a pause of about the time that an update takes, and a lost
// update is repeated.
func (s *session) update(ctx context.Context, tag string, next func(stored, bool) (stored, bool, error)) error {
	supported := true
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
		if !supported || strings.HasPrefix(condition, "W/") {
			condition = ""
		}
		err = s.put(ctx, tag, m, condition)
		switch {
		case hasStatus(err, http.StatusPreconditionFailed) && condition != "":
			now, _, err := s.read(ctx, tag)
			if err != nil {
				return fmt.Errorf("tag %s: %w", tag, err)
			}
			supported = now.digest != old.digest // if it is equal, the registry does not understand the condition
		case ok && keepsTags(err):
			return fmt.Errorf("tag %s: %w", tag, fixedError(tag, err))
		case err != nil:
			return fmt.Errorf("tag %s: %w", tag, err)
		}
		if err := retry.Sleep(ctx, retry.Jitter(time.Since(start))); err != nil {
			return err
		}
	}
	return fmt.Errorf("tag %s: %w", tag, errNotKept)
}

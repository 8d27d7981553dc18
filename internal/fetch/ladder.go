package fetch

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/redact"
)

// climb tries the URLs of b in order. A URL that serves other bytes is passed
// over like one that serves none: the digest says what is right, so going on is
// safe; but it is not forgotten when no other URL has the blob.
func (f *Fetcher) climb(ctx context.Context, b Blob) (string, error) {
	var failed []error
	for _, raw := range b.URLs {
		sha, err := f.rung(ctx, raw, b)
		if err == nil {
			return sha, nil
		}
		var full *cache.WriteError
		if ctx.Err() != nil || errors.As(err, &full) {
			return "", err
		}
		if isGone(err) {
			f.o.Log.DebugContext(ctx, "not there", "name", b.Name, "error", err)
		} else {
			f.o.Log.WarnContext(ctx, "download failed", "name", b.Name, "error", err)
		}
		failed = append(failed, err)
	}
	return "", verdict(b, failed)
}

// rung downloads b from one URL, in several attempts when it must.
func (f *Fetcher) rung(ctx context.Context, raw string, b Blob) (string, error) {
	at, err := f.locate(raw)
	if err != nil {
		return "", err
	}
	t := &transfer{fetcher: f, blob: b, at: at}
	defer t.drop()
	var sha string
	err = f.retry(ctx, at, func() error {
		var err error
		sha, err = t.attempt(ctx)
		return err
	})
	return sha, err
}

// verdict makes one error of those of a ladder.
func verdict(b Blob, failed []error) error {
	gone := 0
	for _, err := range failed {
		if isGone(err) {
			gone++
		}
	}
	switch {
	case gone == len(failed):
		urls := make([]string, len(b.URLs))
		for i, raw := range b.URLs {
			urls[i] = redact.Address(raw)
		}
		return &NotFoundError{Name: b.Name, URLs: urls}
	case len(failed) == 1:
		return failed[0]
	}
	return ladderError(failed)
}

// ladderError holds what happened at each rung.
type ladderError []error

func (e ladderError) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// Hint returns what to do where a rung served other bytes, where some rungs have
// the file no longer and others could not be asked, else what the first rung
// hints at.
func (e ladderError) Hint() string {
	var mismatch *MismatchError
	var hinter interface{ Hint() string }
	switch {
	case errors.As(errors.Join(e...), &mismatch):
		return mismatch.Hint()
	case slices.ContainsFunc(e, isGone):
		return "some of these places no longer have it: pgext lock RECIPE takes what there is now, or try again with a network that reaches the others"
	case errors.As(errors.Join(e...), &hinter):
		return hinter.Hint()
	}
	return ""
}

// Unwrap returns the errors of all rungs.
func (e ladderError) Unwrap() []error { return e }

package builder_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/session"
)

// counter counts the log records of each message and of the value of one of its
// attributes.
type counter struct {
	mu    sync.Mutex
	count map[string]int
}

func (c *counter) Enabled(context.Context, slog.Level) bool { return true }
func (c *counter) WithAttrs([]slog.Attr) slog.Handler       { return c }
func (c *counter) WithGroup(string) slog.Handler            { return c }

func (c *counter) Handle(_ context.Context, r slog.Record) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := r.Message
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "sha256" || a.Key == "arch" {
			key += " " + a.Value.String()
		}
		return true
	})
	c.count[key]++
	return nil
}

// TestBuildOnce: a fresh build extracts every package once and lays every
// architecture out once.
func TestBuildOnce(t *testing.T) {
	f := bundling(t)
	c := &counter{count: map[string]int{}}
	b := f.builder(func(o *session.Options) { o.Log = slog.New(c) })
	f.build(b, f.plan(b, f.recipe(""), builder.Keep), filepath.Join(f.dir, "dist"))
	if c.count["laying out amd64"] != 1 || c.count["laying out arm64"] != 1 {
		t.Errorf("laid out %d times for amd64 and %d times for arm64, want once each", c.count["laying out amd64"], c.count["laying out arm64"])
	}
	scanned := 0
	for key, n := range c.count {
		switch {
		case strings.HasPrefix(key, "scanned a package "):
			if scanned++; n != 1 {
				t.Errorf("%s: %d times, want once", key, n)
			}
		case strings.HasPrefix(key, "extracting more files of a package "):
			t.Errorf("%s: %d times, want none", key, n)
		}
	}
	if scanned == 0 {
		t.Errorf("no scan was logged: %v", c.count)
	}
}

// TestBuildFromPinsAlone: an image built from a lock alone has the digest of the
// build that wrote the lock.
func TestBuildFromPinsAlone(t *testing.T) {
	f := bundling(t)
	r := f.recipe("")
	fresh := f.builder()
	want := f.build(fresh, f.plan(fresh, r, builder.Keep), filepath.Join(f.dir, "fresh"))
	locked := f.builder(func(o *session.Options) { o.Program = "another" }) // no build record
	got := f.build(locked, f.plan(locked, r, builder.Locked), filepath.Join(f.dir, "locked"))
	if got.Digest != want.Digest {
		t.Errorf("from the lock: %s, from the resolution: %s", got.Digest, want.Digest)
	}
	if diff := cmp.Diff(snapshot(t, filepath.Join(f.dir, "fresh"), false), snapshot(t, filepath.Join(f.dir, "locked"), false)); diff != "" {
		t.Errorf("files differ (-fresh +locked):\n%s", diff)
	}
}

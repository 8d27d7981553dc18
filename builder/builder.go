package builder

import (
	"log/slog"
	"runtime"
	"time"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/base"
	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/debinfo"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/rootfs"
)

// Options configure a Builder. Cache and Fetcher are required.
type Options struct {
	Cache   *cache.Cache
	Fetcher *fetch.Fetcher
	// Registry finds operand images (base: image:REF); nil when no request
	// may be made.
	Registry Resolver
	// Jobs is how many things are done at once; 0 means one a CPU.
	Jobs int
	// Archives replaces a recipe's list of archives by built-in ones; nil
	// keeps it.
	Archives []string
	// Mirrors names the root to use, by archive.
	Mirrors map[string]archive.Mirror
	// AllowExpired accepts a Release past its Valid-Until.
	AllowExpired bool
	// Annotations are added to those of every recipe, and win.
	Annotations map[string]string
	// Compression is of the layers; "" is gzip.
	Compression image.Compression
	// Revision, when positive, is appended to the tag that never moves.
	Revision int
	// Epoch replaces the time that follows from the packages
	// (SOURCE_DATE_EPOCH); nil keeps it.
	Epoch *time.Time
	// Program identifies the running program: what another one remembers of
	// its builds does not count.
	Program string
	// Maker is the running program as provenance names it.
	Maker provenance.Program
	// Now is the time that archives are judged by; nil is the clock. No step
	// after Plan reads it.
	Now func() time.Time
	// Log hears what is done; nil discards.
	Log *slog.Logger
}

// Builder builds recipes. What it looks up, such as an archive's index, it
// looks up once, however many recipes need it. It is safe for use by several
// goroutines.
type Builder struct {
	o        Options
	contents *debinfo.Store
	archives memo[*archive.Opened]
	indexes  memo[*apt.Index]
	bases    memo[base.Base]
	roots    memo[*rootfs.Store]
}

// New returns a Builder.
func New(o Options) *Builder {
	if o.Jobs <= 0 {
		o.Jobs = runtime.GOMAXPROCS(0)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Builder{
		o:        o,
		contents: debinfo.New(o.Cache, debinfo.Options{Jobs: o.Jobs, Log: o.Log}),
	}
}

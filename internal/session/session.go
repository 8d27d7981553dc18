// Package session holds what several recipes and commands share during one run:
// options, the cache, opened archives, package indexes, bases and root file
// systems.
//
// Each of these is opened or computed once per run, however many recipes need
// it.
package session

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

// Options configure a Session. Cache and Fetcher are required.
type Options struct {
	Cache   *cache.Cache
	Fetcher *fetch.Fetcher
	// Registry resolves operand images (base: image:REF); nil allows no
	// request.
	Registry Resolver
	// Jobs is the number of concurrent jobs; 0 means GOMAXPROCS.
	Jobs int
	// Archives are names of built-in archives that replace the list of every
	// recipe; nil keeps it.
	Archives []string
	// Mirrors maps the name of an archive to the root to use.
	Mirrors map[string]archive.Mirror
	// AllowExpired accepts a Release past its Valid-Until.
	AllowExpired bool
	// Annotations are added to those of every recipe and override them.
	Annotations map[string]string
	// Compression of the layers; "" is gzip.
	Compression image.Compression
	// Revision, if positive, is appended to the immutable tag.
	Revision int
	// Epoch replaces the epoch derived from the packages (SOURCE_DATE_EPOCH);
	// nil keeps it.
	Epoch *time.Time
	// Program identifies the running program. Build records of another program
	// are ignored.
	Program string
	// Maker is the running program as provenance names it.
	Maker provenance.Program
	// Now is the time at which Release files are checked; nil is the clock. No
	// step after Plan reads it.
	Now func() time.Time
	// Log receives progress; nil discards.
	Log *slog.Logger
}

// Session is one run of the program. It is safe for concurrent use.
type Session struct {
	Options
	// Debs reads the contents of packages.
	Debs     *debinfo.Store
	archives once[*archive.Opened]
	indexes  once[*apt.Index]
	bases    once[base.Base]
	roots    once[*rootfs.Store]
}

// New returns a Session with the defaults of o filled in.
func New(o Options) *Session {
	if o.Jobs <= 0 {
		o.Jobs = runtime.GOMAXPROCS(0)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Session{Options: o, Debs: debinfo.New(o.Cache, debinfo.Options{Jobs: o.Jobs, Log: o.Log})}
}

// RootStore opens the store of root file systems in the cache.
func (s *Session) RootStore() (*rootfs.Store, error) {
	return s.roots.get("", func() (*rootfs.Store, error) {
		return rootfs.Open(s.Cache, rootfs.Options{Jobs: s.Jobs})
	})
}

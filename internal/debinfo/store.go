package debinfo

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"runtime"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/decompress"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/filetree"
)

// Info is the content of a .deb.
type Info struct {
	// Control is the control paragraph.
	Control debian.Paragraph
	// Scripts holds the other members of the control archive by name, as
	// text: maintainer scripts, md5sums, conffiles.
	Scripts map[string]string
	// Tree holds all entries. Files have their digest; a hard link is a file
	// with the digest of its target. The Content of a kept file reads from the
	// cache; opening any other is an error.
	Tree filetree.Tree
	// Objects holds the ELF files, by path.
	Objects map[string]elf.Object
	// Malformed maps the paths of malformed ELF files to their defects.
	Malformed map[string]string
}

// Options configure a Store.
type Options struct {
	// Jobs is the number of packages scanned in parallel, and of blocks of one
	// that is scanned alone; 0 means GOMAXPROCS.
	Jobs int
	// Memory limits the bytes used for decoding blocks of one package in
	// parallel, over all packages; 0 means 128 MiB. In addition each job uses
	// some MiB and the dictionary of its package.
	Memory int64
	// Log receives a debug message for each package scanned; nil discards.
	Log *slog.Logger
}

func (o Options) complete() Options {
	if o.Jobs <= 0 {
		o.Jobs = runtime.GOMAXPROCS(0)
	}
	if o.Memory == 0 {
		o.Memory = 128 << 20
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Store scans packages in a cache. It is safe for concurrent use.
type Store struct {
	cache   *cache.Cache
	options Options
	budget  *decompress.Budget
}

// New returns a Store over c. A package must be in c before it is scanned.
func New(c *cache.Cache, o Options) *Store {
	o = o.complete()
	return &Store{cache: c, options: o, budget: decompress.NewBudget(o.Memory)}
}

// Keep selects the files that the caller opens later, by path, mode, time and size;
// there may be no digest yet. It must be a pure function. A nil Keep selects none.
type Keep func(filetree.Entry) bool

// Scan returns the content of the .deb with the given SHA-256 digest (lower-case
// hex). The error wraps fs.ErrNotExist if the package is neither recorded nor in the
// cache. It is an error if keep selects a set-user-ID or set-group-ID file. If the
// record and all selected files are in the cache, the package is not opened and need
// not be there.
func (s *Store) Scan(ctx context.Context, sha256 string, keep Keep) (*Info, error) {
	info, err := s.scan(ctx, sha256, keep)
	if err != nil {
		return nil, fmt.Errorf("reading package sha256:%s: %w", sha256, err)
	}
	return info, nil
}

func (s *Store) scan(ctx context.Context, sha256 string, keep Keep) (*Info, error) {
	if keep == nil {
		keep = func(filetree.Entry) bool { return false }
	}
	r, ok := s.cachedRecord(sha256)
	if !ok {
		var err error
		if r, err = s.walk(ctx, sha256, keep); err != nil {
			return nil, err
		}
	}
	kept, err := selectFiles(r, keep)
	if err != nil {
		return nil, err
	}
	if missing := s.missing(r, kept); len(missing) > 0 {
		if err := s.extract(ctx, sha256, r, missing); err != nil {
			return nil, err
		}
	}
	return s.info(r, kept)
}

func (s *Store) cachedRecord(sha256 string) (*record, bool) {
	data, ok := s.cache.Record(recordKind, sha256)
	if !ok {
		return nil, false
	}
	r, err := decodeRecord(data)
	return r, err == nil
}

// selectFiles returns, by index, whether keep selects each entry.
func selectFiles(r *record, keep Keep) ([]bool, error) {
	kept := make([]bool, len(r.Entries))
	for i, e := range r.Entries {
		if e.Kind != filetree.File {
			continue
		}
		if kept[i] = keep(e); kept[i] && privileged(e) {
			return nil, failure.New(failure.Other, "an extension image cannot contain such a program; name packages without it",
				"keeping %s: the file is set-user-ID or set-group-ID", e.Path)
		}
	}
	return kept, nil
}

func privileged(e filetree.Entry) bool { return e.Mode&(fs.ModeSetuid|fs.ModeSetgid) != 0 }

// missing returns the digests of kept files that the cache lacks.
func (s *Store) missing(r *record, kept []bool) map[string]bool {
	missing := map[string]bool{}
	for i, e := range r.Entries {
		if !kept[i] {
			continue
		}
		if size, ok := s.cache.Has(e.SHA256); !ok || size != e.Size {
			missing[e.SHA256] = true
		}
	}
	return missing
}

// info adds origin and content to every file.
func (s *Store) info(r *record, kept []bool) (*Info, error) {
	control := debian.NewParagraph(r.Control...)
	pkg := control.Get("Package")
	for i := range r.Entries {
		e := &r.Entries[i]
		e.Origin = filetree.Origin{Package: pkg, Path: e.Path}
		switch {
		case e.Kind != filetree.File:
		case kept[i]:
			e.Content = s.cache.Content(e.SHA256, e.Size)
		default:
			e.Content = notKept{pkg, e.Path}
		}
	}
	tree, err := filetree.New(r.Entries)
	if err != nil {
		return nil, err
	}
	return &Info{Control: control, Scripts: r.Scripts, Tree: tree, Objects: r.Objects, Malformed: r.Malformed}, nil
}

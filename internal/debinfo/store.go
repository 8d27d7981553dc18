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
	"github.com/pgext/pgext/internal/filetree"
)

// Contents is what is in a .deb.
type Contents struct {
	// Control is the control paragraph.
	Control debian.Paragraph
	// Scripts holds the other members of the control archive by name, as
	// text: maintainer scripts, md5sums, conffiles.
	Scripts map[string]string
	// Tree holds all entries. Files have their digest; a hard link is a file
	// with the digest of its target. The Content of a file that was kept
	// opens from the cache, that of any other returns a *NotKeptError.
	Tree filetree.Tree
	// Objects holds the ELF files, by path.
	Objects map[string]elf.Object
	// Malformed holds the files that start as ELF files and do not hold
	// together, by path, with what is wrong.
	Malformed map[string]string
}

// Options configure a Store.
type Options struct {
	// Jobs is how many packages are read at the same time, and how many
	// blocks of one that is read alone; 0 means GOMAXPROCS.
	Jobs int
	// Memory is how many bytes may be spent on decoding blocks of one package
	// in parallel, over all packages; 0 means 128 MiB. Beside it every job
	// takes some MiB and the dictionary of its package.
	Memory int64
	// Log is told what is learnt, at debug level; nil discards.
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

// Store reads packages that are in a cache. It is safe for use by several
// goroutines.
type Store struct {
	cache   *cache.Cache
	options Options
	budget  *decompress.Budget
}

// New returns a Store over c, which must hold a package before it is read.
func New(c *cache.Cache, o Options) *Store {
	o = o.complete()
	return &Store{cache: c, options: o, budget: decompress.NewBudget(o.Memory)}
}

// Keep says which files the caller wants to open later, by path, mode, time
// and size; there may be no digest yet. It must give the same answer every
// time. A nil Keep wants none.
type Keep func(filetree.Entry) bool

// Read returns what is in the .deb with the given SHA-256 digest (lower-case
// hex). A package that is neither known nor in the cache gives an error that
// wraps fs.ErrNotExist; one that keep wants privileged files of, a
// *PrivilegeError. When all is known and kept the package is not opened, nor
// need it be there any more.
func (s *Store) Read(ctx context.Context, sha256 string, keep Keep) (*Contents, error) {
	c, err := s.read(ctx, sha256, keep)
	if err != nil {
		return nil, fmt.Errorf("reading package sha256:%s: %w", sha256, err)
	}
	return c, nil
}

func (s *Store) read(ctx context.Context, sha256 string, keep Keep) (*Contents, error) {
	if keep == nil {
		keep = func(filetree.Entry) bool { return false }
	}
	f, ok := s.recall(sha256)
	if !ok {
		var err error
		if f, err = s.learn(ctx, sha256, keep); err != nil {
			return nil, err
		}
	}
	kept, err := choose(f, keep)
	if err != nil {
		return nil, err
	}
	if missing := s.missing(f, kept); len(missing) > 0 {
		if err := s.extract(ctx, sha256, f, missing); err != nil {
			return nil, err
		}
	}
	return s.contents(f, kept)
}

// recall returns the facts that are known about a package.
func (s *Store) recall(sha256 string) (*facts, bool) {
	record, ok := s.cache.Record(recordKind, sha256)
	if !ok {
		return nil, false
	}
	f, err := decode(record)
	return f, err == nil
}

// choose returns, by index, which entries keep wants.
func choose(f *facts, keep Keep) ([]bool, error) {
	kept := make([]bool, len(f.entries))
	for i, e := range f.entries {
		if e.Kind != filetree.File {
			continue
		}
		if kept[i] = keep(e); kept[i] && privileged(e) {
			return nil, &PrivilegeError{Path: e.Path}
		}
	}
	return kept, nil
}

func privileged(e filetree.Entry) bool { return e.Mode&(fs.ModeSetuid|fs.ModeSetgid) != 0 }

// missing returns the digests of kept files that the cache lacks.
func (s *Store) missing(f *facts, kept []bool) map[string]bool {
	missing := map[string]bool{}
	for i, e := range f.entries {
		if !kept[i] {
			continue
		}
		if size, ok := s.cache.Has(e.SHA256); !ok || size != e.Size {
			missing[e.SHA256] = true
		}
	}
	return missing
}

// contents gives every file its origin and content.
func (s *Store) contents(f *facts, kept []bool) (*Contents, error) {
	pkg := f.control.Get("Package")
	for i := range f.entries {
		e := &f.entries[i]
		e.Origin = filetree.Origin{Package: pkg, Path: e.Path}
		switch {
		case e.Kind != filetree.File:
		case kept[i]:
			e.Content = s.cache.Content(e.SHA256, e.Size)
		default:
			e.Content = notKept{pkg, e.Path}
		}
	}
	tree, err := filetree.New(f.entries)
	if err != nil {
		return nil, err
	}
	return &Contents{Control: f.control, Scripts: f.scripts, Tree: tree, Objects: f.objects, Malformed: f.malformed}, nil
}

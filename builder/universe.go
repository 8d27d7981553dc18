package builder

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/base"
	"github.com/pgext/pgext/internal/closure"
	"github.com/pgext/pgext/internal/debinfo"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/recipe"
)

// universe is what packages of one architecture of a target are chosen from:
// its archives, and the base that has some of them already.
type universe struct {
	*Builder
	arch   string
	opened []*archive.Opened
	index  *apt.Index
	base   base.Base
}

// open verifies the archives of a target and computes or reads its base.
func (b *Builder) open(ctx context.Context, r *recipe.Recipe, t recipe.Target, arch string) (universe, error) {
	archives, err := b.archivesOf(r, t, arch)
	if err != nil {
		return universe{}, err
	}
	u := universe{Builder: b, arch: arch, opened: make([]*archive.Opened, len(archives))}
	keys := make([]string, len(archives))
	if err := each(len(archives), len(archives), func(i int) (err error) {
		keys[i] = openKey(archives[i], t.Archs)
		u.opened[i], err = b.archives.get(keys[i], func() (*archive.Opened, error) {
			return archive.Open(ctx, archives[i], t.Archs, b.archiveOptions())
		})
		return err
	}); err != nil {
		return universe{}, err
	}
	key := strings.Join(keys, "\n") + "\n" + arch
	if u.index, err = b.indexes.get(key, func() (*apt.Index, error) {
		return apt.Load(ctx, b.o.Cache, indexFiles(u.opened), arch)
	}); err != nil {
		return universe{}, err
	}
	if o, ok := operandOf(t.BaseFor(arch), filepath.Dir(r.Path), arch, t.Postgres); ok {
		u.base, err = b.operandBase(ctx, o)
		return u, err
	}
	u.base, err = b.bases.get(fmt.Sprintf("%s\n%d", key, t.Postgres), func() (base.Base, error) {
		return base.MinimalProfile(u.index, t.Postgres)
	})
	return u, err
}

// openKey identifies an archive as it would be opened.
func openKey(a archive.Archive, archs []string) string {
	key, err := json.Marshal(struct {
		Archive archive.Archive
		Archs   []string
	}{a, archs})
	if err != nil {
		panic(fmt.Sprintf("encoding an archive: %v", err))
	}
	return string(key)
}

func indexFiles(opened []*archive.Opened) []apt.File {
	var files []apt.File
	for _, o := range opened {
		for _, p := range o.Packages {
			files = append(files, apt.File(p))
		}
	}
	return files
}

// fetchable are the packages of the base that can be had from the archives.
// What an operand image has installed may be older than what they have now.
func (u universe) fetchable() []apt.Package {
	if !u.base.Known() {
		return u.base.Packages
	}
	var out []apt.Package
	for _, p := range u.base.Packages {
		if candidate, ok := u.index.Candidate(p.Name); ok {
			out = append(out, candidate)
		}
	}
	return out
}

// fetchPackages fetches packages of the archives. It returns their SHA-256
// digests, by index.
func (u universe) fetchPackages(ctx context.Context, packages []apt.Package) ([]string, error) {
	blobs := make([]fetch.Blob, len(packages))
	for i, p := range packages {
		blobs[i] = fetch.Blob{Name: p.Name, SHA256: p.SHA256, SHA512: p.SHA512, Size: p.Size}
		for _, o := range u.opened {
			if o.Archive.Name == p.Archive {
				blobs[i].URLs = archive.URLs(o.Archive, []archive.Mirror{o.Mirror}, p.Filename, o.Releases[0].Date)
			}
		}
	}
	return u.o.Fetcher.Blobs(ctx, blobs)
}

// scan reads the contents of packages that may give a library.
func (u universe) scan(ctx context.Context, packages []apt.Package) ([]*debinfo.Info, error) {
	requests := make([]debinfo.Request, len(packages))
	digests, err := u.fetchPackages(ctx, packages)
	if err != nil {
		return nil, err
	}
	for i, p := range packages {
		requests[i] = debinfo.Request{Name: p.Name, SHA256: digests[i]}
		if _, ofBase := u.base.Package(p.Name); !ofBase {
			requests[i].Keep = closure.Keep
		}
	}
	return u.contents.ScanAll(ctx, requests)
}

package session

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

// Sources are the packages that one architecture of a target is resolved from:
// the archives, and the base, which already has some of them.
type Sources struct {
	session *Session
	Arch    string
	Opened  []*archive.Opened
	Index   *apt.Index
	Base    base.Base
}

// Sources verifies the archives of a target and computes or reads its base.
func (s *Session) Sources(ctx context.Context, r *recipe.Recipe, t recipe.Target, arch string) (Sources, error) {
	archives, err := s.archivesOf(r, t, arch)
	if err != nil {
		return Sources{}, err
	}
	u := Sources{session: s, Arch: arch, Opened: make([]*archive.Opened, len(archives))}
	keys := make([]string, len(archives))
	if err := Parallel(len(archives), len(archives), func(i int) (err error) {
		keys[i] = openKey(archives[i], t.Archs)
		u.Opened[i], err = s.archives.get(keys[i], func() (*archive.Opened, error) {
			return archive.Open(ctx, archives[i], t.Archs, s.ArchiveOptions())
		})
		return err
	}); err != nil {
		return Sources{}, err
	}
	key := strings.Join(keys, "\n") + "\n" + arch
	if u.Index, err = s.indexes.get(key, func() (*apt.Index, error) {
		return apt.Load(ctx, s.Cache, indexFiles(u.Opened), arch)
	}); err != nil {
		return Sources{}, err
	}
	if o, ok := OperandOf(t.BaseFor(arch), filepath.Dir(r.Path), arch, t.Postgres); ok {
		u.Base, err = s.OperandBase(ctx, o)
		return u, err
	}
	u.Base, err = s.bases.get(fmt.Sprintf("%s\n%d", key, t.Postgres), func() (base.Base, error) {
		return base.MinimalProfile(u.Index, t.Postgres)
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

// FetchableBase returns the packages of the base that the archives have. An
// operand image may have older versions installed.
func (u Sources) FetchableBase() []apt.Package {
	if !u.Base.Known() {
		return u.Base.Packages
	}
	var out []apt.Package
	for _, p := range u.Base.Packages {
		if candidate, ok := u.Index.Candidate(p.Name); ok {
			out = append(out, candidate)
		}
	}
	return out
}

// Fetch fetches packages of the archives into the cache. It returns their
// SHA-256 digests, by index.
func (u Sources) Fetch(ctx context.Context, packages []apt.Package) ([]string, error) {
	blobs := make([]fetch.Blob, len(packages))
	for i, p := range packages {
		blobs[i] = fetch.Blob{Name: p.Name, SHA256: p.SHA256, SHA512: p.SHA512, Size: p.Size}
		for _, o := range u.Opened {
			if o.Archive.Name == p.Archive {
				blobs[i].URLs = archive.URLs(o.Archive, []archive.Mirror{o.Mirror}, p.Filename, o.Releases[0].Date)
			}
		}
	}
	return u.session.Fetcher.Blobs(ctx, blobs)
}

// Scan fetches packages that may supply a library and returns their contents.
// Of packages outside the base it keeps the files that closure may bundle.
func (u Sources) Scan(ctx context.Context, packages []apt.Package) ([]*debinfo.Info, error) {
	requests := make([]debinfo.Request, len(packages))
	digests, err := u.Fetch(ctx, packages)
	if err != nil {
		return nil, err
	}
	for i, p := range packages {
		requests[i] = debinfo.Request{Name: p.Name, SHA256: digests[i]}
		if _, ofBase := u.Base.Package(p.Name); !ofBase {
			requests[i].Keep = closure.Keep
		}
	}
	return u.session.Debs.ScanAll(ctx, requests)
}

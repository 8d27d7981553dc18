package builder

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/debinfo"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/recipe"
)

// FileError is the error for a package file of a recipe.
type FileError struct {
	// File is its URL or path, without credentials.
	File, Problem string
}

func (e *FileError) Error() string { return fmt.Sprintf("source.deb.files: %s: %s", e.File, e.Problem) }

// Hint describes the filters of entries.
func (*FileError) Hint() string {
	return "set distro, postgres and arch of the entry to select the targets of the file"
}

// ExitCode returns 10: the recipe is wrong.
func (*FileError) ExitCode() int { return 10 }

// vendorFiles fetches the package files of the target and reads their control
// paragraphs.
func (s *Resolution) vendorFiles(ctx context.Context) ([]apt.Package, error) {
	files := s.Target.DebFiles(s.Sources.Arch)
	if len(files)+len(s.Target.Packages(s.Sources.Arch)) == 0 {
		return nil, &FileError{s.Recipe.Path, "none of them is for " + s.Target.String() + "/" + s.Sources.Arch}
	}
	blobs := make([]fetch.Blob, len(files))
	requests := make([]debinfo.Request, len(files))
	for i, f := range files {
		var err error
		if blobs[i], err = fileBlob(s.Recipe, f); err != nil {
			return nil, err
		}
		requests[i] = debinfo.Request{Name: blobs[i].Name, SHA256: blobs[i].SHA256}
	}
	if _, err := s.b.s.Fetcher.Blobs(ctx, blobs); err != nil {
		return nil, err
	}
	all, err := s.b.s.Debs.ScanAll(ctx, requests)
	if err != nil {
		return nil, fmt.Errorf("reading source.deb.files: %w", err)
	}
	out := make([]apt.Package, len(files))
	for i, c := range all {
		size, _ := s.b.s.Cache.Has(blobs[i].SHA256)
		p := apt.FromControl(c.Control)
		p.Size, p.SHA256 = size, blobs[i].SHA256
		switch {
		case p.Name == "" || p.Version == "":
			return nil, &FileError{blobs[i].Name, "its control paragraph has no Package or no Version"}
		case p.Arch != s.Sources.Arch && p.Arch != "all":
			return nil, &FileError{blobs[i].Name, fmt.Sprintf("is a package for %s, not for %s", p.Arch, s.Sources.Arch)}
		}
		out[i] = p
	}
	return out, nil
}

// fileBlob returns the location of a package file. A path is relative to the recipe.
func fileBlob(r *recipe.Recipe, f recipe.DebFile) (fetch.Blob, error) {
	b := fetch.Blob{SHA256: f.SHA256, Size: -1, URLs: []string{f.URL}}
	if f.Path == "" {
		address, _, _ := strings.Cut(f.URL, "?") // a query may be a token
		b.Name = path.Base(address)
		return b, nil
	}
	file, err := filepath.Abs(filepath.Join(filepath.Dir(r.Path), filepath.FromSlash(f.Path)))
	if err != nil {
		return fetch.Blob{}, err
	}
	b.Name, b.URLs = f.Path, []string{(&url.URL{Scheme: "file", Path: filepath.ToSlash(file)}).String()}
	return b, nil
}

// fileWith returns the package file of the target with this digest, for a pin
// without an archive.
func fileWith(r *recipe.Recipe, t recipe.Target, arch, sha256 string) (fetch.Blob, error) {
	files := t.DebFiles(arch)
	i := slices.IndexFunc(files, func(f recipe.DebFile) bool { return f.SHA256 == sha256 })
	if i < 0 {
		return fetch.Blob{}, fmt.Errorf("%s: source.deb.files has none with SHA-256 %s, which the lock names", r.Path, sha256)
	}
	return fileBlob(r, files[i])
}

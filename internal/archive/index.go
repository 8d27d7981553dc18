package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/decompress"
	"github.com/pgext/pgext/internal/fetch"
)

// extensions of the forms of an index that can be read.
var extensions = []string{"", decompress.Gzip.Extension(), decompress.XZ.Extension(), decompress.Zstd.Extension()}

// PackagesFile is a verified index of binary packages.
type PackagesFile struct {
	// Archive is the archive's name; Suite the folder below dists.
	Archive, Suite string
	// Component and Arch; Arch is "all" for the index that some archives keep
	// for packages of no architecture.
	Component, Arch string
	// SHA256 of the file as downloaded, lower-case hex.
	SHA256 string
	// NotAutomatic is that field of the Release: the suite (experimental) is
	// no distribution of its own.
	NotAutomatic bool
	// Format of the file as downloaded: none, gzip, xz or zstd.
	Format string
	// Open returns the decompressed content, at most 8 GiB.
	Open func() (io.ReadCloser, error)
}

// wanted is an index to be fetched.
type wanted struct {
	suite           *suite
	component, arch string
}

// name is the name in the Release, without the extension of a form.
func (w wanted) name() string { return w.component + "/binary-" + w.arch + "/Packages" }

// packages fetches the indexes of some architectures in all suites.
func (op *opening) packages(ctx context.Context, suites []suite, archs []string) ([]PackagesFile, error) {
	var list []wanted
	for i := range suites {
		for _, component := range op.archive.Components {
			some, err := op.wanted(&suites[i], component, archs)
			if err != nil {
				return nil, err
			}
			list = append(list, some...)
		}
	}
	return each(list, func(w wanted) (PackagesFile, error) { return op.index(ctx, w) })
}

// wanted returns the indexes of one component. Optional suites may lack it.
func (op *opening) wanted(s *suite, component string, archs []string) ([]wanted, error) {
	var list []wanted
	for _, arch := range archs {
		w := wanted{s, component, arch}
		if len(s.parsed.forms(w.name())) > 0 {
			list = append(list, w)
		} else if !op.archive.optional(s.Suite) {
			return nil, &UnknownIndexError{URL: s.url, Component: component, Arch: arch, Archs: s.parsed.archs(component)}
		}
	}
	all := wanted{s, component, "all"}
	if s.parsed.separateAll && !slices.Contains(archs, "all") && len(s.parsed.forms(all.name())) > 0 {
		list = append(list, all)
	}
	return list, nil
}

// form is one of the files that hold an index.
type form struct {
	name string
	index
}

// forms returns the files that hold the index of that name: compressed ones
// by size, and last the plain one, which mirrors often list but do not have.
func (r release) forms(name string) []form {
	var list []form
	for _, ext := range extensions {
		if ix, ok := r.indexes[name+ext]; ok {
			list = append(list, form{name + ext, ix})
		}
	}
	plain := func(f form) int {
		if f.name == name {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(list, func(a, b form) int {
		return cmp.Or(cmp.Compare(plain(a), plain(b)), cmp.Compare(a.size, b.size))
	})
	return list
}

// archs returns the architectures that a component has indexes for.
func (r release) archs(component string) []string {
	found := make(map[string]bool)
	for name := range r.indexes {
		if rest, ok := strings.CutPrefix(name, component+"/binary-"); ok {
			found[path.Dir(rest)] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// index fetches the smallest form of an index that the mirror has.
func (op *opening) index(ctx context.Context, w wanted) (PackagesFile, error) {
	var last error
	for _, f := range w.suite.parsed.forms(w.name()) {
		format, err := decompress.ByExtension(f.name)
		if err != nil {
			return PackagesFile{}, err
		}
		digest, err := op.Fetcher.Blob(ctx, w.suite.blob(f))
		if err == nil {
			return op.packagesFile(w, digest, format), nil
		}
		last = trust(err, w.suite.url)
		if !isNotFound(err) {
			break
		}
	}
	return PackagesFile{}, last
}

func (op *opening) packagesFile(w wanted, digest string, format decompress.Format) PackagesFile {
	return PackagesFile{
		Archive: op.archive.Name, Suite: w.suite.Suite, Component: w.component, Arch: w.arch,
		SHA256: digest, NotAutomatic: w.suite.parsed.notAutomatic, Format: format.String(),
		Open: func() (io.ReadCloser, error) { return openIndex(op.Store, digest, format) },
	}
}

// trust turns a digest or size that differs into a TrustError.
func trust(err error, release string) error {
	var mismatch *fetch.MismatchError
	if errors.As(err, &mismatch) {
		return &TrustError{Reason: Mismatch, URL: release, Text: "an index is not the one it names", Err: err}
	}
	return err
}

// blob describes a form to the Fetcher, to be had by its strongest digest
// first: a mirror in the middle of an update has both the old and the new.
func (s *suite) blob(f form) fetch.Blob {
	folder := "dists/" + s.Suite + "/"
	var urls []string
	if s.parsed.byHash {
		for _, d := range []struct{ field, digest string }{{"SHA512", f.sha512}, {"SHA256", f.sha256}} {
			if d.digest != "" {
				urls = append(urls, s.root.join(folder+path.Dir(f.name)+"/by-hash/"+d.field+"/"+d.digest))
			}
		}
	}
	urls = append(urls, s.root.join(folder+f.name))
	return fetch.Blob{
		Name: fmt.Sprintf("%s/%s/%s", s.Archive, s.Suite, f.name), URLs: urls,
		SHA256: f.sha256, SHA512: f.sha512, Size: f.size,
	}
}

// openIndex returns the decompressed content of a fetched index.
func openIndex(store Store, digest string, format decompress.Format) (io.ReadCloser, error) {
	file, err := store.Open(digest)
	if err != nil {
		return nil, fmt.Errorf("opening an index: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening an index: %w", err), file.Close())
	}
	content, err := decompress.NewReaderAt(file, info.Size(), format, decompress.Options{})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening an index: %w", err), file.Close())
	}
	return &indexReader{ReadCloser: content, file: file}, nil
}

// indexReader closes the file below a decompressor too.
type indexReader struct {
	io.ReadCloser
	file io.Closer
}

// Close implements io.Closer.
func (r *indexReader) Close() error { return errors.Join(r.ReadCloser.Close(), r.file.Close()) }

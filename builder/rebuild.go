package builder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/session"
)

// Rebuilt is the result of a build from the provenance of an index.
type Rebuilt struct {
	// Index is the index of all architectures; Digest is its digest.
	Index  v1.ImageIndex
	Digest string
	// Images are in the order of the index.
	Images []RebuiltImage
}

// RebuiltImage is the image of one architecture.
type RebuiltImage struct {
	// Arch is a Debian architecture.
	Arch  string
	Image v1.Image
	// Digest is the digest of the rebuilt manifest, Claimed that in the provenance.
	Digest, Claimed string
}

// Same reports whether every manifest has the digest of its provenance.
func (r Rebuilt) Same() bool {
	for _, i := range r.Images {
		if i.Digest != i.Claimed {
			return false
		}
	}
	return true
}

// RebuildError is the error for a provenance that cannot be rebuilt here.
type RebuildError struct {
	// Text is the reason.
	Text string
	// Err is the cause; it may be nil.
	Err  error
	hint string
}

func (e *RebuildError) Error() string {
	if e.Err != nil {
		return "rebuilding: " + e.Text + ": " + e.Err.Error()
	}
	return "rebuilding: " + e.Text
}

// Unwrap returns the cause.
func (e *RebuildError) Unwrap() error { return e.Err }

// Hint returns the next step.
func (e *RebuildError) Hint() string { return e.hint }

// ExitCode returns 12: an input of the build is not available.
func (*RebuildError) ExitCode() int { return 12 }

// DisagreeError is the error for statements about the architectures of one index
// whose images cannot be in one index.
type DisagreeError struct{ Err error }

func (e *DisagreeError) Error() string { return "rebuilding: " + e.Err.Error() }

// ExitCode returns 13: at least one statement is wrong.
func (*DisagreeError) ExitCode() int { return 13 }

// Hint describes the consequence.
func (*DisagreeError) Hint() string {
	return "do not use an image whose provenance does not lead to it"
}

// Rebuild builds the architectures of an index from their provenance. Recipe, lock
// and options come from the statements and override the options of the Builder.
// Nothing is resolved; archives are used only for packages that the cache lacks.
// beside is the folder with the files that the recipe names by path, "" for none.
// The statements, at least one, are about one target; they come from New or Parse of
// package provenance.
func (b *Builder) Rebuild(ctx context.Context, statements []provenance.Statement, beside string) (Rebuilt, error) {
	parts := make([]archImage, len(statements))
	made := make([]rebuild, len(statements))
	for i, s := range statements {
		var err error
		if made[i], err = b.newRebuild(s, beside); err != nil {
			return Rebuilt{}, err
		}
		if made[i].target.String() != made[0].target.String() {
			return Rebuilt{}, &DisagreeError{fmt.Errorf("one statement is about %s, another about %s", made[0].target, made[i].target)}
		}
	}
	if err := session.Parallel(b.s.Jobs, len(made), func(i int) (err error) {
		parts[i], err = made[i].build(ctx)
		return err
	}); err != nil {
		return Rebuilt{}, err
	}
	joined, err := made[0].b.join(parts)
	if err != nil {
		return Rebuilt{}, &DisagreeError{err}
	}
	digest, err := joined.index.Digest()
	if err != nil {
		return Rebuilt{}, err
	}
	out := Rebuilt{Index: joined.index, Digest: digest.String()}
	for i, s := range statements {
		p := parts[i]
		got, err := p.image.Digest()
		if err != nil {
			return Rebuilt{}, err
		}
		out.Images = append(out.Images, RebuiltImage{Arch: p.pins.Arch, Image: p.image, Digest: got.String(), Claimed: s.Digests()[0]})
	}
	return out, nil
}

// rebuild is a statement and a Builder with its options.
type rebuild struct {
	b *Builder
	inputs
}

// newRebuild checks whether a statement can be rebuilt here.
func (b *Builder) newRebuild(s provenance.Statement, beside string) (rebuild, error) {
	d := s.Predicate.BuildDefinition
	e := d.ExternalParameters
	if got := d.InternalParameters.Output; got != image.OutputVersion {
		return rebuild{}, &RebuildError{
			Text: fmt.Sprintf("it was built with output version %d, and this pgext writes version %d", got, image.OutputVersion),
			hint: "use the pgext that runDetails.builder.version of the provenance names",
		}
	}
	r, err := recipe.Parse(filepath.Join(beside, recipe.FileName), []byte(e.Recipe))
	if err != nil {
		return rebuild{}, fmt.Errorf("rebuilding: %w", err)
	}
	targets, err := r.Select(recipe.Selection{Distros: []string{e.Distro}, Postgres: []int{e.Postgres}, Archs: []string{e.Arch}})
	if err != nil {
		return rebuild{}, fmt.Errorf("rebuilding: %w", err)
	}
	pins, err := e.Pins()
	if err != nil {
		return rebuild{}, fmt.Errorf("rebuilding: %w", err)
	}
	out := rebuild{New(session.New(b.optionsOf(e))), inputs{r, targets[0], pins}}
	return out, out.check(beside)
}

// optionsOf returns the options of the Builder, overridden by those of a statement.
func (b *Builder) optionsOf(e provenance.External) session.Options {
	o := b.s.Options
	o.Archives, o.Annotations, o.Revision = nil, e.Annotations, e.Revision
	o.Compression, o.Epoch = image.Compression(e.Compression), nil
	if e.SourceDateEpoch != nil {
		at := time.Unix(*e.SourceDateEpoch, 0).UTC()
		o.Epoch = &at
	}
	return o
}

// check returns an error for inputs that are neither in the statement nor
// available elsewhere.
func (r rebuild) check(beside string) error {
	arch := r.pins.Arch
	if r.pins.Recipe != recipe.ResolutionChecksum(r.target, arch) {
		return &RebuildError{
			Text: "the lock in the provenance is not of the recipe in it",
			hint: "one of them was changed after the build, or this pgext reads recipes otherwise than the one that built",
		}
	}
	switch {
	case r.target.Source.PGXS != nil:
		return &UnsupportedError{r.recipe.Path, "source.pgxs"}
	case len(r.target.Source.Tree) > 0:
		return &RebuildError{
			Text: "source.tree is a folder that another build has staged, and no part of the provenance",
			hint: "stage the folder again and build the recipe",
		}
	}
	for _, p := range r.pins.Packages {
		size, cached := r.b.s.Cache.Has(p.SHA256)
		if p.Archive != "" || cached && size == p.Size {
			continue
		}
		for _, f := range r.target.DebFiles(arch) {
			if f.SHA256 != p.SHA256 || f.Path == "" {
				continue
			}
			file := filepath.Join(beside, filepath.FromSlash(f.Path))
			if _, err := os.Stat(file); beside == "" || err != nil {
				return &RebuildError{
					Text: fmt.Sprintf("%s: %s is a file beside the recipe, and no part of the provenance", p.Package, f.Path),
					hint: "name a folder that stands for the recipe's and has the file; its SHA-256 is " + f.SHA256,
				}
			}
		}
	}
	return nil
}

func (r rebuild) build(ctx context.Context) (archImage, error) {
	p, err := r.b.buildArchitecture(ctx, r.recipe, r.target, Architecture{Pins: r.pins})
	var gone *fetch.NotFoundError
	var untrue *ContradictionError
	switch {
	case errors.As(err, &untrue):
		return archImage{}, fmt.Errorf("rebuilding %s/%s: %w", r.target, r.pins.Arch, &ContradictionError{Pinned: untrue.Pinned, Is: untrue.Is})
	case errors.As(err, &gone):
		return archImage{}, &RebuildError{
			Text: fmt.Sprintf("%s/%s: a package that it was built from is to be found nowhere", r.target, r.pins.Arch), Err: gone,
			hint: "a mirror or a cache that still has it: --mirror NAME=URL, --cache-dir",
		}
	case err != nil:
		return archImage{}, fmt.Errorf("rebuilding %s/%s: %w", r.target, r.pins.Arch, err)
	}
	return p, nil
}

package builder

import (
	"cmp"
	"fmt"
	"time"

	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/redact"
	"github.com/pgext/pgext/internal/session"
	"github.com/pgext/pgext/layout"
)

// provenance returns the provenance of the image with this tag. It depends only on
// recipe, pins, options and program, not on mirrors or other targets.
func (b *Builder) provenance(in archImage, tag string) (provenance.Statement, error) {
	fail := func(err error) (provenance.Statement, error) {
		return provenance.Statement{}, fmt.Errorf("writing the provenance of %s: %w", in.description.Metadata.Image, err)
	}
	digest, err := in.image.Digest()
	if err != nil {
		return fail(err)
	}
	controls := in.controls()
	s, err := provenance.New(provenance.Input{
		Digest: digest.String(), Recipe: in.recipe.Text, Pins: in.pins, Compression: string(cmp.Or(b.s.Compression, image.Gzip)),
		Epoch: b.s.Epoch, Revision: b.s.Revision, Annotations: b.s.Annotations, Files: in.target.DebFiles(in.pins.Arch),
		Internal: provenance.Internal{
			Output: image.OutputVersion, Image: in.recipe.Image, Version: in.description.Metadata.Version, Tag: tag,
			Created: in.epoch, Rewrites: rewrites(in.layout.Report),
		},
		Locate:  in.officially,
		PURL:    func(pin lock.Package) string { return in.billed(pin, controls[pin.Package]).PURL() },
		Program: b.s.Maker,
	})
	if err != nil {
		return fail(err)
	}
	return s, nil
}

// rewrites are the files of the image that differ from those of the packages.
func rewrites(r layout.Report) []provenance.Rewrite {
	var out []provenance.Rewrite
	for _, p := range r.Packages {
		for _, f := range p.Files {
			if f.Changed() {
				out = append(out, provenance.Rewrite{Path: f.To, Package: p.Package, From: f.Path, Change: f.Reason})
			}
		}
	}
	return out
}

// officially returns the URL of a file of a pinned archive: below its official root,
// or in the snapshot that the recipe names; "" if the archive is not on a web server.
// Flags that name archives are ignored, because the pins do not record them.
func (in inputs) officially(name, path string) (string, error) {
	wanted := recipe.Archive{Name: name}
	for _, a := range in.target.ArchivesFor(in.pins.Arch) {
		if a.Name == name {
			wanted = a
		}
	}
	a, err := session.WithoutKeyring(wanted, in.target.Distro)
	if err != nil {
		return "", err
	}
	return redact.Public(archive.URLs(a, nil, path, time.Time{})[0]), nil
}

package builder

import (
	"time"

	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/layout"
)

// Built is what the pins of one architecture came to.
type Built struct {
	// Digest is the manifest's, "sha256:" and hex.
	Digest string
	// Version and the tag that moves are those of the index.
	Version, Tag string
	// Created is the manifest's time.
	Created time.Time
	Report  layout.Report
}

// Provenance says how one architecture of a target was built. It depends on
// recipe, pins, options and program alone: not on mirrors, nor on what else is
// built or locked.
func (b *Builder) Provenance(r *recipe.Recipe, t recipe.Target, pins lock.Target, built Built) (provenance.Statement, error) {
	compression := b.o.Compression
	if compression == "" {
		compression = image.Gzip
	}
	return provenance.New(provenance.Input{
		Digest: built.Digest, Recipe: r.Text, Pins: pins, Compression: string(compression),
		Epoch: b.o.Epoch, Revision: b.o.Revision, Annotations: b.o.Annotations, Files: t.DebFiles(pins.Arch),
		Internal: provenance.Internal{
			Output: image.OutputVersion, Image: r.Image, Version: built.Version, Tag: built.Tag,
			Created: built.Created, Rewrites: rewrites(built.Report),
		},
		Locate:  func(name, path string) (string, error) { return officially(t, pins, name, path) },
		Program: b.o.Maker,
	})
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

// officially returns where an archive that the pins name has a file: at its
// official root, or in the dated copy that the recipe reads.
func officially(t recipe.Target, pins lock.Target, name, path string) (string, error) {
	wanted := recipe.Archive{Name: name}
	for _, a := range t.ArchivesFor(pins.Arch) {
		if a.Name == name {
			wanted = a
		}
	}
	a, err := location(wanted, t.Distro)
	if err != nil {
		return "", err
	}
	return archive.URLs(a, nil, path, time.Time{})[0], nil
}

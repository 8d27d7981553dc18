package builder

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/license"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/redact"
	"github.com/pgext/pgext/layout"
	"github.com/pgext/pgext/sbom"
)

// bill returns the SBOM of the image with this tag: every package of the lock, every
// file and link of the layers with its owner. It depends only on recipe, lock and
// blobs.
func (b *Builder) bill(ctx context.Context, in archImage, tag string) (sbom.Document, error) {
	fail := func(err error) (sbom.Document, error) {
		return sbom.Document{}, fmt.Errorf("listing what %s is made of: %w", in.description.Metadata.Image, err)
	}
	d := sbom.Document{OutputVersion: image.OutputVersion}
	var err error
	if d.Image, err = in.billedImage(tag); err != nil {
		return fail(err)
	}
	if d.Packages, err = b.billPackages(in); err != nil {
		return fail(err)
	}
	l := newLister(in)
	for _, layer := range []filetree.Tree{in.layout.Libraries, in.layout.Extension} {
		sums, err := sbom.SHA1(ctx, layer, sbom.SHA1Options{Cache: b.s.Cache, Jobs: b.s.Jobs, Log: b.s.Log})
		if err != nil {
			return fail(err)
		}
		l.add(&d, layer, sums)
	}
	return d, nil
}

// billedImage returns the entry of the image itself.
func (in archImage) billedImage(tag string) (sbom.Image, error) {
	digest, err := in.image.Digest()
	if err != nil {
		return sbom.Image{}, err
	}
	m, words := in.description.Metadata, in.description.Annotations(in.epoch)
	platform, _ := debian.LookupArchitecture(in.pins.Arch)
	return sbom.Image{
		Name: m.Image, Version: m.Version, Tag: tag,
		Arch: cmp.Or(platform.OCI, in.pins.Arch), Digest: digest.String(), Created: in.epoch,
		License: in.recipe.Licenses, Summary: words["org.opencontainers.image.description"], Homepage: words["org.opencontainers.image.url"],
	}, nil
}

// billPackages returns the packages of the lock.
func (b *Builder) billPackages(in archImage) ([]sbom.Package, error) {
	controls := in.controls()
	stated := in.layout.Statements()
	out := make([]sbom.Package, len(in.pins.Packages))
	for i, pin := range in.pins.Packages {
		p := in.billed(pin, controls[pin.Package])
		l, ok := stated[pin.Package]
		switch {
		case ok:
			p.License = license.Stated(cmp.Or(pin.Source, pin.Package), l.Text, l.License)
			p.Copyright = strings.Join(l.Notices, "\n")
		case pin.Role == lock.Extension && in.recipe.Licenses != "":
			p.License.Expression = in.recipe.Licenses
		default:
			p.License = license.Unstated(pin.Package)
		}
		var err error
		if p.DownloadLocation, err = in.location(pin); err != nil {
			return nil, err
		}
		out[i] = p
	}
	return out, nil
}

// distribution returns the qualifier distro of package URLs.
func distribution(codename string) string {
	if id := layout.VersionID(codename); id != "" {
		return "debian-" + id
	}
	return "debian"
}

// controls returns the control paragraphs of the packages by name.
func (in archImage) controls() map[string]debian.Paragraph {
	out := map[string]debian.Paragraph{}
	for _, p := range in.packages {
		out[p.Name] = p.Control
	}
	return out
}

// billed returns the SBOM package of a pin and its control paragraph.
func (in inputs) billed(pin lock.Package, control debian.Paragraph) sbom.Package {
	synopsis, _, _ := strings.Cut(control.Get("Description"), "\n")
	p := sbom.Package{
		Name: pin.Package, Version: pin.Version, Arch: pin.Arch, Distro: distribution(in.pins.Distro),
		Supplier: control.Get("Maintainer"), Homepage: control.Get("Homepage"), Summary: synopsis, SHA256: pin.SHA256,
	}
	p.Source, p.SourceVersion = debian.SplitSource(control.Get("Source"), "", "")
	return p
}

// location returns the official URL of a package, regardless of the mirror used; ""
// for a local file of the recipe.
func (in inputs) location(pin lock.Package) (string, error) {
	if pin.Archive != "" {
		return in.officially(pin.Archive, pin.Path)
	}
	for _, f := range in.target.DebFiles(in.pins.Arch) {
		if f.SHA256 == pin.SHA256 {
			return redact.Public(f.URL), nil
		}
	}
	return "", nil
}

// lister determines the owner of each file of an image.
type lister struct {
	// reports are the reports of rewritten files by their path in the image.
	reports map[string]layout.FileReport
	// trees are the file trees of the packages.
	trees map[string]filetree.Tree
}

func newLister(in archImage) lister {
	l := lister{reports: map[string]layout.FileReport{}, trees: map[string]filetree.Tree{}}
	for _, p := range in.layout.Report.Packages {
		for _, f := range p.Files {
			if f.Action == layout.Rewritten {
				l.reports[f.To] = f
			}
		}
	}
	for _, p := range in.packages {
		l.trees[p.Name] = p.Tree
	}
	return l
}

func (l lister) add(d *sbom.Document, layer filetree.Tree, sha1 map[string]string) {
	for e := range layer.All() {
		switch e.Kind {
		case filetree.File:
			f := sbom.File{Path: e.Path, SHA1: sha1[e.SHA256], SHA256: e.SHA256}
			l.own(&f, e)
			d.Files = append(d.Files, f)
		case filetree.Symlink:
			d.Links = append(d.Links, sbom.Link{Path: e.Path, Target: e.Link, Package: e.Origin.Package})
		}
	}
}

// own returns the owner of a file: the package that has these bytes, else the image.
func (l lister) own(f *sbom.File, e filetree.Entry) {
	source, ok := l.trees[e.Origin.Package].Get(e.Origin.Path)
	switch {
	case ok && source.SHA256 == e.SHA256:
		f.Package = e.Origin.Package
	case e.Origin.Package != "":
		f.From, f.Note = e.Origin.Package, "rewritten from "+e.Origin.Path
		if reason := l.reports[e.Path].Reason; reason != "" {
			f.Note += ": " + reason
		}
	default:
		f.From, f.Note = layout.DescribedBy(e.Path), "made by pgext for scanners"
	}
}

package provenance

import (
	"fmt"
	"slices"
	"strings"
	"time"

	packageurl "github.com/anchore/packageurl-go"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/redact"
)

// The values of the annotation kind, which classifies dependencies.
const (
	kindKey = "kind"

	KindBase     = "base"
	KindRelease  = "release"
	KindPackage  = "package"
	KindUpstream = "source"
)

// dependencies returns the resolved dependencies: the base, the archives, the
// packages and the upstream source.
func (in Input) dependencies() ([]Descriptor, error) {
	out := []Descriptor{baseDescriptor(in.Pins.Base)}
	for _, a := range in.Pins.Archives {
		d, err := in.release(a)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	for _, p := range in.Pins.Packages {
		d, err := in.deb(p)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	if u := in.Upstream; u != nil {
		out = append(out, Descriptor{
			URI: redact.Public(u.URL), Name: u.Path, Digest: map[string]string{"sha256": u.SHA256},
			Annotations: map[string]string{kindKey: KindUpstream},
		})
	}
	return out, nil
}

// baseDescriptor describes an operand image by its digest, and a profile by the
// digest of its package list.
func baseDescriptor(b lock.Base) Descriptor {
	d := Descriptor{
		Name: b.Name, Digest: digestSet(b.Checksum),
		Annotations: map[string]string{kindKey: KindBase, "postgres": b.Postgres},
	}
	if b.Image != "" {
		d.Digest, d.URI = digestSet(b.Image), imageURL(strings.TrimPrefix(b.Name, recipe.BaseImagePrefix), b.Image)
		d.Annotations["packages"] = b.Checksum
	}
	return d
}

// imageURL returns the package URL of an image in a registry; "" for an OCI layout.
func imageURL(reference, digest string) string {
	reference, _, _ = strings.Cut(reference, "@")
	ref, err := name.ParseReference(reference)
	if err != nil || strings.HasPrefix(reference, "oci:") {
		return ""
	}
	repository := ref.Context().Name()
	qualifiers := packageurl.Qualifiers{{Key: "repository_url", Value: repository}}
	if tag, ok := ref.(name.Tag); ok {
		qualifiers = append(qualifiers, packageurl.Qualifier{Key: "tag", Value: tag.TagStr()})
	}
	base := repository[strings.LastIndexByte(repository, '/')+1:]
	return packageurl.NewPackageURL(packageurl.TypeOCI, "", base, digest, qualifiers, "").ToString()
}

// release describes the signed Release file of a suite. The lock does not distinguish
// InRelease from Release with Release.gpg.
func (in Input) release(a lock.Archive) (Descriptor, error) {
	uri, err := in.Locate(a.Name, "dists/"+a.Suite+"/InRelease")
	if err != nil {
		return Descriptor{}, fmt.Errorf("archive %s: %w", a.Name, err)
	}
	d := Descriptor{
		Name: a.Name + " " + a.Suite, URI: uri, Digest: map[string]string{"sha256": a.InRelease},
		Annotations: map[string]string{
			kindKey: KindRelease, "date": a.Date.UTC().Format(time.RFC3339), "fingerprint": a.Fingerprint,
		},
	}
	if a.ExpiredAllowed {
		d.Annotations["expired"] = "allowed"
	}
	return d, nil
}

// deb describes a package.
func (in Input) deb(p lock.Package) (Descriptor, error) {
	d := Descriptor{
		Name: p.Package, URI: in.PURL(p),
		Digest:      map[string]string{"sha256": p.SHA256},
		Annotations: map[string]string{kindKey: KindPackage, "role": string(p.Role)},
	}
	if p.SHA512 != "" {
		d.Digest["sha512"] = p.SHA512
	}
	if p.Archive != "" {
		location, err := in.Locate(p.Archive, p.Path)
		d.DownloadLocation, d.Annotations["archive"] = location, p.Archive
		if err != nil {
			return Descriptor{}, fmt.Errorf("archive %s: %w", p.Archive, err)
		}
		return d, nil
	}
	i := slices.IndexFunc(in.Files, func(f recipe.DebFile) bool { return f.SHA256 == p.SHA256 })
	switch {
	case i < 0:
		return Descriptor{}, fmt.Errorf("package %s: the recipe names no file with SHA-256 %s", p.Package, p.SHA256)
	case in.Files[i].Path != "":
		d.Annotations["path"] = in.Files[i].Path
	default:
		d.DownloadLocation = redact.Public(in.Files[i].URL)
	}
	return d, nil
}

// digestSet converts "sha256:" and hex to a digest set.
func digestSet(digest string) map[string]string {
	algorithm, hex, _ := strings.Cut(digest, ":")
	return map[string]string{algorithm: hex}
}

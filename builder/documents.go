package builder

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/atomicfile"
	"github.com/pgext/pgext/internal/digest"
	"github.com/pgext/pgext/internal/location"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/session"
)

// document is a document about the image of one architecture.
type document struct {
	location.Kind
	content []byte
}

// documents returns the documents about p: the report of every file, the SBOM in two
// formats, and the provenance.
func (b *Builder) documents(ctx context.Context, m made, p archImage) ([]document, error) {
	report, err := reportOf(m, p)
	if err != nil {
		return nil, err
	}
	bill, err := b.bill(ctx, p, m.tags[0])
	if err != nil {
		return nil, err
	}
	spdx, err := bill.SPDX()
	if err != nil {
		return nil, err
	}
	cyclonedx, err := bill.CycloneDX()
	if err != nil {
		return nil, err
	}
	statement, err := b.provenance(p, m.tags[0])
	if err != nil {
		return nil, err
	}
	provenance, err := statement.Encode()
	if err != nil {
		return nil, err
	}
	var out []document
	for i, content := range [len(location.Kinds)][]byte{report, spdx, cyclonedx, provenance} {
		out = append(out, document{location.Kinds[i], content})
	}
	return out, nil
}

// documentSet has the documents of all architectures of an index.
type documentSet struct {
	// files are the files written next to the layout, by name.
	files map[string][]byte
	// referrers attach the documents to the manifests; digests are their digests.
	referrers []v1.Image
	digests   []v1.Hash
}

// makeDocuments makes the documents of all architectures.
func (b *Builder) makeDocuments(ctx context.Context, m made) (documentSet, error) {
	all := make([][]document, len(m.parts))
	if err := session.Parallel(b.s.Jobs, len(all), func(i int) (err error) {
		all[i], err = b.documents(ctx, m, m.parts[i])
		return err
	}); err != nil {
		return documentSet{}, err
	}
	t := documentSet{files: map[string][]byte{}}
	for i, p := range m.parts {
		for _, d := range all[i] {
			t.files[m.documentName(p.pins.Arch, d.Name)] = d.content
			if err := t.attach(p.image, d); err != nil {
				return documentSet{}, err
			}
		}
	}
	return t, nil
}

// attach adds the referrer that attaches d to img.
func (t *documentSet) attach(img v1.Image, d document) error {
	if d.ArtifactType == "" {
		return nil
	}
	r, err := oci.NewReferrer(img, oci.Referrer{ArtifactType: d.ArtifactType, Content: d.content, Annotations: d.Annotations})
	if err != nil {
		return err
	}
	digest, err := r.Digest()
	if err != nil {
		return err
	}
	t.referrers, t.digests = append(t.referrers, r), append(t.digests, digest)
	return nil
}

// write writes the files into dir and returns their digests by name.
func (t documentSet) write(dir string) (map[string]string, error) {
	sums := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(t.files)) {
		if err := atomicfile.Write(filepath.Join(dir, name), t.files[name]); err != nil {
			return nil, fmt.Errorf("writing the documents: %w", err)
		}
		sums[name] = digest.SHA256(t.files[name])
	}
	return sums, nil
}

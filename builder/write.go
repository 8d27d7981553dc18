package builder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/location"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/layout"
)

// write writes an index and its documents to dist, and stores a record under key.
func (b *Builder) write(ctx context.Context, m made, t documentSet, key, dist string) (Image, error) {
	digest, err := m.index.Digest()
	if err != nil {
		return Image{}, err
	}
	out := Image{
		Name: m.recipe.Image, Distro: m.target.Distro, Postgres: m.target.Postgres, Archs: m.target.Archs,
		Tags: m.tags, Digest: digest.String(), Path: image.Path(dist, m.recipe.Image),
	}
	for _, p := range m.parts {
		out.Findings = append(out.Findings, p.findings...)
	}
	out.Findings = finding.Sort(out.Findings)
	l := image.At(out.Path)
	if err := l.Write(ctx, image.Output{Set: oci.Set{Index: m.index, Referrers: t.referrers}, Tags: m.tags[:], Replace: true}); err != nil {
		return Image{}, err
	}
	if err := m.removeStale(dist); err != nil {
		return Image{}, fmt.Errorf("removing a report of what the tag had before: %w", err)
	}
	s := stamp{Tags: m.tags, Digest: out.Digest, Referrers: t.digests, Findings: out.Findings}
	if s.Documents, err = t.write(filepath.Join(dist, m.recipe.Image)); err != nil {
		return Image{}, err
	}
	b.remember(key, s)
	b.s.Log.Info("written", "image", out.Name, "tag", m.tags[0], "digest", out.Digest, "path", out.Path)
	return out, nil
}

// documentName returns the name of a document file.
func (m made) documentName(arch, name string) string {
	return fmt.Sprintf("%s-%s.%s.json", m.tags[0], arch, name)
}

// removeStale removes the documents about architectures that the tag no longer
// has.
func (m made) removeStale(dist string) error {
	for _, a := range debian.Architectures() {
		if slices.Contains(m.target.Archs, a.Name) {
			continue
		}
		for _, k := range location.Kinds {
			err := os.Remove(filepath.Join(dist, m.recipe.Image, m.documentName(a.Name, k.Name)))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

func reportOf(m made, p archImage) ([]byte, error) {
	digest, err := p.image.Digest()
	if err != nil {
		return nil, err
	}
	return layout.ReportDocument{
		Image: m.recipe.Image, Tag: m.tags[0], Arch: p.pins.Arch, Digest: digest.String(),
		Findings: p.findings, Report: p.layout.Report,
	}.Encode()
}

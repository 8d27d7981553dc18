package registry

import (
	"bytes"
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"
)

// manifested is an index or an image.
type manifested interface {
	RawManifest() ([]byte, error)
	Digest() (v1.Hash, error)
}

// readBack looks at what arrived: every manifest's bytes, every blob's size.
func (s *session) readBack(ctx context.Context, p Publication) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(s.client.o.Jobs)
	m, err := p.Index.IndexManifest()
	if err != nil {
		return err
	}
	images := append([]v1.Image{}, p.Referrers...)
	for _, d := range m.Manifests {
		img, err := p.Index.Image(d.Digest)
		if err != nil {
			return err
		}
		images = append(images, img)
	}
	for _, img := range p.Evidence {
		images = append(images, img)
	}
	g.Go(func() error { return s.compare(ctx, p.Index) })
	for _, img := range images {
		g.Go(func() error { return s.compareImage(ctx, img) })
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("reading back: %w", err)
	}
	return nil
}

// compare reads a manifest; the library verifies its digest as well.
func (s *session) compare(ctx context.Context, m manifested) error {
	digest, err := m.Digest()
	if err != nil {
		return err
	}
	want, err := m.RawManifest()
	if err != nil {
		return err
	}
	got, err := s.puller.Get(ctx, s.at(digest))
	if err != nil {
		return fmt.Errorf("manifest %s: %w", digest, err)
	}
	if !bytes.Equal(got.Manifest, want) {
		return fmt.Errorf("manifest %s: the registry changed it", digest)
	}
	return nil
}

func (s *session) compareImage(ctx context.Context, img v1.Image) error {
	if err := s.compare(ctx, img); err != nil {
		return err
	}
	m, err := img.Manifest()
	if err != nil {
		return err
	}
	for _, d := range append([]v1.Descriptor{m.Config}, m.Layers...) {
		blob, err := s.puller.Layer(ctx, s.at(d.Digest))
		if err != nil {
			return fmt.Errorf("blob %s: %w", d.Digest, err)
		}
		size, err := blob.Size()
		if err != nil {
			return fmt.Errorf("blob %s: %w", d.Digest, err)
		}
		// Some registries do not tell a size here; they answered, though.
		if size >= 0 && size != d.Size {
			return fmt.Errorf("blob %s: the registry has %d bytes of %d", d.Digest, size, d.Size)
		}
	}
	return nil
}

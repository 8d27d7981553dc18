package inspect

import (
	"context"
	"errors"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/layout"
)

// inspector is the state of inspecting one image.
type inspector struct {
	Image
	flat  image.Flat
	files *image.FileReader
}

// report adds a finding about this architecture.
func (x *inspector) report(code, path, text, hint string) {
	f := finding.New(code, path, text, hint)
	f.Arch = x.Arch
	x.Findings = append(x.Findings, f)
}

func inspectImage(ctx context.Context, img v1.Image, entries map[v1.Hash]v1.Descriptor, c *cache.Cache) (Image, error) {
	x := &inspector{}
	digest, err := img.Digest()
	if err != nil {
		return Image{}, err
	}
	x.Digest = digest.String()
	manifest, err := img.Manifest()
	if err != nil {
		return Image{}, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return Image{}, err
	}
	entry, listed := entries[digest]
	x.setPlatform(config, entry, listed)
	x.Created, x.Labels, x.Annotations = config.Created.UTC(), config.Config.Labels, manifest.Annotations
	if err := x.unpack(ctx, img, c); err != nil {
		return Image{}, err
	}
	x.checkLayers(manifest, config)
	x.readLabel()
	x.readPackages()
	x.checkEntries()
	if err := x.checkExtensions(); err != nil {
		return Image{}, err
	}
	x.checkObjects()
	x.checkLabel()
	x.Findings = finding.Sort(x.Findings)
	return x.Image, nil
}

// unpack reads the layers. Malformed layers, which a container runtime cannot
// unpack, are a finding; the image is then empty.
func (x *inspector) unpack(ctx context.Context, img v1.Image, c *cache.Cache) error {
	x.files = newReader()
	var broken *image.MalformedError
	flat, err := image.Flatten(ctx, img, image.FlattenOptions{
		Cache: c, Keep: wanted, Look: x.look, Lenient: true,
	})
	switch {
	case errors.Is(err, image.ErrEscape):
		x.report("PGX005", "", err.Error(), "")
	case errors.As(err, &broken):
		x.report("PGX040", "", err.Error(), "")
	case err != nil:
		return err
	}
	x.UnpackError, x.Special = err, flat.Special
	x.flat, x.Tree = flat, flat.Tree
	return nil
}

// checkExtensions checks control files and scripts.
func (x *inspector) checkExtensions() error {
	tree, err := x.withTexts()
	if err != nil {
		return err
	}
	contents, err := layout.Analyze(tree, x.Postgres)
	if err != nil {
		return err
	}
	for i := range contents.Findings {
		contents.Findings[i].Arch = x.Arch
	}
	contents.Findings = append(contents.Findings, x.Findings...)
	x.Contents = contents
	x.checkPlaces()
	return nil
}

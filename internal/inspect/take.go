package inspect

import (
	"context"
	"errors"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/layout"
)

// examination is the state of looking at one image.
type examination struct {
	Image
	flat  image.Flat
	facts facts
}

// find adds a finding about this architecture.
func (x *examination) find(code, path, text, hint string) {
	f := finding.New(code, path, text, hint)
	f.Arch = x.Arch
	x.Findings = append(x.Findings, f)
}

func takeImage(ctx context.Context, img v1.Image, entries map[v1.Hash]v1.Descriptor, o Options) (Image, error) {
	x := &examination{}
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
	x.platform(config, entry, listed)
	x.Created, x.Labels, x.Annotations = config.Created.UTC(), config.Config.Labels, manifest.Annotations
	if err := x.unpack(ctx, img, o); err != nil {
		return Image{}, err
	}
	x.judgeLayers(manifest, config)
	x.readLabel()
	x.readPackages()
	x.judgeEntries()
	if err := x.judgeExtensions(); err != nil {
		return Image{}, err
	}
	x.judgeObjects()
	x.judgeLabel()
	x.Findings = finding.Sort(x.Findings)
	return x.Image, nil
}

// unpack reads the layers. What a runtime could not unpack either is a
// finding, and the image counts as empty.
func (x *examination) unpack(ctx context.Context, img v1.Image, o Options) error {
	reader := newReader()
	var broken *image.MalformedError
	flat, err := image.Flatten(ctx, img, image.FlattenOptions{
		Cache: o.Cache, Keep: wanted, Look: reader.look, Lenient: true,
	})
	switch {
	case errors.Is(err, image.ErrEscape):
		x.find("PGX005", "", err.Error(), "")
	case errors.As(err, &broken):
		x.find("PGX040", "", err.Error(), "")
	case err != nil:
		return err
	}
	x.Damage, x.Special = err, flat.Special
	x.flat, x.facts, x.Tree = flat, reader.facts, flat.Tree
	return nil
}

// judgeExtensions reads control files and scripts.
func (x *examination) judgeExtensions() error {
	tree, err := x.facts.withTexts(x.Tree)
	if err != nil {
		return err
	}
	j, err := layout.Judge(tree, x.Postgres)
	if err != nil {
		return err
	}
	x.Extensions, x.Unscripted, x.Modules = j.Extensions, j.Unscripted, j.Modules
	for _, f := range j.Findings {
		f.Arch = x.Arch
		x.Findings = append(x.Findings, f)
	}
	x.judgePlaces()
	return nil
}

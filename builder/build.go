package builder

import (
	"context"
	"fmt"
	"slices"

	"github.com/pgext/pgext/internal/describe"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/layout"
)

// Image is a finished target in an output folder.
type Image struct {
	// Name is the base name of its repository.
	Name     string
	Distro   string
	Postgres int
	Archs    []string
	// Tags are the one that moves and the one that never does.
	Tags [2]string
	// Digest is the index's, "sha256:" and hex.
	Digest string
	// Path is the OCI layout.
	Path     string
	Findings []finding.Finding
	// Unchanged tells that nothing had to be written.
	Unchanged bool
}

// Build carries the targets of a plan to images in the folder dist. What is
// there already and right is neither made nor written again.
func (b *Builder) Build(ctx context.Context, p *Plan, dist string) ([]Image, error) {
	images := make([]Image, len(p.Targets))
	for i, t := range p.Targets {
		image, err := b.buildTarget(ctx, p.Recipe, t, dist)
		if err != nil {
			return nil, fmt.Errorf("building %s for %s: %w", p.Recipe.Name, t, err)
		}
		images[i] = image
	}
	return images, nil
}

func (b *Builder) buildTarget(ctx context.Context, r *recipe.Recipe, t Target, dist string) (Image, error) {
	key := b.stampKey(r, t)
	if image, ok := b.current(r, t, key, dist); ok {
		b.o.Log.Info("nothing changed", "image", image.Name, "target", t.String(), "digest", image.Digest)
		return image, nil
	}
	parts := make([]part, len(t.Architectures))
	if err := each(b.o.Jobs, len(parts), func(i int) (err error) {
		pins := t.Architectures[i].Pins
		if parts[i], err = b.buildArchitecture(ctx, r, t.Target, pins); err != nil {
			return fmt.Errorf("%s: %w", pins.Arch, err)
		}
		return nil
	}); err != nil {
		return Image{}, err
	}
	made, err := b.join(r, t.Target, parts)
	if err != nil {
		return Image{}, err
	}
	return b.write(ctx, made, key, dist)
}

// buildArchitecture is the story of one architecture, from pins to image.
// Findings that are errors end it before anything is made.
func (b *Builder) buildArchitecture(ctx context.Context, r *recipe.Recipe, t recipe.Target, pins lock.Target) (part, error) {
	p, err := b.sound(ctx, r, t, pins)
	if err != nil {
		return part{}, err
	}
	p.image, p.epoch, err = b.Image(ctx, pins.Arch, p.arranged, p.description)
	return p, err
}

// sound is arrange for those who want nothing that cannot work.
func (b *Builder) sound(ctx context.Context, r *recipe.Recipe, t recipe.Target, pins lock.Target) (part, error) {
	p, err := b.arrange(ctx, r, t, pins)
	if err != nil {
		return part{}, err
	}
	if worst, _ := finding.Worst(p.findings); worst == finding.Error {
		return part{}, &FindingsError{p.findings}
	}
	return p, p.description.Metadata.Validate()
}

// arrange carries one architecture to the point where its image is a tree with
// a description.
func (b *Builder) arrange(ctx context.Context, r *recipe.Recipe, t recipe.Target, pins lock.Target) (part, error) {
	if err := b.Fetch(ctx, r, t, pins); err != nil {
		return part{}, err
	}
	packages, err := b.Extract(ctx, r, t, pins)
	if err != nil {
		return part{}, err
	}
	arranged, err := b.Layout(r, t, pins, packages)
	if err != nil {
		return part{}, err
	}
	d := describe.Describe(describe.Input{
		Recipe: r, Target: t, Arch: pins.Arch, Main: mainPackage(t, pins.Arch, packages),
		Base:     metadata.Base{Name: pins.Base.Name, Postgres: pins.Base.Postgres},
		Requires: requirements(pins.Requires), Data: pins.Data, Layout: arranged, Annotations: b.o.Annotations,
	})
	return part{
		arch: pins.Arch, pins: pins, packages: packages, arranged: arranged, description: d, findings: findingsOf(pins.Arch, arranged, d),
	}, nil
}

// Judge returns the findings about the targets of a plan, and makes nothing.
func (b *Builder) Judge(ctx context.Context, p *Plan) ([]finding.Finding, error) {
	var out []finding.Finding
	for _, t := range p.Targets {
		for _, a := range t.Architectures {
			arranged, err := b.arrange(ctx, p.Recipe, t.Target, a.Pins)
			if err != nil {
				return nil, fmt.Errorf("judging %s for %s/%s: %w", p.Recipe.Name, t, a.Pins.Arch, err)
			}
			out = append(out, a.Findings...)
			out = append(out, arranged.findings...)
		}
	}
	return finding.Sort(out), nil
}

// findingsOf gathers what the steps found about one architecture.
func findingsOf(arch string, arranged layout.Result, d describe.Description) []finding.Finding {
	var out []finding.Finding
	for _, f := range append(arranged.Findings, d.Findings...) {
		if f.Arch == "" {
			f.Arch = arch
		}
		out = append(out, f)
	}
	return finding.Sort(out)
}

// mainPackage is the first that the recipe names among those that are there,
// else the first whose files are the extension.
func mainPackage(t recipe.Target, arch string, packages []layout.Package) layout.Package {
	for _, name := range t.Packages(arch) {
		for _, p := range packages {
			if p.Name == name {
				return p
			}
		}
	}
	if i := slices.IndexFunc(packages, func(p layout.Package) bool { return p.Role == layout.Extension }); i >= 0 {
		return packages[i]
	}
	return packages[0]
}

func requirements(list []lock.Require) []metadata.Requirement {
	var out []metadata.Requirement
	for _, r := range list {
		out = append(out, metadata.Requirement{Extension: r.Extension, Module: r.Module, Package: r.Package, Image: r.Image})
	}
	return out
}

package builder

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/base"
	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/registry"
)

// Resolver finds images in registries.
type Resolver interface {
	Resolve(ctx context.Context, ref string) (registry.Resolved, error)
}

// operand names an operand image, REF of base: image:REF.
type operand struct {
	// ref is HOST/NAME[:TAG][@DIGEST], or oci:PATH[:TAG] with the path
	// relative to dir.
	ref, dir string
	// digest is what ref named before; "" for what it names now.
	digest   string
	arch     string
	postgres int
}

// operandOf returns the operand image that a base names, and false for a
// profile.
func operandOf(name, dir, arch string, postgres int) (operand, bool) {
	ref, ok := strings.CutPrefix(name, recipe.BaseImagePrefix)
	return operand{ref: ref, dir: dir, arch: arch, postgres: postgres}, ok
}

// operandBase reads the operand image, once.
func (b *Builder) operandBase(ctx context.Context, o operand) (base.Base, error) {
	return b.bases.get(fmt.Sprintf("%+v", o), func() (base.Base, error) {
		known := base.Operand{Name: recipe.BaseImagePrefix + o.ref, Arch: o.arch, Postgres: o.postgres}
		if digest := o.pinned(); digest != "" {
			known.Digest = digest
			if found, ok, err := base.Recall(known, b.o.Cache); ok || err != nil {
				return found, err
			}
		}
		artifact, err := b.findOperand(ctx, o)
		if err != nil {
			return base.Base{}, err
		}
		known.Digest = artifact.Digest.String()
		if known.Image, err = platformImage(artifact, known); err != nil {
			return base.Base{}, err
		}
		return base.FromImage(ctx, known, b.o.Cache)
	})
}

// pinned is the digest that is wanted; "" when none is.
func (o operand) pinned() string {
	_, digest, _ := strings.Cut(o.ref, "@")
	return cmp.Or(o.digest, digest)
}

// platformImage returns the artifact's image for the operand's architecture.
func platformImage(a image.Artifact, o base.Operand) (v1.Image, error) {
	platform, ok := debian.LookupArchitecture(o.Arch)
	if !ok {
		return nil, fmt.Errorf("no OCI platform is known for architecture %s", o.Arch)
	}
	img, ok, err := a.Select(v1.Platform{OS: "linux", Architecture: platform.OCI, Variant: platform.Variant})
	if err == nil && !ok {
		err = &base.OperandError{Name: o.Name, Problem: "it has no image for " + o.Arch}
	}
	return img, err
}

// findOperand finds the image in a layout or in a registry.
func (b *Builder) findOperand(ctx context.Context, o operand) (image.Artifact, error) {
	if path, local := strings.CutPrefix(o.ref, "oci:"); local {
		if !filepath.IsAbs(path) {
			path = filepath.Join(o.dir, path)
		}
		ref, _ := image.ParseRef("oci:" + path)
		return image.At(ref.Dir).Open(cmp.Or(o.digest, ref.Name))
	}
	if b.o.Registry == nil {
		return image.Artifact{}, fmt.Errorf("base image %s: %w", o.ref, &fetch.OfflineError{Name: o.ref})
	}
	ref := o.ref
	if o.digest != "" {
		ref, _, _ = strings.Cut(ref, "@")
		ref += "@" + o.digest
	}
	r, err := b.o.Registry.Resolve(ctx, ref)
	if err != nil {
		return image.Artifact{}, err
	}
	if r.Index != nil {
		return image.FromIndex(r.Index)
	}
	return image.FromImage(r.Image)
}

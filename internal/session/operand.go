package session

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
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/recipe"
)

// Resolver resolves references in registries.
type Resolver interface {
	Resolve(ctx context.Context, ref string) (oci.Set, error)
}

// Operand is a reference to an operand image, REF of base: image:REF.
type Operand struct {
	// ref is HOST/NAME[:TAG][@DIGEST], or oci:PATH[:TAG] with the path
	// relative to dir.
	ref, dir string
	// Digest is the digest that the lock recorded; "" resolves ref.
	Digest   string
	Arch     string
	Postgres int
}

// OperandOf returns the operand image of a base, and false for a profile. A
// relative path is relative to dir.
func OperandOf(name, dir, arch string, postgres int) (Operand, bool) {
	ref, ok := strings.CutPrefix(name, recipe.BaseImagePrefix)
	return Operand{ref: ref, dir: dir, Arch: arch, Postgres: postgres}, ok
}

// OperandBase reads the package database and libraries of an operand image.
func (s *Session) OperandBase(ctx context.Context, o Operand) (base.Base, error) {
	return s.bases.get(fmt.Sprintf("%+v", o), func() (base.Base, error) {
		known := base.Operand{Name: recipe.BaseImagePrefix + o.ref, Arch: o.Arch, Postgres: o.Postgres}
		if digest := o.pinned(); digest != "" {
			known.Digest = digest
			if found, ok, err := base.Recall(known, s.Cache); ok || err != nil {
				return found, err
			}
		}
		artifact, err := s.FindOperand(ctx, o)
		if err != nil {
			return base.Base{}, err
		}
		known.Digest = artifact.Digest.String()
		if known.Image, err = PlatformImage(artifact, known); err != nil {
			return base.Base{}, err
		}
		return base.FromImage(ctx, known, s.Cache)
	})
}

// pinned returns the digest of the reference or of the lock, "" for none.
func (o Operand) pinned() string {
	_, digest, _ := strings.Cut(o.ref, "@")
	return cmp.Or(o.Digest, digest)
}

// PlatformImage returns the artifact's image for the operand's architecture.
func PlatformImage(a oci.Set, o base.Operand) (v1.Image, error) {
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

// FindOperand opens the operand image in a layout or a registry.
func (s *Session) FindOperand(ctx context.Context, o Operand) (oci.Set, error) {
	if path, local := strings.CutPrefix(o.ref, "oci:"); local {
		if !filepath.IsAbs(path) {
			path = filepath.Join(o.dir, path)
		}
		ref, err := oci.ParseRef("oci:" + path)
		if err != nil {
			return oci.Set{}, err
		}
		return image.At(ref.Layout).Open(cmp.Or(o.Digest, ref.Identifier()))
	}
	if s.Registry == nil {
		return oci.Set{}, fmt.Errorf("base image %s: %w", o.ref, &fetch.OfflineError{Name: o.ref})
	}
	ref := o.ref
	if o.Digest != "" {
		ref, _, _ = strings.Cut(ref, "@")
		ref += "@" + o.Digest
	}
	return s.Registry.Resolve(ctx, ref)
}

package session

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"

	"github.com/pgext/pgext/internal/closure"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/recipe"
)

// ELFFiles are the ELF files of one architecture of a finished image.
type ELFFiles struct {
	// Arch is a Debian architecture.
	Arch string
	// Roots are all ELF files of the image; Own are those that the dynamic
	// loader finds in the folders of its library path.
	Roots []elf.Root
	Own   []elf.Provider
}

// LibraryTarget is the server that a finished image is checked against.
type LibraryTarget struct {
	Distro   string
	Postgres int
	// Base is cnpg-minimal or image:REF, as in a recipe. A path in it is
	// relative to the working directory.
	Base string
	// Recipe has the archives; nil means the distribution's default archives.
	Recipe *recipe.Recipe
}

// CheckLibraries returns findings for libraries and symbol versions that neither
// the image nor the base has. The base is computed from the archives or, for
// image:REF, read from the operand image without any archive.
func (s *Session) CheckLibraries(ctx context.Context, files ELFFiles, t LibraryTarget) ([]finding.Finding, error) {
	findings, err := s.checkLibraries(ctx, files, t)
	if err != nil {
		return nil, fmt.Errorf("checking libraries against the base %s: %w", t.Base, err)
	}
	return findings, nil
}

func (s *Session) checkLibraries(ctx context.Context, files ELFFiles, lt LibraryTarget) ([]finding.Finding, error) {
	t := recipe.Target{Distro: lt.Distro, Postgres: lt.Postgres, Archs: []string{files.Arch}, Base: lt.Base}
	r := cmp.Or(lt.Recipe, &recipe.Recipe{Path: filepath.Join(".", "image")})
	in := closure.Input{Arch: files.Arch, Roots: files.Roots, Own: files.Own}
	if o, ok := OperandOf(t.BaseFor(files.Arch), filepath.Dir(r.Path), files.Arch, lt.Postgres); ok {
		known, err := s.OperandBase(ctx, o)
		if err != nil {
			return nil, err
		}
		in.Base, in.Known = known.Installed()
		result, err := closure.Search(ctx, in)
		return result.Findings(files.Arch, nil), err
	}
	src, err := s.Sources(ctx, r, t, files.Arch)
	if err != nil {
		return nil, err
	}
	in.Base, in.Scan = src.Base.Packages, src.Scan
	result, err := closure.Search(ctx, in)
	return result.Findings(files.Arch, src.Index), err
}

// CheckLockedLibraries is CheckLibraries against the base libraries that a lock
// recorded.
func CheckLockedLibraries(ctx context.Context, files ELFFiles, pins lock.Target) ([]finding.Finding, error) {
	result, err := closure.Search(ctx, closure.Input{Arch: files.Arch, Roots: files.Roots, Own: files.Own, Known: closure.Locked(pins)})
	return result.Findings(files.Arch, nil), err
}

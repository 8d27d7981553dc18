package inspect

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/layout"
)

// Result holds the contents of an index, or of an image without an index.
type Result struct {
	// Digest is the digest of the index or the image.
	Digest    string
	MediaType string
	// Index is true for an index.
	Index bool
	// Images are the images of the architectures, in the order of the index.
	Images []Image
	// Findings are the findings about the index itself.
	Findings []finding.Finding
}

// Image holds the contents of the image of one architecture.
type Image struct {
	// Platform is the platform in the config, or in the index if the config has
	// none, such as linux/arm64.
	Platform string
	// Arch is the Debian architecture; "" if Debian has none for the platform.
	Arch    string
	Digest  string
	Created time.Time
	Layers  []Layer
	// Labels are the labels of the config, Annotations those of the manifest.
	Labels      map[string]string
	Annotations map[string]string
	// Metadata is the decoded metadata label; nil if it is missing or invalid.
	// Label is its text.
	Metadata *metadata.Metadata
	Label    json.RawMessage
	// Postgres is the major version in the labels; 18 by default.
	Postgres int
	// Distro is the codename in the labels or in os-release; "" if unknown.
	Distro string
	// Contents are the extensions and modules, and all findings about the image.
	layout.Contents
	// Packages are the packages in the image's package database, by name.
	Packages []layout.Installed
	// Libraries are the ELF files of the image, by path.
	Libraries []Library
	// Needs are the needed libraries that the image does not contain, by name.
	Needs []Need
	// LibraryPath are the directories in which modules find libraries: the
	// label's ld_library_path, or without a label every directory with libraries.
	LibraryPath []string
	Tree        filetree.Tree
	// Special are the entries that a Tree cannot hold, by path.
	Special []image.Special
	// UnpackError is the error of unpacking the layers, which is also a finding.
	// If it is not nil, Tree is empty.
	UnpackError error
	// Owner maps paths to the names of their packages.
	Owner map[string]string
	// Roots and Own are the input of elf.Close.
	Roots []elf.Root
	Own   []elf.Provider
}

// Layer holds the properties of a layer and its blob. Sizes are in bytes.
type Layer struct {
	Digest      string `json:"digest"`
	MediaType   string `json:"mediaType"`
	Compression string `json:"compression"`
	Size        int64  `json:"size"`
	Unpacked    int64  `json:"unpacked"`
	// TrailingData is true if data follows the end of the archive.
	TrailingData bool `json:"-"`
	// Comment is the created_by field of the layer's history entry.
	Comment string `json:"comment,omitempty"`
}

// Library is an ELF file: a module, a library or a program.
type Library struct {
	Path   string `json:"path"`
	SONAME string `json:"soname,omitempty"`
	Arch   string `json:"arch"`
	Size   int64  `json:"size"`
	// Package and Version are "" if unknown.
	Package string   `json:"package,omitempty"`
	Version string   `json:"version,omitempty"`
	Needed  []string `json:"needed,omitempty"`
}

// Need is a library that the operand image must supply.
type Need struct {
	Library  string   `json:"library"`
	NeededBy []string `json:"neededBy"`
}

// Inspect reads all layers of an image through the cache. An image with malformed
// layers is a finding; a blob that cannot be read, such as a digest mismatch or a
// network failure, is an error.
func Inspect(ctx context.Context, a oci.Set, c *cache.Cache) (Result, error) {
	s := Result{Digest: a.Digest.String(), Index: a.Index != nil}
	entries := map[v1.Hash]v1.Descriptor{}
	if a.Index != nil {
		m, err := a.Index.IndexManifest()
		if err != nil {
			return Result{}, fmt.Errorf("inspecting %s: %w", a.Digest, err)
		}
		s.MediaType = string(m.MediaType)
		s.Findings = checkIndex(m)
		for _, d := range m.Manifests {
			if _, again := entries[d.Digest]; !again {
				entries[d.Digest] = d
			}
		}
	}
	for _, img := range a.Images {
		inspected, err := inspectImage(ctx, img, entries, c)
		if err != nil {
			return Result{}, fmt.Errorf("inspecting %s: %w", a.Digest, err)
		}
		s.Images = append(s.Images, inspected)
	}
	return s, nil
}

// ExceptBase returns all findings except PGX053, libraries of the base. Callers
// that check the image against a base use it.
func (s Result) ExceptBase() []finding.Finding {
	return slices.DeleteFunc(s.All(), func(f finding.Finding) bool { return f.Code == "PGX053" })
}

// All returns all findings about the index and its images.
func (s Result) All() []finding.Finding {
	all := append([]finding.Finding{}, s.Findings...)
	for _, i := range s.Images {
		all = append(all, i.Findings...)
	}
	return finding.Sort(all)
}

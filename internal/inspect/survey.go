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
)

// Survey is what an index, or an image without one, turned out to be.
type Survey struct {
	// Digest is that of the index, or of the image when there is none.
	Digest    string
	MediaType string
	// Index tells whether there is an index.
	Index bool
	// Images are the architectures, in the order of the index.
	Images []Image
	// Findings are those about the index alone.
	Findings []finding.Finding
}

// Image is one architecture.
type Image struct {
	// Platform is the config's, such as linux/arm64; the index's where the
	// config has none.
	Platform string
	// Arch is the Debian architecture; "" when Debian has none for it.
	Arch    string
	Digest  string
	Created time.Time
	Layers  []Layer
	// Labels are the config's, Annotations the manifest's.
	Labels      map[string]string
	Annotations map[string]string
	// Metadata is the decoded label; nil when there is none or none that can
	// be read. Label is its text.
	Metadata *metadata.Metadata
	Label    json.RawMessage
	// Postgres is the major version that the labels name; 18 when none does.
	Postgres int
	// Distro is the suite's codename of the labels or of os-release; "" when
	// nothing tells.
	Distro string
	// Extensions, Unscripted and Modules follow from the files; see
	// layout.Judgement.
	Extensions []metadata.Extension
	Unscripted []string
	Modules    []string
	// Packages are those that the image's package database lists, by name.
	Packages []Package
	// Libraries are the ELF files of the image, by path.
	Libraries []Library
	// Needs are the libraries that nothing in the image has, by name.
	Needs []Need
	// LibraryPath are the folders in which modules find libraries: the
	// label's ld_library_path, else every folder that has some.
	LibraryPath []string
	Tree        filetree.Tree
	// Special are the entries that no Tree can hold, by path.
	Special []image.Special
	// Damage says why the layers cannot be unpacked, which is a finding too;
	// nil when they can. Then Tree is empty.
	Damage error
	// Owner maps paths to the package that gave the file.
	Owner map[string]string
	// Roots and Own are the input of a closure over a base.
	Roots    []elf.Root
	Own      []elf.Provider
	Findings []finding.Finding
}

// Layer is one layer with what its blob turned out to be. Sizes are in bytes.
type Layer struct {
	Digest      string `json:"digest"`
	MediaType   string `json:"mediaType"`
	Compression string `json:"compression"`
	Size        int64  `json:"size"`
	Unpacked    int64  `json:"unpacked"`
	// GoesOn tells that something follows the end of the archive.
	GoesOn bool `json:"-"`
	// Comment is what the history says about it.
	Comment string `json:"comment,omitempty"`
}

// Package is a package that gave the image files.
type Package struct {
	Package string `json:"package"`
	Version string `json:"version"`
	Arch    string `json:"arch"`
	Source  string `json:"source"`
	Files   int    `json:"files"`
	Size    int64  `json:"size"`
}

// Library is an ELF file: a module or a library.
type Library struct {
	Path   string `json:"path"`
	SONAME string `json:"soname,omitempty"`
	Arch   string `json:"arch"`
	Size   int64  `json:"size"`
	// Package and Version are "" when the image does not tell.
	Package string   `json:"package,omitempty"`
	Version string   `json:"version,omitempty"`
	Needed  []string `json:"needed,omitempty"`
}

// Need is a library that the operand image has to have.
type Need struct {
	Library  string   `json:"library"`
	NeededBy []string `json:"neededBy"`
}

// Options configure Take. Cache is required: contents pass through it.
type Options struct {
	Cache *cache.Cache
}

// Take looks at everything in an image. An image that cannot be unpacked is a
// finding where its maker is to blame; what keeps it from being read, such as
// a damaged blob or the network, is an error.
func Take(ctx context.Context, a oci.Set, o Options) (Survey, error) {
	s := Survey{Digest: a.Digest.String(), Index: a.Index != nil}
	entries := map[v1.Hash]v1.Descriptor{}
	if a.Index != nil {
		m, err := a.Index.IndexManifest()
		if err != nil {
			return Survey{}, fmt.Errorf("surveying %s: %w", a.Digest, err)
		}
		s.MediaType = string(m.MediaType)
		s.Findings = judgeIndex(m)
		for _, d := range m.Manifests {
			if _, again := entries[d.Digest]; !again {
				entries[d.Digest] = d
			}
		}
	}
	for _, img := range a.Images {
		taken, err := takeImage(ctx, img, entries, o)
		if err != nil {
			return Survey{}, fmt.Errorf("surveying %s: %w", a.Digest, err)
		}
		s.Images = append(s.Images, taken)
	}
	return s, nil
}

// Apart returns the findings that are not about what the image expects of its
// base, for those who judge it against one.
func (s Survey) Apart() []finding.Finding {
	return slices.DeleteFunc(s.All(), func(f finding.Finding) bool { return f.Code == expected })
}

// expected is the code of what an image expects of its base.
const expected = "PGX053"

// All returns every finding about the image.
func (s Survey) All() []finding.Finding {
	all := append([]finding.Finding{}, s.Findings...)
	for _, i := range s.Images {
		all = append(all, i.Findings...)
	}
	return finding.Sort(all)
}

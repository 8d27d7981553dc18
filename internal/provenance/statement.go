package provenance

import (
	"bytes"
	"fmt"
	"time"

	"github.com/pgext/pgext/internal/strictjson"
)

// The types of a statement. docs/provenance.md describes BuildType, which changes when
// the meaning of the parameters changes.
const (
	StatementType = "https://in-toto.io/Statement/v1"
	PredicateType = "https://slsa.dev/provenance/v1"
	BuildType     = "https://github.com/pgext/pgext/blob/main/docs/provenance.md#build-type-1"
	// BuilderID is the builder ID of the program itself, on any host.
	BuilderID = "https://github.com/pgext/pgext/blob/main/docs/provenance.md#builder"
)

// MediaType of an encoded statement.
const MediaType = "application/vnd.in-toto+json"

// Statement is an in-toto statement about one manifest
// (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md).
type Statement struct {
	Type          string       `json:"_type"`
	Subject       []Descriptor `json:"subject"`
	PredicateType string       `json:"predicateType"`
	Predicate     Predicate    `json:"predicate"`
}

// Predicate is SLSA provenance (https://slsa.dev/spec/v1.0/provenance).
type Predicate struct {
	BuildDefinition BuildDefinition `json:"buildDefinition"`
	RunDetails      RunDetails      `json:"runDetails"`
}

// BuildDefinition has all inputs that determine the bytes of the image.
type BuildDefinition struct {
	BuildType          string   `json:"buildType"`
	ExternalParameters External `json:"externalParameters"`
	InternalParameters Internal `json:"internalParameters"`
	// ResolvedDependencies are the base, the archives, the packages by name, and the
	// upstream source, in this order.
	ResolvedDependencies []Descriptor `json:"resolvedDependencies"`
}

// External has the parameters that the author of the recipe and the caller of pgext
// set.
type External struct {
	// Recipe is the unchanged text of the recipe file.
	Recipe string `json:"recipe"`
	// Lock has the target of the image only, in the encoding of package lock, because
	// other targets do not affect the image.
	Lock     string `json:"lock"`
	Distro   string `json:"distro"`
	Postgres int    `json:"postgres"`
	// Arch is a Debian architecture.
	Arch string `json:"arch"`
	// Compression of the layers: gzip or zstd.
	Compression string `json:"compression"`
	// SourceDateEpoch is in seconds since 1970; nil if it was not set.
	SourceDateEpoch *int64 `json:"sourceDateEpoch,omitempty"`
	// Revision of the immutable tag; 0 for none.
	Revision int `json:"revision,omitempty"`
	// Annotations set on the command line.
	Annotations map[string]string `json:"annotations,omitempty"`
	// Files are the packages that the recipe lists by URL or path.
	Files []File `json:"files,omitempty"`
	// Patches are applied to the upstream source, in this order.
	Patches []Patch `json:"patches,omitempty"`
}

// File is a package outside of the archives.
type File struct {
	// URL without credentials and query. Either URL or Path is set.
	URL string `json:"url,omitempty"`
	// Path is relative to the recipe.
	Path string `json:"path,omitempty"`
	// SHA256 is in hex.
	SHA256 string `json:"sha256"`
}

// Patch is a patch file of the recipe.
type Patch struct {
	// Path is relative to the recipe.
	Path string `json:"path"`
	// Text is the content if it is UTF-8; otherwise Content is set.
	Text    string `json:"text,omitempty"`
	Content []byte `json:"content,omitempty"`
}

// Bytes returns the content of the patch.
func (p Patch) Bytes() []byte {
	if p.Content != nil {
		return p.Content
	}
	return []byte(p.Text)
}

// Internal has the parameters that pgext determined.
type Internal struct {
	// Output is the version of the layer format. Another version may produce other
	// bytes for the same files.
	Output int `json:"output"`
	// Image is the base name of the repository, Tag the mutable tag.
	Image   string `json:"image"`
	Version string `json:"version"`
	Tag     string `json:"tag"`
	// Created is the creation time in the config of the image, which is derived from
	// the packages.
	Created  time.Time `json:"created"`
	Rewrites []Rewrite `json:"rewrites,omitempty"`
}

// Rewrite is a file whose content differs from that in its package.
type Rewrite struct {
	// Path in the image.
	Path    string `json:"path"`
	Package string `json:"package"`
	// From is the path in the package.
	From string `json:"from"`
	// Change describes the change.
	Change string `json:"change"`
}

// RunDetails identify the builder and the run.
type RunDetails struct {
	Builder  Builder  `json:"builder"`
	Metadata Metadata `json:"metadata,omitzero"`
}

// Builder is the build platform.
type Builder struct {
	ID string `json:"id"`
	// BuilderDependencies are the program, then the source of its workflow.
	BuilderDependencies []Descriptor `json:"builderDependencies,omitempty"`
	// Version has the version of the program under the key pgext.
	Version map[string]string `json:"version,omitempty"`
}

// Metadata describes one run.
type Metadata struct {
	InvocationID string `json:"invocationId,omitempty"`
}

// Descriptor is an in-toto resource descriptor
// (https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md).
type Descriptor struct {
	Name string `json:"name,omitempty"`
	URI  string `json:"uri,omitempty"`
	// Digest maps algorithms to digests in hex.
	Digest           map[string]string `json:"digest,omitempty"`
	DownloadLocation string            `json:"downloadLocation,omitempty"`
	Annotations      map[string]string `json:"annotations,omitempty"`
}

// Encode returns the statement as JSON, indented by two spaces, with a final newline.
// The encoding is deterministic.
func (s Statement) Encode() ([]byte, error) { return encode(s, "  ", "\n") }

// Encode returns the predicate as compact JSON, for callers that build the statement
// themselves.
func (p Predicate) Encode() ([]byte, error) { return encode(p, "", "") }

func encode(v any, indent, end string) ([]byte, error) {
	b, err := strictjson.Marshal(v, indent)
	if err != nil {
		return nil, fmt.Errorf("encoding provenance: %w", err)
	}
	data := append(bytes.TrimSuffix(b, []byte("\n")), end...)
	if len(data) > maxSize {
		return nil, fmt.Errorf("encoding provenance: %d bytes, more than %d", len(data), maxSize)
	}
	return data, nil
}

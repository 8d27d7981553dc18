package provenance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// What a statement says it is. BuildType is described by docs/provenance.md; a
// change of what the parameters mean gets another.
const (
	StatementType = "https://in-toto.io/Statement/v1"
	PredicateType = "https://slsa.dev/provenance/v1"
	BuildType     = "https://github.com/pgext/pgext/blob/main/docs/provenance.md#build-type-1"
	// BuilderID stands for the program itself, wherever it ran.
	BuilderID = "https://github.com/pgext/pgext/blob/main/docs/provenance.md#builder"
)

// MediaType is that of an encoded statement.
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

// BuildDefinition is everything that decides the bytes of the image.
type BuildDefinition struct {
	BuildType          string   `json:"buildType"`
	ExternalParameters External `json:"externalParameters"`
	InternalParameters Internal `json:"internalParameters"`
	// ResolvedDependencies are the base, the archives, the packages by name
	// and the upstream source, in this order.
	ResolvedDependencies []Descriptor `json:"resolvedDependencies"`
}

// External is what the author of the recipe and the caller of pgext decided.
type External struct {
	// Recipe is the file, word for word.
	Recipe string `json:"recipe"`
	// Lock has the target's pins alone, in the encoding of package lock: what
	// else is locked does not touch this image.
	Lock     string `json:"lock"`
	Distro   string `json:"distro"`
	Postgres int    `json:"postgres"`
	// Arch is a Debian architecture.
	Arch string `json:"arch"`
	// Compression of the layers: gzip or zstd.
	Compression string `json:"compression"`
	// SourceDateEpoch is in seconds since 1970; nil when it was not set.
	SourceDateEpoch *int64 `json:"sourceDateEpoch,omitempty"`
	// Revision is that of the tag that never moves; 0 when there is none.
	Revision int `json:"revision,omitempty"`
	// Annotations are those of the command line.
	Annotations map[string]string `json:"annotations,omitempty"`
	// Files are the packages that the recipe names by URL or path.
	Files []File `json:"files,omitempty"`
	// Patches are applied to the upstream source, in this order.
	Patches []Patch `json:"patches,omitempty"`
}

// File is a package that is in no archive.
type File struct {
	// URL is without credentials and query. Either URL or Path is set.
	URL string `json:"url,omitempty"`
	// Path is relative to the recipe.
	Path string `json:"path,omitempty"`
	// SHA256 is in hex.
	SHA256 string `json:"sha256"`
}

// Patch is a file beside the recipe.
type Patch struct {
	// Path is relative to the recipe.
	Path string `json:"path"`
	// Text is the content where it is UTF-8; Content has it otherwise.
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

// Internal is what pgext itself decided.
type Internal struct {
	// Output is the version of the layer format: another one may give other
	// bytes for the same files.
	Output int `json:"output"`
	// Image is the base name of the repository, Tag the tag that moves.
	Image   string `json:"image"`
	Version string `json:"version"`
	Tag     string `json:"tag"`
	// Created is the time that the manifest says, which follows from the
	// packages.
	Created  time.Time `json:"created"`
	Rewrites []Rewrite `json:"rewrites,omitempty"`
}

// Rewrite is a file of the image that is not what its package unpacks to.
type Rewrite struct {
	// Path in the image.
	Path    string `json:"path"`
	Package string `json:"package"`
	// From is the path in the package.
	From string `json:"from"`
	// Change says what was done.
	Change string `json:"change"`
}

// RunDetails say who built.
type RunDetails struct {
	Builder  Builder  `json:"builder"`
	Metadata Metadata `json:"metadata,omitzero"`
}

// Builder is the platform that built.
type Builder struct {
	ID string `json:"id"`
	// BuilderDependencies are the program, first, and the source of the
	// workflow that ran it.
	BuilderDependencies []Descriptor `json:"builderDependencies,omitempty"`
	// Version has the program's, by the name pgext.
	Version map[string]string `json:"version,omitempty"`
}

// Metadata is about one run.
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

// Encode returns the statement as JSON, indented by two spaces, with a final
// newline: the same bytes for the same statement.
func (s Statement) Encode() ([]byte, error) { return encode(s, "  ", "\n") }

// Encode returns the predicate as compact JSON, for those who make the
// statement around it.
func (p Predicate) Encode() ([]byte, error) { return encode(p, "", "") }

func encode(v any, indent, end string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding provenance: %w", err)
	}
	data := append(bytes.TrimSuffix(b.Bytes(), []byte("\n")), end...)
	if len(data) > maxSize {
		return nil, fmt.Errorf("encoding provenance: %d bytes, more than %d", len(data), maxSize)
	}
	return data, nil
}

package sign

import (
	"encoding/json"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// PredicateSignature is the predicate type of a signature without further content
// (cosign 3).
const PredicateSignature = "https://sigstore.dev/cosign/sign/v1"

// Subject is an index or a manifest in a repository.
type Subject struct {
	// Repository is HOST/NAME, without tag and digest. It is part of legacy
	// signatures; nothing is sent there.
	Repository string
	Digest     v1.Hash
	MediaType  types.MediaType
	// Size of the manifest in bytes.
	Size int64
}

// describable implements partial.Describable for the manifest of a subject.
type describable struct{ s Subject }

func (d describable) Digest() (v1.Hash, error)            { return d.s.Digest, nil }
func (d describable) Size() (int64, error)                { return d.s.Size, nil }
func (d describable) MediaType() (types.MediaType, error) { return d.s.MediaType, nil }

// Statement is an unsigned in-toto statement.
type Statement struct {
	// Subjects of the statement. One signature covers all of them, and is attached to
	// each.
	Subjects []Subject
	// PredicateType is a URI.
	PredicateType string
	// Predicate is a JSON value. Its bytes are not changed.
	Predicate json.RawMessage
	// Same reports whether an existing predicate of the same type for the same
	// subjects is equivalent; nil compares the JSON values.
	Same func(other json.RawMessage) bool
}

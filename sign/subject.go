package sign

import (
	"encoding/json"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// PredicateSignature is the predicate type of a bundle that is a signature
// and claims nothing else (cosign 3).
const PredicateSignature = "https://sigstore.dev/cosign/sign/v1"

// Subject is an index or a manifest in a repository.
type Subject struct {
	// Repository is HOST/NAME, without tag and digest. The legacy signature
	// names it; nothing is sent there.
	Repository string
	Digest     v1.Hash
	MediaType  types.MediaType
	// Size is that of the manifest, in bytes.
	Size int64
}

// describable implements partial.Describable for the manifest of a subject.
type describable struct{ s Subject }

func (d describable) Digest() (v1.Hash, error)            { return d.s.Digest, nil }
func (d describable) Size() (int64, error)                { return d.s.Size, nil }
func (d describable) MediaType() (types.MediaType, error) { return d.s.MediaType, nil }

// Statement is a claim about subjects: an in-toto statement that is not
// signed yet.
type Statement struct {
	// Subjects are what the claim is about. One signature covers them all and
	// is attached to each.
	Subjects []Subject
	// PredicateType says what kind of claim it is, as a URI.
	PredicateType string
	// Predicate is a JSON value, kept as it is.
	Predicate json.RawMessage
	// Same reports whether another predicate of the same type about the same
	// subjects makes this claim already; nil compares the JSON values.
	Same func(other json.RawMessage) bool
}

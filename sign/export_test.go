package sign

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/oci"
)

// ReadRoot parses a trusted root.
var ReadRoot = readRoot

// ReadSigningConfig parses a signing config.
var ReadSigningConfig = readSigningConfig

// Sign signs one subject.
func (s *Signer) Sign(ctx context.Context, subject Subject) (oci.Set, error) {
	return s.SignAll(ctx, Batch{Subjects: []Subject{subject}})
}

// Attest signs one statement.
func (s *Signer) Attest(ctx context.Context, claim Statement) (oci.Set, error) {
	return s.SignAll(ctx, Batch{Statements: []Statement{claim}})
}

// Merge appends the layers of ours that existing lacks, as SignAll does for the
// images under legacy tags.
func Merge(existing, ours v1.Image) (v1.Image, error) {
	have, err := addenda(existing)
	if err != nil {
		return nil, err
	}
	add, err := addenda(ours)
	if err != nil {
		return nil, err
	}
	return appendLayers(existing, have, add)
}

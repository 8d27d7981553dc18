package sign

import (
	"context"
	"crypto"
	"errors"
)

// Signer signs with one key, or with keys certified for one identity. It may
// be used by several goroutines.
type Signer struct {
	format Format
}

// errUnfinished goes with the first signer.
var errUnfinished = errors.New("not written yet")

// Sign signs subject.
func (s *Signer) Sign(_ context.Context, _ Subject) (Signed, error) { return Signed{}, errUnfinished }

// Attest signs a claim about subjects, once, and returns it for each of them.
func (s *Signer) Attest(_ context.Context, _ Statement) (Signed, error) {
	return Signed{}, errUnfinished
}

// PublicKey returns the key that verifies what s signs; of an identity it is
// the certified key of this run.
func (s *Signer) PublicKey(_ context.Context) (crypto.PublicKey, error) { return nil, errUnfinished }

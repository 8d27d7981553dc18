package sign

import v1 "github.com/google/go-containerregistry/pkg/v1"

// Merge puts the layers of ours that existing lacks behind its own, as signing
// does with what a tag has.
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

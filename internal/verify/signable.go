package verify

import (
	"bytes"
	"maps"
	"slices"

	"github.com/pgext/pgext/internal/failure"
)

// Signable returns the documents that can be signed for the manifest with that
// digest, "sha256:" and hex: at most one per predicate type. An invalid document,
// or one that describes another manifest, is ignored if a valid one of the same
// type exists, and an error otherwise. Two different valid documents of one type
// are an error.
func Signable(all []Document, digest string) ([]Document, error) {
	var out []Document
	invalid := map[string]error{}
	for _, d := range all {
		if err := CheckSubject(d, digest); err != nil {
			invalid[d.Predicate] = err
			continue
		}
		out = append(out, d)
	}
	for _, d := range out {
		delete(invalid, d.Predicate)
	}
	for _, predicate := range slices.Sorted(maps.Keys(invalid)) {
		return nil, failure.Wrap(failure.Untrusted, "run pgext push to attach the documents of the image; invalid ones are then ignored", invalid[predicate])
	}
	return unique(out, digest)
}

// unique removes repeated documents. Two documents of one type with different
// content are an error, since every account with push access can attach one.
func unique(all []Document, digest string) ([]Document, error) {
	var out []Document
	for _, d := range all {
		i := slices.IndexFunc(out, func(other Document) bool { return other.Predicate == d.Predicate })
		switch {
		case i < 0:
			out = append(out, d)
		case !bytes.Equal(out[i].Content, d.Content):
			return nil, failure.New(failure.Untrusted, "run pgext push --key to sign the documents of a local build instead",
				"two different documents of type %s are attached to %s", d.Predicate, digest)
		}
	}
	return out, nil
}

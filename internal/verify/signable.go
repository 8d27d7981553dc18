package verify

import (
	"bytes"
	"maps"
	"slices"

	"github.com/pgext/pgext/internal/failure"
)

// Signable returns the documents that are about the manifest with that digest,
// "sha256:" and hex, which all are attached to: one of a kind. Others are passed
// over, as a verifier does, where one of the same kind is right; else they are a
// an error. Two different documents of one kind are an error.
func Signable(all []Document, digest string) ([]Document, error) {
	var out []Document
	wrong := map[string]error{}
	for _, d := range all {
		if err := Misplaced(d, digest); err != nil {
			wrong[d.Predicate] = err
			continue
		}
		out = append(out, d)
	}
	for _, d := range out {
		delete(wrong, d.Predicate)
	}
	for _, predicate := range slices.Sorted(maps.Keys(wrong)) {
		return nil, failure.Wrap(failure.Untrusted, "pgext push attaches the documents made for the image; a wrong one is then ignored", wrong[predicate])
	}
	return single(out, digest)
}

// single refuses two documents that say different things: anybody who may push
// may have attached one of them.
func single(all []Document, digest string) ([]Document, error) {
	var out []Document
	for _, d := range all {
		i := slices.IndexFunc(out, func(other Document) bool { return other.Predicate == d.Predicate })
		switch {
		case i < 0:
			out = append(out, d)
		case !bytes.Equal(out[i].Content, d.Content):
			return nil, failure.New(failure.Untrusted, "pgext push --key signs the documents built here, whatever else is attached",
				"two different documents of type %s are attached to %s", d.Predicate, digest)
		}
	}
	return out, nil
}

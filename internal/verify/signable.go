package verify

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
)

// Signable returns the documents that are about the manifest with that digest,
// "sha256:" and hex, which all are attached to: one of a kind. Others are passed
// over, as a verifier does, where one of the same kind is right; else they are a
// *MisplacedError. Two that say different things are an *AmbiguousError.
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
		return nil, &MisplacedError{wrong[predicate]}
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
			return nil, &AmbiguousError{Digest: digest, Predicate: d.Predicate}
		}
	}
	return out, nil
}

// AmbiguousError says that two documents of a kind are attached to a manifest,
// and no signature can say which of them is meant.
type AmbiguousError struct{ Digest, Predicate string }

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("two different documents of type %s are attached to %s", e.Predicate, e.Digest)
}

// Hint says how the right ones are signed.
func (*AmbiguousError) Hint() string {
	return "pgext push --key signs what was built here, whatever others have attached"
}

// ExitCode is 13: it is not known which of them can be relied upon.
func (*AmbiguousError) ExitCode() int { return 13 }

// MisplacedError says that something attached to an image cannot be signed,
// since it is not about the image.
type MisplacedError struct{ Err error }

func (e *MisplacedError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *MisplacedError) Unwrap() error { return e.Err }

// Hint says how the image gets the right one.
func (*MisplacedError) Hint() string {
	return "pgext push attaches what was made for the image; what is wrong is then passed over"
}

// ExitCode is 13: what is said about the image cannot be relied upon.
func (*MisplacedError) ExitCode() int { return 13 }

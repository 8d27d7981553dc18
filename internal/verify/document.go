package verify

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/strictjson"
	"github.com/pgext/pgext/sbom"
	"github.com/pgext/pgext/sign"
)

// The hints about documents.
const (
	attachAgain = "ask the publisher for an image with its evidence; pgext push attaches it"
	wrongImage  = "use pgext copy to mirror images with their documents; do not attach documents by hand"
)

// SelectDocuments returns the documents of a manifest that the checks use. If an
// accepted signer has signed a document type, and an attached document of this
// type matches, the others of this type are dropped: every account with push
// access can attach documents. Documents of the other types are all returned.
func SelectDocuments(documents []Document, v sign.Verdict, p Policy) []Document {
	signed := map[string][]json.RawMessage{}
	for _, predicate := range []string{SPDX, CycloneDX, Provenance} {
		predicates := signedPredicates(v, p, predicate)
		if slices.ContainsFunc(documents, func(d Document) bool { return d.Predicate == predicate && matchesAny(d, predicates) }) {
			signed[predicate] = predicates
		}
	}
	return slices.DeleteFunc(slices.Clone(documents), func(d Document) bool {
		predicates, ok := signed[d.Predicate]
		return ok && !matchesAny(d, predicates)
	})
}

// CheckSubject returns an error if a document cannot be parsed or describes
// another manifest. digest is the digest of that manifest, "sha256:" and hex.
func CheckSubject(d Document, digest string) error {
	var err error
	switch d.Predicate {
	case SPDX:
		_, err = parseDocument(d.Content, digest, "SBOM", readSPDX)
	case CycloneDX:
		_, err = parseDocument(d.Content, digest, "CycloneDX document", readCycloneDX)
	case Provenance:
		_, err = parseDocument(d.Content, digest, "provenance", readProvenance)
	default:
		err = fmt.Errorf("unknown document type %q", d.Predicate)
	}
	return err
}

// findDocument returns the first document of a predicate type that describes the
// manifest with that digest, or the error of the last that does not.
func findDocument[T any](v *verifier, predicate, digest, name string, read func([]byte) (T, string, error)) (*T, error) {
	err := error(failure.New(failure.Untrusted, attachAgain, "no %s is attached to %s", name, digest))
	for _, d := range v.documents {
		if d.Predicate != predicate {
			continue
		}
		var value T
		if value, err = parseDocument(d.Content, digest, name, read); err == nil {
			return &value, nil
		}
	}
	return nil, err
}

// parseDocument reads a document. It is an error if the document describes
// another manifest than the one with that digest. read returns the digest of the
// subject, "" if the document has none.
func parseDocument[T any](data []byte, digest, name string, read func([]byte) (T, string, error)) (T, error) {
	value, subject, err := read(data)
	var e *failure.Error
	switch {
	case errors.As(err, &e):
		err = failure.New(failure.Untrusted, e.Hint(), "the attached %s is invalid: %w", name, err)
	case err != nil:
		err = failure.New(failure.Untrusted, attachAgain, "the attached %s is invalid: %w", name, err)
	case subject == "":
		err = failure.New(failure.Untrusted, wrongImage, "the %s has no image digest", name)
	case subject != digest:
		err = failure.New(failure.Untrusted, wrongImage, "the %s describes %s, want %s", name, subject, digest)
	}
	return value, err
}

func readSPDX(data []byte) (sbom.Inventory, string, error) {
	inventory, err := sbom.ReadSPDX(data)
	return inventory, inventory.Digest, err
}

func readCycloneDX(data []byte) (bom, string, error) {
	var b bom
	if err := strictjson.Unmarshal(data, &b, strictjson.Rules{}); err != nil {
		return bom{}, "", err
	}
	if b.Format != "CycloneDX" {
		return bom{}, "", fmt.Errorf("bomFormat is %q, want CycloneDX", b.Format)
	}
	sum := b.Metadata.Component.sha256()
	if sum == "" {
		return b, "", nil
	}
	return b, "sha256:" + sum, nil
}

func readProvenance(data []byte) (provenance.Statement, string, error) {
	s, err := provenance.Parse(data)
	return s, strings.Join(s.Digests(), ", "), err
}

// signedPredicates returns the predicates of a type that accepted signers have
// signed for the subject of a verdict.
func signedPredicates(v sign.Verdict, p Policy, predicate string) []json.RawMessage {
	var out []json.RawMessage
	for _, a := range v.Attestations {
		if a.PredicateType != predicate || !p.accepts(a.By) {
			continue
		}
		var statement struct {
			Predicate json.RawMessage `json:"predicate"`
		}
		if json.Unmarshal(a.Statement, &statement) == nil {
			out = append(out, statement.Predicate)
		}
	}
	return out
}

func matchesAny(d Document, signed []json.RawMessage) bool {
	return slices.ContainsFunc(signed, func(s json.RawMessage) bool { return samePredicate(d.Predicate, s, d.Content) })
}

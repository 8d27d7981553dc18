package verify

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/sbom"
	"github.com/pgext/pgext/sign"
)

// Believe returns the documents about a manifest that it is judged by. Of a
// kind that somebody who counts has signed those are the copies that say what
// was signed: anybody who may push to a repository can attach another. Of every
// other kind, and where no copy says it, they are all.
func Believe(documents []Document, v sign.Verdict, p Policy) []Document {
	signed := map[string][]json.RawMessage{}
	for _, predicate := range []string{SPDX, CycloneDX, Provenance} {
		says := signedPredicates(v, p, predicate)
		if slices.ContainsFunc(documents, func(d Document) bool { return d.Predicate == predicate && saysOneOf(d, says) }) {
			signed[predicate] = says
		}
	}
	return slices.DeleteFunc(slices.Clone(documents), func(d Document) bool {
		says, ok := signed[d.Predicate]
		return ok && !saysOneOf(d, says)
	})
}

// Misplaced returns nil when a document is about the manifest with that digest,
// "sha256:" and hex, and says else what is wrong with it.
func Misplaced(d Document, digest string) error {
	var says string
	var err error
	name := d.Predicate
	switch d.Predicate {
	case SPDX:
		var inventory sbom.Inventory
		name = "SBOM"
		inventory, err = sbom.ReadSPDX(d.Content)
		says = inventory.Digest
	case CycloneDX:
		name = "CycloneDX document"
		_, says, err = readBOM(d.Content)
	case Provenance:
		var s provenance.Statement
		name = "provenance"
		s, err = provenance.Parse(d.Content)
		says = strings.Join(s.Digests(), ", ")
	}
	switch {
	case err != nil:
		return fmt.Errorf("the %s that is attached to %s is of no use: %w", name, digest, err)
	case says != digest:
		return errors.New(another(name, says, digest))
	}
	return nil
}

// signedPredicates are the predicates of a type that those who count have
// signed about the subject of a verdict.
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

func saysOneOf(d Document, signed []json.RawMessage) bool {
	return slices.ContainsFunc(signed, func(s json.RawMessage) bool { return same(d.Predicate, s, d.Content) })
}

package sign

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/pgext/pgext/internal/strictjson"
)

// The type of an in-toto statement (in-toto attestation framework 1.0), and the
// payload type of its DSSE envelope.
const (
	statementType = "https://in-toto.io/Statement/v1"
	payloadType   = "application/vnd.in-toto+json"
)

// statement is the JSON form of an in-toto statement.
type statement struct {
	Type          string          `json:"_type"`
	Subject       []resource      `json:"subject"`
	PredicateType string          `json:"predicateType"`
	Predicate     json.RawMessage `json:"predicate,omitempty"`
}

// resource is an in-toto resource descriptor.
type resource struct {
	Name   string            `json:"name,omitempty"`
	Digest map[string]string `json:"digest"`
}

// encode returns the bytes to sign. The encoding is deterministic.
func (s Statement) encode() ([]byte, error) {
	if len(s.Subjects) == 0 || s.PredicateType == "" {
		return nil, errors.New("a statement needs subjects and a predicate type")
	}
	if !json.Valid(s.Predicate) {
		return nil, errors.New("the predicate is not JSON")
	}
	text := statement{Type: statementType, PredicateType: s.PredicateType, Predicate: s.Predicate}
	for _, subject := range s.Subjects {
		text.Subject = append(text.Subject, resource{subject.Repository, map[string]string{subject.Digest.Algorithm: subject.Digest.Hex}})
	}
	out, err := strictjson.Marshal(text, "")
	if err != nil {
		return nil, fmt.Errorf("encoding a statement: %w", err)
	}
	return bytes.TrimSpace(out), nil
}

// matches reports whether other has the predicate type, the subject digests and
// the predicate of s.
func (s Statement) matches(other statement) bool {
	if other.Type != statementType || other.PredicateType != s.PredicateType {
		return false
	}
	want, got := map[v1.Hash]bool{}, map[v1.Hash]bool{}
	for _, subject := range s.Subjects {
		want[subject.Digest] = true
	}
	for _, r := range other.Subject {
		for algorithm, hex := range r.Digest {
			got[v1.Hash{Algorithm: algorithm, Hex: hex}] = true
		}
	}
	if len(want) != len(got) {
		return false
	}
	for h := range want {
		if !got[h] {
			return false
		}
	}
	if s.Same != nil {
		return s.Same(other.Predicate)
	}
	return sameJSON(s.Predicate, other.Predicate)
}

// sameJSON compares two JSON values, ignoring white space.
func sameJSON(a, b json.RawMessage) bool {
	var x, y bytes.Buffer
	if json.Compact(&x, a) != nil || json.Compact(&y, b) != nil {
		return len(a) == 0 && len(b) == 0
	}
	return bytes.Equal(x.Bytes(), y.Bytes())
}

// preAuth returns the bytes that the signature of an envelope covers: its
// pre-authentication encoding (DSSE 1.0, PAE).
func preAuth(payload []byte) []byte { return dsse.PAE(payloadType, payload) }

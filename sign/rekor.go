package sign

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"path"
	"regexp"

	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/rekor/pkg/generated/models"
	"github.com/sigstore/rekor/pkg/tle"
)

const rekorName = "Rekor"

// rekor is a transparency log that speaks one version of the API.
type rekor struct {
	*service
	version int
}

// proposal is a ProposedEntry of Rekor's API.
type proposal struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Spec       any    `json:"spec"`
}

// plainEntry is the type hashedrekord 0.0.1: a signature over some bytes, of
// which the log learns the digest.
type plainEntry struct {
	Data struct {
		Hash struct {
			Algorithm string `json:"algorithm"`
			Value     string `json:"value"`
		} `json:"hash"`
	} `json:"data"`
	Signature struct {
		Content   []byte `json:"content"`
		PublicKey struct {
			Content []byte `json:"content"`
		} `json:"publicKey"`
	} `json:"signature"`
}

// envelopeEntry is the type dsse 0.0.1. The log keeps digests and signatures.
type envelopeEntry struct {
	Proposed struct {
		Envelope  string   `json:"envelope"`
		Verifiers [][]byte `json:"verifiers"`
	} `json:"proposedContent"`
}

// plain logs a signature over message; text is the key or certificate. Only
// legacy signatures are logged so, and only in API version 1.
func (r rekor) plain(ctx context.Context, message, sig, text []byte) (*protorekor.TransparencyLogEntry, error) {
	var e plainEntry
	digest := sha256.Sum256(message)
	e.Data.Hash.Algorithm, e.Data.Hash.Value = "sha256", hex.EncodeToString(digest[:])
	e.Signature.Content, e.Signature.PublicKey.Content = sig, text
	return r.add(ctx, proposal{"0.0.1", "hashedrekord", e}, sig)
}

// envelope logs a DSSE envelope that m has signed.
func (r rekor) envelope(ctx context.Context, signed *sealed, m *material) (*protorekor.TransparencyLogEntry, error) {
	if r.version == rekorTiles {
		return r.addTiled(ctx, signed, m)
	}
	var e envelopeEntry
	e.Proposed.Envelope, e.Proposed.Verifiers = string(signed.envelope), [][]byte{m.text}
	return r.add(ctx, proposal{"0.0.1", "dsse", e}, signed.sig)
}

// add makes the log hold p and returns its entry. An entry that is there
// already is as good as a new one: a first attempt may have arrived although
// its answer did not.
func (r rekor) add(ctx context.Context, p proposal, sig []byte) (*protorekor.TransparencyLogEntry, error) {
	a, err := r.propose(ctx, "/api/v1/log/entries", p)
	if err != nil {
		return nil, err
	}
	if a.status == http.StatusConflict {
		if a, err = r.existing(ctx, a); err != nil {
			return nil, err
		}
	}
	return r.read(a.body, sig)
}

// propose asks the log to take an entry; a conflict says that it has it.
func (r rekor) propose(ctx context.Context, path string, entry any) (answer, error) {
	body, err := json.Marshal(entry)
	if err != nil {
		return answer{}, err
	}
	return r.do(ctx, call{
		method: http.MethodPost, path: path, body: body,
		header: map[string]string{"Content-Type": "application/json", "Accept": "application/json"},
		expect: []int{http.StatusCreated, http.StatusConflict},
	})
}

// entryID is the name of an entry, after that of its tree or without.
var entryID = regexp.MustCompile(`^([0-9a-f]{16})?[0-9a-f]{64}$`)

// existing fetches the entry that a conflict names.
func (r rekor) existing(ctx context.Context, conflict answer) (answer, error) {
	id := path.Base(conflict.header.Get("Location"))
	if !entryID.MatchString(id) {
		return answer{}, r.fail("it has the entry already and does not say where")
	}
	return r.do(ctx, call{
		method: http.MethodGet, path: "/api/v1/log/entries/" + id,
		header: map[string]string{"Accept": "application/json"}, expect: []int{http.StatusOK},
	})
}

// read returns the only entry of an answer, when it is complete and about sig.
func (r rekor) read(body, sig []byte) (*protorekor.TransparencyLogEntry, error) {
	var entries map[string]models.LogEntryAnon
	if err := json.Unmarshal(body, &entries); err != nil {
		return nil, r.fail("reading its answer: %w", err)
	}
	for _, e := range entries {
		text, ok := e.Body.(string)
		if len(entries) != 1 || !ok || !complete(e) {
			break
		}
		logged, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, r.fail("reading its answer: %w", err)
		}
		if !bytes.Contains(logged, []byte(base64.StdEncoding.EncodeToString(sig))) {
			return nil, r.fail("its entry is about another signature")
		}
		entry, err := tle.GenerateTransparencyLogEntry(e)
		if err != nil {
			return nil, r.fail("reading its answer: %w", err)
		}
		return entry, nil
	}
	return nil, r.fail("its answer is no complete entry")
}

// complete reports whether e has everything that a bundle holds of an entry;
// the libraries do not look.
func complete(e models.LogEntryAnon) bool {
	if e.IntegratedTime == nil || e.LogID == nil || e.LogIndex == nil || e.Verification == nil {
		return false
	}
	p := e.Verification.InclusionProof
	return len(e.Verification.SignedEntryTimestamp) > 0 && p != nil &&
		p.Checkpoint != nil && p.LogIndex != nil && p.RootHash != nil && p.TreeSize != nil
}

package sign

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"

	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore/pkg/signature"
	"google.golang.org/protobuf/encoding/protojson"
)

// tiledRequest is CreateEntryRequest of Rekor's API version 2, with an entry of
// the type hashedrekord 0.0.2: a signature over some bytes, of which the log
// learns the digest. Envelopes are entered so, too: what their signature covers
// is the bytes.
type tiledRequest struct {
	Plain struct {
		Digest    []byte `json:"digest"`
		Signature struct {
			Content  []byte        `json:"content"`
			Verifier tiledVerifier `json:"verifier"`
		} `json:"signature"`
	} `json:"hashedRekordRequestV002"`
}

// tiledVerifier is a public key or a certificate.
type tiledVerifier struct {
	PublicKey   *rawBytes `json:"publicKey,omitempty"`
	Certificate *rawBytes `json:"x509Certificate,omitempty"`
	// Details name the way of signing (PublicKeyDetails of protobuf-specs).
	Details string `json:"keyDetails"`
}

type rawBytes struct {
	DER []byte `json:"rawBytes"`
}

// errLogged says that a log has an entry, and does not give it out again.
var errLogged = errors.New("it has this signature already, and gives out its entry only once")

// addTiled makes a log of version 2 hold the signature of e, and returns its
// entry. The answer comes when the tree includes it, which takes some seconds.
// The error is errLogged where the log has it already.
func (r rekor) addTiled(ctx context.Context, e *sealed, m *material) (*protorekor.TransparencyLogEntry, error) {
	verifier, err := m.tiledVerifier()
	if err != nil {
		return nil, err
	}
	var request tiledRequest
	digest := sha256.Sum256(preAuth(e.payload))
	request.Plain.Digest, request.Plain.Signature.Content, request.Plain.Signature.Verifier = digest[:], e.sig, verifier
	a, err := r.propose(ctx, "/api/v2/log/entries", request)
	switch {
	case err != nil:
		return nil, err
	case a.status == http.StatusConflict:
		return nil, &ServiceError{Service: r.name, URL: r.shown, Status: a.status, Reason: errLogged.Error(), cause: errLogged}
	}
	return r.readTiled(a.body, e.sig)
}

func (m *material) tiledVerifier() (tiledVerifier, error) {
	details, err := signature.GetDefaultAlgorithmDetails(m.public)
	if err != nil {
		return tiledVerifier{}, err
	}
	v := tiledVerifier{Details: details.GetSignatureAlgorithm().String()}
	if m.certified != nil {
		v.Certificate = &rawBytes{m.certified.leaf.Raw}
		return v, nil
	}
	der, err := x509.MarshalPKIXPublicKey(m.public)
	v.PublicKey = &rawBytes{der}
	return v, err
}

// readTiled returns the entry of an answer, when it is complete and about sig.
func (r rekor) readTiled(body, sig []byte) (*protorekor.TransparencyLogEntry, error) {
	var e protorekor.TransparencyLogEntry
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(body, &e); err != nil {
		return nil, r.fail("reading its answer: %w", err)
	}
	switch {
	case len(e.GetLogId().GetKeyId()) == 0, e.GetKindVersion().GetKind() == "", len(e.GetCanonicalizedBody()) == 0,
		e.GetInclusionProof().GetCheckpoint().GetEnvelope() == "":
		return nil, r.fail("its answer is no complete entry")
	case !bytes.Contains(e.GetCanonicalizedBody(), []byte(base64.StdEncoding.EncodeToString(sig))):
		return nil, r.fail("its entry is about another signature")
	}
	return &e, nil
}

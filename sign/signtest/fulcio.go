package signtest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	ct "github.com/google/certificate-transparency-go"
	"github.com/google/certificate-transparency-go/tls"
	"github.com/google/certificate-transparency-go/x509util"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
)

// leafValidity is the validity period of certificates of Fulcio.
const leafValidity = 10 * time.Minute

// The extensions with the issuer of the identity token, as raw bytes and as a string
// (oid-info.md of Fulcio), and with signed certificate timestamps (RFC 6962 3.3).
var (
	oidIssuerV1 = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 1}
	oidIssuerV2 = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 8}
	oidSCT      = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}
)

// Fulcio issues certificates for the identities in tokens of its issuer.
type Fulcio struct {
	Service
	issuer             *Issuer
	root, intermediate authority
	ctlog              *ecdsa.PrivateKey
	shift              atomic.Int64
	unlogged           atomic.Bool
}

func newFulcio(tb testing.TB, issuer *Issuer) *Fulcio {
	tb.Helper()
	f := &Fulcio{issuer: issuer, root: newRoot(tb, "fulcio root"), ctlog: newKey(tb)}
	f.intermediate = f.root.newIntermediate(tb, "fulcio intermediate", x509.ExtKeyUsageCodeSigning)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v2/signingCert", f.certify)
	f.start(tb, mux)
	return f
}

// Shift moves the clock of the authority. Certificates are valid for ten minutes from
// the shifted time.
func (f *Fulcio) Shift(d time.Duration) { f.shift.Store(int64(d)) }

// Unlogged selects certificates without a signed certificate timestamp.
func (f *Fulcio) Unlogged(yes bool) { f.unlogged.Store(yes) }

// certificateRequest is the body of a request to API version 2.
type certificateRequest struct {
	PublicKeyRequest struct {
		PublicKey struct {
			Content string `json:"content"`
		} `json:"publicKey"`
		ProofOfPossession []byte `json:"proofOfPossession"`
	} `json:"publicKeyRequest"`
}

func (f *Fulcio) certify(w http.ResponseWriter, req *http.Request) {
	who, err := f.issuer.verify(strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer "))
	if err != nil {
		refuse(w, http.StatusUnauthorized, err)
		return
	}
	var request certificateRequest
	if err := json.NewDecoder(req.Body).Decode(&request); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	key, err := provenKey(request, who.proof)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	leaf, err := f.leaf(who.san, key)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	var chain []string
	for _, c := range []*x509.Certificate{leaf, f.intermediate.certificate, f.root.certificate} {
		text, err := cryptoutils.MarshalCertificateToPEM(c)
		if err != nil {
			refuse(w, http.StatusInternalServerError, err)
			return
		}
		chain = append(chain, string(text))
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"signedCertificateEmbeddedSct": map[string]any{"chain": map[string]any{"certificates": chain}},
	})
}

// provenKey returns the key of a request after verifying the proof of possession.
func provenKey(request certificateRequest, subject string) (crypto.PublicKey, error) {
	key, err := cryptoutils.UnmarshalPEMToPublicKey([]byte(request.PublicKeyRequest.PublicKey.Content))
	if err != nil {
		return nil, err
	}
	verifier, err := signature.LoadDefaultVerifier(key)
	if err != nil {
		return nil, err
	}
	proof := bytes.NewReader(request.PublicKeyRequest.ProofOfPossession)
	if verifier.VerifySignature(proof, strings.NewReader(subject)) != nil {
		return nil, errors.New("invalid proof of possession")
	}
	return key, nil
}

// leaf issues a certificate for key and san, with a signed certificate timestamp.
func (f *Fulcio) leaf(san string, key crypto.PublicKey) (*x509.Certificate, error) {
	from := time.Now().Add(time.Duration(f.shift.Load()))
	issuer, err := asn1.MarshalWithParams(f.issuer.URL, "utf8")
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(), NotBefore: from.Add(-time.Minute), NotAfter: from.Add(leafValidity),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
		ExtraExtensions: []pkix.Extension{
			{Id: oidIssuerV1, Value: []byte(f.issuer.URL)},
			{Id: oidIssuerV2, Value: issuer},
		},
	}
	if strings.Contains(san, "@") && !strings.Contains(san, "://") {
		template.EmailAddresses = []string{san}
	} else {
		uri, err := url.Parse(san)
		if err != nil {
			return nil, err
		}
		template.URIs = []*url.URL{uri}
	}
	leaf, err := create(template, f.intermediate.certificate, key, f.intermediate.key)
	if err != nil || f.unlogged.Load() {
		return leaf, err
	}
	sct, err := f.sct(leaf)
	if err != nil {
		return nil, err
	}
	template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: oidSCT, Value: sct})
	return create(template, f.intermediate.certificate, key, f.intermediate.key)
}

// sct returns the value of the extension with the signed certificate timestamp for
// leaf, a certificate without this extension (RFC 6962 3.2 and 3.3).
func (f *Fulcio) sct(leaf *x509.Certificate) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(&f.ctlog.PublicKey)
	if err != nil {
		return nil, err
	}
	sct := ct.SignedCertificateTimestamp{
		SCTVersion: ct.V1, LogID: ct.LogID{KeyID: sha256.Sum256(der)}, Timestamp: uint64(time.Now().UnixMilli()),
	}
	entry := ct.LogEntry{Leaf: ct.MerkleTreeLeaf{
		Version: ct.V1, LeafType: ct.TimestampedEntryLeafType,
		TimestampedEntry: &ct.TimestampedEntry{
			Timestamp: sct.Timestamp, EntryType: ct.PrecertLogEntryType,
			PrecertEntry: &ct.PreCert{
				IssuerKeyHash:  sha256.Sum256(f.intermediate.certificate.RawSubjectPublicKeyInfo),
				TBSCertificate: leaf.RawTBSCertificate,
			},
		},
	}}
	signed, err := ct.SerializeSCTSignatureInput(sct, entry)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(signed)
	raw, err := ecdsa.SignASN1(rand.Reader, f.ctlog, sum[:])
	if err != nil {
		return nil, err
	}
	sct.Signature = ct.DigitallySigned{
		Algorithm: tls.SignatureAndHashAlgorithm{Hash: tls.SHA256, Signature: tls.ECDSA}, Signature: raw,
	}
	list, err := x509util.MarshalSCTsIntoSCTList([]*ct.SignedCertificateTimestamp{&sct})
	if err != nil {
		return nil, err
	}
	encoded, err := tls.Marshal(*list)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(encoded)
}

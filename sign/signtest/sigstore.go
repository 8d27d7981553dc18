package signtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
)

// Sigstore is a deployment on loopback servers, which stop when the test ends. It is
// safe for concurrent use.
type Sigstore struct {
	Issuer *Issuer
	Fulcio *Fulcio
	Rekor  *Rekor
	Tiles  *Tiles
	TSA    *TSA
}

// New starts a deployment with new keys.
func New(tb testing.TB) *Sigstore {
	tb.Helper()
	issuer := newIssuer(tb)
	return &Sigstore{
		Issuer: issuer,
		Fulcio: newFulcio(tb, issuer),
		Rekor:  newRekor(tb),
		Tiles:  newTiles(tb),
		TSA:    newTSA(tb),
	}
}

// Part is a set of services in a trusted root.
type Part int

// Parts of a deployment.
const (
	WithFulcio Part = 1 << iota
	WithCTLog
	WithRekor
	WithTiles
	WithTSA
	// Everything has all parts.
	Everything = WithFulcio | WithCTLog | WithRekor | WithTiles | WithTSA
)

// TrustedRoot returns the trusted_root.json of the deployment.
func (s *Sigstore) TrustedRoot(tb testing.TB) []byte {
	tb.Helper()
	return s.TrustedRootOf(tb, Everything)
}

// TrustedRootOf returns a trusted_root.json with the selected parts.
func (s *Sigstore) TrustedRootOf(tb testing.TB, parts Part) []byte {
	tb.Helper()
	var authorities []root.CertificateAuthority
	if parts&WithFulcio != 0 {
		authorities = append(authorities, &root.FulcioCertificateAuthority{
			URI: s.Fulcio.URL, Root: s.Fulcio.root.certificate,
			Intermediates:       []*x509.Certificate{s.Fulcio.intermediate.certificate},
			ValidityPeriodStart: s.Fulcio.root.certificate.NotBefore,
		})
	}
	var stamps []root.TimestampingAuthority
	if parts&WithTSA != 0 {
		stamps = append(stamps, &root.SigstoreTimestampingAuthority{
			URI: s.TSA.URL, Root: s.TSA.root.certificate, Leaf: s.TSA.leaf.certificate,
			ValidityPeriodStart: s.TSA.root.certificate.NotBefore,
		})
	}
	logs, ctlogs := map[string]*root.TransparencyLog{}, map[string]*root.TransparencyLog{}
	if parts&WithRekor != 0 {
		addLog(logs, s.Rekor.URL, logID(tb, &s.Rekor.key.PublicKey), &s.Rekor.key.PublicKey)
	}
	if parts&WithTiles != 0 {
		addLog(logs, s.Tiles.URL, s.Tiles.id, s.Tiles.Key())
	}
	if parts&WithCTLog != 0 {
		addLog(ctlogs, s.Fulcio.URL+"/ctlog", logID(tb, &s.Fulcio.ctlog.PublicKey), &s.Fulcio.ctlog.PublicKey)
	}
	trusted, err := root.NewTrustedRoot(root.TrustedRootMediaType01, authorities, ctlogs, stamps, logs)
	if err != nil {
		tb.Fatal(err)
	}
	raw, err := trusted.MarshalJSON()
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

func addLog(logs map[string]*root.TransparencyLog, url string, id []byte, key crypto.PublicKey) {
	logs[hex.EncodeToString(id)] = &root.TransparencyLog{
		BaseURL: url, ID: id, HashFunc: crypto.SHA256, PublicKey: key,
		SignatureHashFunc: crypto.SHA256, ValidityPeriodStart: time.Now().Add(-validity),
	}
}

// logID returns the ID of a log: the SHA-256 of its public key (RFC 6962 3.2).
func logID(tb testing.TB, key crypto.PublicKey) []byte {
	tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	sum := sha256.Sum256(der)
	return sum[:]
}

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

package sign_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/pgext/pgext/sign"
	"github.com/pgext/pgext/sign/signtest"
)

// TestBadTiledEntries refuses invalid entries of type dsse in a log of version 2.
func TestBadTiledEntries(t *testing.T) {
	s, other := signtest.New(t), signtest.New(t)
	m := certifiedMaker(t, s, identityA)
	m.tiled, m.stamped = true, true
	good, second := m.signature(t, subjectA), m.signature(t, subjectA)
	unstamped := *m
	unstamped.stamped = false
	m.from = &signtest.Sigstore{Issuer: s.Issuer, Fulcio: s.Fulcio, Tiles: other.Tiles, TSA: s.TSA}
	elsewhere := m.signature(t, subjectA)
	trust := newTrust(t, sign.TrustOptions{
		Identities: []sign.Identity{{Subject: identityA, Issuer: s.Issuer.URL}}, Root: rootOf(t, s, signtest.Everything),
	})
	if v := trust.Verify(subjectA.Digest, attached(t, subjectA, good)); len(v.Signatures) != 1 {
		t.Fatalf("the good one: %v", v.Rejected)
	}
	entry := func(b *protobundle.Bundle) *protorekor.TransparencyLogEntry {
		return b.GetVerificationMaterial().GetTlogEntries()[0]
	}
	checkpoint := func(change func(string) string) *protobundle.Bundle {
		return changed(good, func(b *protobundle.Bundle) {
			c := entry(b).GetInclusionProof().GetCheckpoint()
			c.Envelope = change(c.GetEnvelope())
		})
	}
	for _, tc := range []struct {
		name   string
		bundle *protobundle.Bundle
		reason sign.Reason
		text   string
	}{
		{"of another signature", changed(good, func(b *protobundle.Bundle) {
			b.VerificationMaterial.TlogEntries = second.VerificationMaterial.TlogEntries
		}), sign.LogMismatch, "does not match"},
		{"with another body", changed(good, func(b *protobundle.Bundle) { entry(b).CanonicalizedBody = entry(second).GetCanonicalizedBody() }), sign.LogMismatch, "verifying inclusion"},
		{"without a body", changed(good, func(b *protobundle.Bundle) { entry(b).CanonicalizedBody = []byte("{}") }), sign.LogMismatch, ""},
		{"at another place", changed(good, func(b *protobundle.Bundle) { entry(b).LogIndex = 7 }), sign.LogMismatch, "verifying inclusion"},
		{"with a changed proof", changed(second, func(b *protobundle.Bundle) { entry(b).GetInclusionProof().GetHashes()[0][0] ^= 1 }), sign.LogMismatch, "verifying inclusion"},
		{"below a changed checkpoint", checkpoint(func(c string) string { return strings.Replace(c, "\n1\n", "\n2\n", 1) }), sign.LogMismatch, "checkpoint"},
		{"below the checkpoint of another log", checkpoint(func(string) string { return entry(elsewhere).GetInclusionProof().GetCheckpoint().GetEnvelope() }), sign.LogMismatch, "checkpoint"},
		{"below an unsigned checkpoint", checkpoint(func(c string) string { return c[:strings.Index(c, "\n\n")+2] }), sign.LogMismatch, "checkpoint"},
		{"below a name like those of version 1", checkpoint(func(c string) string { return strings.Replace(c, "\n", " - 1\n", 1) }), sign.LogMismatch, ""},
		{"without a proof", changed(good, func(b *protobundle.Bundle) { entry(b).InclusionProof = nil }), sign.Malformed, "inclusion proof"},
		{"of another log", elsewhere, sign.LogMismatch, "a log that is not trusted"},
		{"without a time", unstamped.signature(t, subjectA), sign.NoTime, "neither a log entry nor a timestamp"},
		{"with a time of its own", changed(unstamped.signature(t, subjectA), func(b *protobundle.Bundle) {
			leaf, err := x509.ParseCertificate(b.GetVerificationMaterial().GetCertificate().GetRawBytes())
			must(t, err)
			entry(b).IntegratedTime = leaf.NotBefore.Unix() + 60
		}), sign.NoTime, "neither a log entry nor a timestamp"},
		{"with a promise", changed(unstamped.signature(t, subjectA), func(b *protobundle.Bundle) {
			entry(b).InclusionPromise = &protorekor.InclusionPromise{SignedEntryTimestamp: []byte("promise")}
		}), sign.LogMismatch, ""},
	} {
		t.Run(tc.name, func(t *testing.T) { refused(t, trust, attached(t, subjectA, tc.bundle), tc.reason, tc.text) })
	}
}

// TestLoggedOtherContent refuses a log entry for other content with the same signature,
// which is possible with a specially constructed key.
func TestLoggedOtherContent(t *testing.T) {
	s := signtest.New(t)
	payload := statement(t, sign.PredicateSignature, subjectA)
	signed, harmless := dsse.PAE(bundle.IntotoMediaType, payload), []byte("harmless")
	key, raw := ambiguousKey(t, signed, harmless)
	trust := newTrust(t, sign.TrustOptions{Keys: []crypto.PublicKey{key}, Root: rootOf(t, s, signtest.Everything), Log: sign.Required})
	for _, tc := range []struct {
		name   string
		logged []byte
		reason sign.Reason
	}{{"what is signed", signed, ""}, {"other content", harmless, sign.LogMismatch}} {
		t.Run(tc.name, func(t *testing.T) {
			b := &protobundle.Bundle{
				MediaType: sign.MediaTypeBundle,
				VerificationMaterial: &protobundle.VerificationMaterial{
					Content:     &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{}},
					TlogEntries: []*protorekor.TransparencyLogEntry{enter(t, s.Tiles, key, raw, tc.logged)},
				},
				Content: &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{
					Payload: payload, PayloadType: bundle.IntotoMediaType, Signatures: []*protodsse.Signature{{Sig: raw}},
				}},
			}
			if tc.reason != "" {
				refused(t, trust, attached(t, subjectA, b), tc.reason, "the log entry is for other content")
				return
			}
			if v := trust.Verify(subjectA.Digest, attached(t, subjectA, b)); len(v.Signatures) != 1 {
				t.Errorf("refused: %v", v.Rejected)
			}
		})
	}
}

// ambiguousKey returns a key and a signature that is valid for both texts: with r the
// x coordinate of k and of -k, s = (e1 + r d) / k = (e2 + r d) / -k, so d = -(e1 + e2) / 2r.
func ambiguousKey(tb testing.TB, one, two []byte) (*ecdsa.PublicKey, []byte) {
	tb.Helper()
	n := elliptic.P256().Params().N
	k, err := ecdh.P256().GenerateKey(rand.Reader)
	must(tb, err)
	number := func(raw []byte) *big.Int { return new(big.Int).SetBytes(raw) }
	e1, e2 := sha256.Sum256(one), sha256.Sum256(two)
	r := new(big.Int).Mod(number(k.PublicKey().Bytes()[1:33]), n)
	d := new(big.Int).Neg(new(big.Int).Add(number(e1[:]), number(e2[:])))
	d.Mul(d, new(big.Int).ModInverse(new(big.Int).Lsh(r, 1), n)).Mod(d, n)
	s := new(big.Int).Add(number(e1[:]), new(big.Int).Mul(r, d))
	s.Mul(s, new(big.Int).ModInverse(number(k.Bytes()), n)).Mod(s, n)
	raw, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	must(tb, err)
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d.FillBytes(make([]byte, 32)))
	must(tb, err)
	for _, e := range [][32]byte{e1, e2} {
		if !ecdsa.VerifyASN1(&key.PublicKey, e[:], raw) {
			tb.Fatal("the signature is not valid for both")
		}
	}
	return &key.PublicKey, raw
}

// enter logs a signature of text.
func enter(tb testing.TB, log *signtest.Tiles, key *ecdsa.PublicKey, sig, text []byte) *protorekor.TransparencyLogEntry {
	tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	must(tb, err)
	sum := sha256.Sum256(text)
	request, err := json.Marshal(map[string]any{"hashedRekordRequestV002": map[string]any{
		"digest": sum[:], "signature": map[string]any{"content": sig, "verifier": map[string]any{
			"keyDetails": "PKIX_ECDSA_P256_SHA_256", "publicKey": map[string]any{"rawBytes": der},
		}},
	}})
	must(tb, err)
	resp, err := http.Post(log.URL+"/api/v2/log/entries", "application/json", bytes.NewReader(request))
	must(tb, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(tb, err)
	var e protorekor.TransparencyLogEntry
	must(tb, protojson.Unmarshal(body, &e))
	return &e
}

package sign_test

import (
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/static"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	sigsign "github.com/sigstore/sigstore-go/pkg/sign"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/sign"
	"github.com/pgext/pgext/sign/signtest"
)

// refused requires the only signature in e to be rejected with a reason and text.
func refused(t *testing.T, trust *sign.Trust, e oci.Set, reason sign.Reason, text string) {
	t.Helper()
	v := trust.Verify(subjectA.Digest, e)
	if len(v.Signatures)+len(v.Attestations) != 0 {
		t.Fatalf("accepted: %+v", v)
	}
	if len(v.Rejected) != 1 || v.Rejected[0].Reason != reason || !strings.Contains(v.Rejected[0].Error(), text) {
		t.Errorf("Rejected = %v, want %q with %q", v.Rejected, reason, text)
	}
}

// changed returns a changed copy of b.
func changed(b *protobundle.Bundle, change func(*protobundle.Bundle)) *protobundle.Bundle {
	c := proto.Clone(b).(*protobundle.Bundle)
	change(c)
	return c
}

func TestBadBundles(t *testing.T) {
	m, other := newMaker(t), newMaker(t)
	trust := newTrust(t, sign.TrustOptions{Keys: []crypto.PublicKey{&m.key.PublicKey}})
	good := m.signature(t, subjectA)
	flip := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	signed := func(statement string) *protobundle.Bundle { return m.bundleOf(t, []byte(statement)) }
	const about = `"subject":[{"name":"x","digest":{"sha256":"%s"}}]`
	for _, tc := range []struct {
		name   string
		bundle *protobundle.Bundle
		reason sign.Reason
		text   string
	}{
		{"another key", other.signature(t, subjectA), sign.WrongKey, "the bundle names another key"},
		{"another key with the trusted key hint", changed(other.signature(t, subjectA), func(b *protobundle.Bundle) {
			b.VerificationMaterial.GetPublicKey().Hint = m.hint
		}), sign.BadSignature, "but verification with it failed"},
		{"signature of another image", m.signature(t, subjectB), sign.OtherSubject, "the subject is " + subjectB.Digest.String()},
		{"replayed statement", m.bundleOf(t, statement(t, spdx, subjectB)), sign.OtherSubject, "the subject is " + subjectB.Digest.String()},
		{"changed statement", changed(good, func(b *protobundle.Bundle) {
			b.GetDsseEnvelope().Payload = statement(t, spdx, subjectA)
		}), sign.BadSignature, "but verification with it failed"},
		{"changed type", changed(good, func(b *protobundle.Bundle) { b.GetDsseEnvelope().PayloadType = "text/plain" }), sign.BadSignature, "but verification with it failed"},
		{"changed signature", changed(good, func(b *protobundle.Bundle) { flip(b.GetDsseEnvelope().Signatures[0].Sig) }), sign.BadSignature, "but verification with it failed"},
		{"no signature", changed(good, func(b *protobundle.Bundle) { b.GetDsseEnvelope().Signatures = nil }), sign.Malformed, "exactly one signature"},
		{"two signatures", changed(good, func(b *protobundle.Bundle) {
			e := b.GetDsseEnvelope()
			e.Signatures = append(e.Signatures, &protodsse.Signature{Sig: e.Signatures[0].Sig})
		}), sign.Malformed, "exactly one signature"},
		{"no key hint, no matching key", changed(other.signature(t, subjectA), func(b *protobundle.Bundle) {
			b.VerificationMaterial.GetPublicKey().Hint = ""
		}), sign.BadSignature, "verification with SHA256:"},
		{"next version", changed(good, func(b *protobundle.Bundle) { b.MediaType = "application/vnd.dev.sigstore.bundle.v0.4+json" }), sign.UnknownVersion, "bundle.v0.4+json"},
		{"no version", changed(good, func(b *protobundle.Bundle) { b.MediaType = "" }), sign.UnknownVersion, `media type ""`},
		{"no content", changed(good, func(b *protobundle.Bundle) { b.Content = nil }), sign.Malformed, "missing bundle content"},
		{"no verification material", changed(good, func(b *protobundle.Bundle) { b.VerificationMaterial = nil }), sign.Malformed, "missing verification material"},
		{"no statement", m.sign(t, &sigsign.PlainData{Data: []byte("the manifest")}), sign.Malformed, "no statement"},
		{"statement that is not JSON", signed("hello"), sign.Malformed, "statement: "},
		{"statement that is a list", signed("[]"), sign.Malformed, "statement: "},
		{"no subject", signed(`{"predicateType":"` + spdx + `"}`), sign.OtherSubject, "the statement has no subject"},
		{"no predicate type", signed(fmt.Sprintf(`{`+about+`}`, subjectA.Digest.Hex)), sign.Malformed, "no predicate type"},
		{"invalid digest", signed(fmt.Sprintf(`{"predicateType":"x",`+about+`}`, "zz")), sign.OtherSubject, "the subject is sha256:zz"},
	} {
		t.Run(tc.name, func(t *testing.T) { refused(t, trust, attached(t, subjectA, tc.bundle), tc.reason, tc.text) })
	}
	t.Run("with a valid one", func(t *testing.T) {
		v := trust.Verify(subjectA.Digest, attached(t, subjectA, other.signature(t, subjectA), good))
		if len(v.Signatures) != 1 || len(v.Rejected) != 1 {
			t.Errorf("Verify() = %+v", v)
		}
	})
}

func TestBadBundleText(t *testing.T) {
	m := newMaker(t)
	trust := newTrust(t, sign.TrustOptions{Keys: []crypto.PublicKey{&m.key.PublicKey}})
	good, err := protojson.Marshal(m.signature(t, subjectA))
	must(t, err)
	for _, tc := range []struct{ name, text string }{
		{"empty", ""},
		{"not JSON", "hello"},
		{"cut off", string(good[:len(good)-2])},
		{"two documents", string(good) + string(good)},
		{"an unknown field", strings.Replace(string(good), "{", `{"surprise":1,`, 1)},
		{"a number for a string", strings.Replace(string(good), "{", `{"mediaType":1,`, 1)},
		{"deep", strings.Repeat("[", 1<<20)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			refused(t, trust, oci.Set{Referrers: []v1.Image{referrer(t, subjectA, sign.MediaTypeBundle, []byte(tc.text))}}, sign.Malformed, "not a bundle")
		})
	}
}

// otherManifest is an image with another raw manifest, or an error.
type otherManifest struct {
	v1.Image
	manifest string
	err      error
}

func (i otherManifest) RawManifest() ([]byte, error) { return []byte(i.manifest), i.err }

// otherLayer is an image whose layer has other bytes; reading ends with err.
type otherLayer struct {
	v1.Image
	text string
	err  error
}

func (i otherLayer) LayerByDigest(v1.Hash) (v1.Layer, error) {
	return layerWithError{static.NewLayer([]byte(i.text), sign.MediaTypeBundle), i.err}, nil
}

type layerWithError struct {
	v1.Layer
	err error
}

func (l layerWithError) Compressed() (io.ReadCloser, error) {
	r, err := l.Layer.Compressed()
	return io.NopCloser(io.MultiReader(r, iotest.ErrReader(l.err))), err
}

func TestBadManifests(t *testing.T) {
	m := newMaker(t)
	trust := newTrust(t, sign.TrustOptions{Keys: []crypto.PublicKey{&m.key.PublicKey}})
	img := attached(t, subjectA, m.signature(t, subjectA)).Referrers[0]
	raw, err := img.RawManifest()
	must(t, err)
	manifest := string(raw)
	layer := manifest[strings.Index(manifest, `"layers":[`)+len(`"layers":[`) : strings.Index(manifest, `],"subject"`)]
	digest := layer[strings.Index(layer, "sha256:"):][:len("sha256:")+64]
	for _, tc := range []struct {
		name   string
		img    v1.Image
		reason sign.Reason
		text   string
	}{
		{"unreadable", otherManifest{img, "", errors.New("connection reset")}, sign.Unreadable, "connection reset"},
		{"not JSON", otherManifest{img, "<html>", nil}, sign.Malformed, "manifest: "},
		{"huge", otherManifest{img, strings.Repeat(" ", 5<<20) + manifest, nil}, sign.TooLarge, "the manifest has"},
		{"no layer", otherManifest{img, strings.Replace(manifest, layer, "", 1), nil}, sign.Malformed, "0 layers"},
		{"two layers", otherManifest{img, strings.Replace(manifest, layer, layer+","+layer, 1), nil}, sign.Malformed, "2 layers"},
		{"a huge layer", otherManifest{img, strings.Replace(manifest, layer, strings.Replace(layer, `"size":`, `"size":9`, 1)[:strings.Index(layer, `"size":`)]+`"size":99999999999,"digest":"`+digest+`"}`, 1), nil}, sign.TooLarge, "99999999999 bytes"},
		{"a missing layer", otherManifest{img, strings.Replace(manifest, digest, "sha256:"+strings.Repeat("0", 64), 1), nil}, sign.Malformed, "digest mismatch"},
		{"other bytes", otherLayer{img, strings.Repeat("x", 9999), io.EOF}, sign.Malformed, "digest mismatch"},
		{"other bytes, with a read error", otherLayer{img, strings.Repeat("x", 9999), errors.New("checksum")}, sign.Malformed, "digest mismatch"},
		{"truncated bytes", otherLayer{img, "{", errors.New("connection reset")}, sign.Unreadable, "connection reset"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			refused(t, trust, oci.Set{Referrers: []v1.Image{tc.img}}, tc.reason, tc.text)
		})
	}
	t.Run("too many", func(t *testing.T) {
		var e oci.Set
		for range 1100 {
			e.Referrers = append(e.Referrers, referrer(t, subjectA, sign.MediaTypeBundle, nil))
		}
		v := trust.Verify(subjectA.Digest, e)
		if n := len(v.Rejected); n != 1001 || v.Rejected[n-1].Reason != sign.TooLarge {
			t.Errorf("%d rejections, the last %v", n, v.Rejected[n-1])
		}
	})
}

func TestBadLegacyEvidence(t *testing.T) {
	m := newMaker(t)
	trust := newTrust(t, sign.TrustOptions{Keys: []crypto.PublicKey{&m.key.PublicKey}})
	good := m.legacySignature(t, legacyPayload(subjectA))
	claim := m.legacyAttestation(t, statement(t, spdx, subjectA))
	with := func(l legacy, key, value string) legacy {
		l.annotations = maps.Clone(l.annotations)
		l.annotations["dev."+key] = value
		return l
	}
	const log = `{"SignedEntryTimestamp":"eA==","Payload":{"body":%s,"integratedTime":1,"logIndex":1,"logID":%q}}`
	hashed := fmt.Sprintf("%q", base64.StdEncoding.EncodeToString([]byte(`{"kind":"hashedrekord","apiVersion":"0.0.1","spec":{}}`)))
	for _, tc := range []struct {
		name   string
		e      oci.Set
		reason sign.Reason
		text   string
	}{
		{"another key", signed(t, subjectA, newMaker(t).legacySignature(t, legacyPayload(subjectA))), sign.BadSignature, "signed with another key"},
		{"signature of another image", signed(t, subjectA, m.legacySignature(t, legacyPayload(subjectB))), sign.OtherSubject, "signs " + subjectB.Digest.String()},
		{"replayed statement", attested(t, subjectA, m.legacyAttestation(t, statement(t, spdx, subjectB))), sign.OtherSubject, "the subject is " + subjectB.Digest.String()},
		{"changed payload", signed(t, subjectA, legacy{append(legacyPayload(subjectA), ' '), good.annotations}), sign.BadSignature, "or the content was changed"},
		{"changed envelope", attested(t, subjectA, legacy{[]byte(strings.Replace(string(claim.content), `"payload":"e`, `"payload":"f`, 1)), nil}), sign.BadSignature, "or the content was changed"},
		{"another program's payload", signed(t, subjectA, m.legacySignature(t, []byte(`{"critical":{"type":"atomic container signature"}}`))), sign.Malformed, `has type "atomic container signature"`},
		{"payload that is not JSON", signed(t, subjectA, m.legacySignature(t, []byte("hello"))), sign.Malformed, "payload: "},
		{"no signature", signed(t, subjectA, with(good, "cosignproject.cosign/signature", "")), sign.Malformed, "no signature"},
		{"invalid signature encoding", signed(t, subjectA, with(good, "cosignproject.cosign/signature", "*")), sign.Malformed, "signature: "},
		{"invalid certificate", signed(t, subjectA, with(good, "sigstore.cosign/certificate", "x")), sign.Malformed, "not in PEM form"},
		{"an empty certificate", signed(t, subjectA, with(good, "sigstore.cosign/certificate", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")), sign.Malformed, ""},
		{"log entry that is not JSON", signed(t, subjectA, with(good, "sigstore.cosign/bundle", "x")), sign.LogMismatch, "log entry: "},
		{"a log entry without a body", signed(t, subjectA, with(good, "sigstore.cosign/bundle", fmt.Sprintf(log, "7", ""))), sign.LogMismatch, "no body"},
		{"a log entry whose body is not JSON", signed(t, subjectA, with(good, "sigstore.cosign/bundle", fmt.Sprintf(log, `"eA=="`, ""))), sign.LogMismatch, "body: "},
		{"a log entry with an invalid log ID", signed(t, subjectA, with(good, "sigstore.cosign/bundle", fmt.Sprintf(log, hashed, "zz"))), sign.LogMismatch, "log ID: "},
		{"a log entry without a signed entry timestamp", signed(t, subjectA, with(good, "sigstore.cosign/bundle", strings.Replace(fmt.Sprintf(log, hashed, "00"), "eA==", "", 1))), sign.LogMismatch, "no signed entry timestamp"},
		{"timestamp that is not JSON", signed(t, subjectA, with(good, "sigstore.cosign/rfc3161timestamp", "x")), sign.BadTimestamp, "timestamp: "},
		{"envelope that is not JSON", attested(t, subjectA, legacy{[]byte("x"), nil}), sign.Malformed, "not a DSSE envelope"},
		{"an envelope without a statement", attested(t, subjectA, legacy{[]byte(`{"payload":"*","signatures":[{"sig":"eA=="}]}`), nil}), sign.Malformed, "statement: "},
		{"an envelope without a signature", attested(t, subjectA, legacy{[]byte(`{"payload":"eA=="}`), nil}), sign.Malformed, "no signature"},
		{"an envelope with an invalid signature encoding", attested(t, subjectA, legacy{[]byte(`{"payload":"eA==","signatures":[{"sig":"*"}]}`), nil}), sign.Malformed, "signature: "},
		{"a manifest that is not JSON", oci.Set{Legacy: map[string]v1.Image{oci.SignatureTag(subjectA.Digest): otherManifest{signed(t, subjectA, good).Legacy[oci.SignatureTag(subjectA.Digest)], "x", nil}}}, sign.Malformed, "manifest: "},
	} {
		t.Run(tc.name, func(t *testing.T) { refused(t, trust, tc.e, tc.reason, tc.text) })
	}
	t.Run("a log entry of another log", func(t *testing.T) {
		logged := newTrust(t, sign.TrustOptions{Keys: []crypto.PublicKey{&m.key.PublicKey}, Log: sign.Required, Root: rootOf(t, signtest.New(t), signtest.Everything)})
		refused(t, logged, signed(t, subjectA, with(good, "sigstore.cosign/bundle", fmt.Sprintf(log, hashed, "00"))), sign.LogMismatch, "a log that is not trusted (00)")
	})
	t.Run("under the tag of another image", func(t *testing.T) {
		if v := trust.Verify(subjectB.Digest, signed(t, subjectA, good)); len(v.Signatures)+len(v.Rejected) != 0 {
			t.Errorf("Verify() = %+v", v)
		}
	})
}

// TestUnreadable requires the hint of the error that made evidence unreadable.
func TestUnreadable(t *testing.T) {
	m := newMaker(t)
	trust := newTrust(t, sign.TrustOptions{Keys: []crypto.PublicKey{&m.key.PublicKey}})
	img := attached(t, subjectA, m.signature(t, subjectA)).Referrers[0]
	for _, tc := range []struct {
		err  error
		hint string
	}{
		{fmt.Errorf("reading: %w", failure.New(failure.Registry, "wait", "the registry is busy")), "wait"},
		{errors.New("connection reset"), ""},
	} {
		v := trust.Verify(subjectA.Digest, oci.Set{Referrers: []v1.Image{newMaker(t).attach(t), otherManifest{img, "", tc.err}}})
		if len(v.Rejected) != 2 || v.Rejected[1].Reason != sign.Unreadable || !errors.Is(v.Rejected[1], tc.err) || v.Rejected[1].Hint() != tc.hint {
			t.Errorf("Rejected = %v, want an unreadable one with hint %q", v.Rejected, tc.hint)
		}
	}
}

// attach returns a signature of subjectA by m.
func (m *maker) attach(tb testing.TB) v1.Image {
	tb.Helper()
	return attached(tb, subjectA, m.signature(tb, subjectA)).Referrers[0]
}

func TestHints(t *testing.T) {
	for reason, want := range map[sign.Reason]string{
		sign.NoKeyTrusted: "--key", sign.NoIdentityTrusted: "--certificate-identity", sign.NotLogged: "--insecure-ignore-tlog",
		sign.UntrustedAuthority: "--trusted-root", sign.BadSignature: "publisher", sign.WrongKey: "publisher", sign.Malformed: "",
	} {
		if got := (&sign.Rejection{Reason: reason}).Hint(); !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("%s: %q, want %q", reason, got, want)
		}
	}
}

// TestBadLogEntries refuses log entries of another signature, and changed ones.
func TestBadLogEntries(t *testing.T) {
	s, other := signtest.New(t), signtest.New(t)
	m := certifiedMaker(t, s, identityA)
	good, second := m.signature(t, subjectA), m.signature(t, subjectA)
	attestation := m.bundleOf(t, statement(t, spdx, subjectA))
	stranger := certifiedMaker(t, s, "stranger@example.com").signature(t, subjectA)
	elsewhere := &signtest.Sigstore{Issuer: other.Issuer, Fulcio: other.Fulcio, Rekor: s.Rekor, TSA: s.TSA}
	foreign := certifiedMaker(t, elsewhere, identityA).signature(t, subjectA)
	trust := newTrust(t, sign.TrustOptions{
		Identities: []sign.Identity{{Subject: identityA, IssuerRegexp: "."}},
		Root:       rootOf(t, s, signtest.Everything),
	})
	for _, tc := range []struct {
		name   string
		bundle *protobundle.Bundle
		reason sign.Reason
		text   string
	}{
		{"of another signature", changed(good, func(b *protobundle.Bundle) {
			b.VerificationMaterial.TlogEntries = second.VerificationMaterial.TlogEntries
		}), sign.LogMismatch, "does not match"},
		{"of another statement", changed(good, func(b *protobundle.Bundle) {
			b.VerificationMaterial.TlogEntries = attestation.VerificationMaterial.TlogEntries
		}), sign.LogMismatch, "does not match"},
		{"at another time", changed(good, func(b *protobundle.Bundle) { b.VerificationMaterial.TlogEntries[0].IntegratedTime-- }), sign.LogMismatch, "not enough verified log entries"},
		{"with another body", changed(good, func(b *protobundle.Bundle) {
			b.VerificationMaterial.TlogEntries[0].CanonicalizedBody = second.VerificationMaterial.TlogEntries[0].CanonicalizedBody
		}), sign.LogMismatch, "not enough verified log entries"},
		{"with a changed proof", changed(good, func(b *protobundle.Bundle) {
			b.VerificationMaterial.TlogEntries[0].InclusionProof.RootHash[0] ^= 1
		}), sign.LogMismatch, "log entry: "},
		{"without a proof", changed(good, func(b *protobundle.Bundle) { b.VerificationMaterial.TlogEntries[0].InclusionProof = nil }), sign.Malformed, "inclusion proof missing"},
		{"twice", changed(good, func(b *protobundle.Bundle) {
			e := b.VerificationMaterial
			e.TlogEntries = append(e.TlogEntries, e.TlogEntries[0])
		}), sign.LogMismatch, "duplicate"},
		{"none", changed(good, func(b *protobundle.Bundle) { b.VerificationMaterial.TlogEntries = nil }), sign.NotLogged, "no entry in a transparency log"},
		{"of another log", changed(good, func(b *protobundle.Bundle) { b.VerificationMaterial.TlogEntries[0].LogId.KeyId[0] ^= 1 }), sign.LogMismatch, "a log that is not trusted"},
		{"with the certificate of another", changed(good, func(b *protobundle.Bundle) {
			b.VerificationMaterial.Content = stranger.VerificationMaterial.Content
		}), sign.LogMismatch, "certificate does not match"},
		{"with the certificate of another authority", foreign, sign.UntrustedAuthority, "which is not trusted"},
		{"of a stranger", stranger, sign.WrongIdentity, "stranger@example.com of"},
		{"of a changed statement", changed(good, func(b *protobundle.Bundle) { b.GetDsseEnvelope().Payload = statement(t, spdx, subjectA) }), sign.BadSignature, "the certificate of " + identityA},
		{"of another image", m.signature(t, subjectB), sign.OtherSubject, "the subject is " + subjectB.Digest.String()},
	} {
		t.Run(tc.name, func(t *testing.T) { refused(t, trust, attached(t, subjectA, tc.bundle), tc.reason, tc.text) })
	}
}

// TestBadTimestamps refuses timestamps of another signature, and of an untrusted
// authority.
func TestBadTimestamps(t *testing.T) {
	s, other := signtest.New(t), signtest.New(t)
	m := certifiedMaker(t, s, identityA)
	m.stamped = true
	good, second := m.signature(t, subjectA), m.signature(t, subjectA)
	m.from = &signtest.Sigstore{Issuer: s.Issuer, Fulcio: s.Fulcio, Rekor: s.Rekor, TSA: other.TSA}
	elsewhere := m.signature(t, subjectA)
	trust := newTrust(t, sign.TrustOptions{
		Identities: []sign.Identity{{Subject: identityA, Issuer: s.Issuer.URL}},
		Root:       rootOf(t, s, signtest.Everything), Timestamp: true,
	})
	stamps := func(b *protobundle.Bundle) *protobundle.TimestampVerificationData {
		return b.VerificationMaterial.TimestampVerificationData
	}
	for _, tc := range []struct {
		name   string
		bundle *protobundle.Bundle
		reason sign.Reason
	}{
		{"of another signature", changed(good, func(b *protobundle.Bundle) { b.VerificationMaterial.TimestampVerificationData = stamps(second) }), sign.BadTimestamp},
		{"of another authority", elsewhere, sign.BadTimestamp},
		{"changed", changed(good, func(b *protobundle.Bundle) { s := stamps(b).Rfc3161Timestamps[0].SignedTimestamp; s[len(s)-5] ^= 1 }), sign.BadTimestamp},
		{"empty", changed(good, func(b *protobundle.Bundle) { stamps(b).Rfc3161Timestamps[0].SignedTimestamp = nil }), sign.BadTimestamp},
		{"none", changed(good, func(b *protobundle.Bundle) { b.VerificationMaterial.TimestampVerificationData = nil }), sign.NoTime},
	} {
		t.Run(tc.name, func(t *testing.T) { refused(t, trust, attached(t, subjectA, tc.bundle), tc.reason, "") })
	}
	if diff := cmp.Diff(len(trust.Verify(subjectA.Digest, attached(t, subjectA, good)).Signatures), 1); diff != "" {
		t.Error("the good one does not count")
	}
}

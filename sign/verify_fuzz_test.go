package sign_test

import (
	"crypto"
	"encoding/base64"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/sign"
	"github.com/pgext/pgext/sign/signtest"
)

// trusts returns a Trust in a key, and one in a key and an identity with all services
// required.
func trusts(tb testing.TB) (plain, certified *maker, all []*sign.Trust) {
	tb.Helper()
	s := signtest.New(tb)
	plain, certified = newMaker(tb), certifiedMaker(tb, s, identityA)
	certified.stamped = true
	return plain, certified, []*sign.Trust{
		newTrust(tb, sign.TrustOptions{Keys: []crypto.PublicKey{&plain.key.PublicKey}}),
		newTrust(tb, sign.TrustOptions{
			Keys: []crypto.PublicKey{&plain.key.PublicKey}, Log: sign.Required, Timestamp: true,
			Identities: []sign.Identity{{Subject: identityA, Issuer: s.Issuer.URL}}, Root: rootOf(tb, s, signtest.Everything),
		}),
	}
}

// FuzzBundle accepts only signed content in bundles.
func FuzzBundle(f *testing.F) {
	plain, certified, all := trusts(f)
	text := statement(f, sign.PredicateSignature, subjectA)
	tiled := *certified
	tiled.tiled = true
	for _, m := range []*maker{plain, certified, &tiled} {
		b, err := protojson.Marshal(m.bundleOf(f, text))
		must(f, err)
		f.Add(b)
	}
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle+json;version=0.1"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, trust := range all {
			v := trust.Verify(subjectA.Digest, oci.Set{Referrers: []v1.Image{referrer(t, subjectA, sign.MediaTypeBundle, b)}})
			if len(v.Signatures)+len(v.Rejected) != 1 || len(v.Attestations) != 0 {
				t.Errorf("Verify() = %+v", v)
			}
			if other := trust.Verify(subjectB.Digest, oci.Set{Referrers: []v1.Image{referrer(t, subjectB, sign.MediaTypeBundle, b)}}); len(other.Signatures) > 0 {
				t.Errorf("accepted for another image: %+v", other)
			}
		}
	})
}

// FuzzLegacy accepts only signed content in legacy layers and annotations.
func FuzzLegacy(f *testing.F) {
	plain, certified, all := trusts(f)
	for _, m := range []*maker{plain, certified} {
		for _, l := range []legacy{m.legacySignature(f, legacyPayload(subjectA)), m.legacyAttestation(f, statement(f, sign.PredicateSignature, subjectA))} {
			raw, err := base64.StdEncoding.DecodeString(l.annotations["dev.cosignproject.cosign/signature"])
			must(f, err)
			f.Add(l.content, raw, l.annotations["dev.sigstore.cosign/certificate"], l.annotations["dev.sigstore.cosign/bundle"], l.annotations["dev.sigstore.cosign/rfc3161timestamp"])
		}
	}
	f.Fuzz(func(t *testing.T, content, signature []byte, certificate, log, stamp string) {
		l := legacy{content, map[string]string{
			"dev.cosignproject.cosign/signature":   base64.StdEncoding.EncodeToString(signature),
			"dev.sigstore.cosign/certificate":      certificate,
			"dev.sigstore.cosign/bundle":           log,
			"dev.sigstore.cosign/rfc3161timestamp": stamp,
		}}
		for _, trust := range all {
			if v := trust.Verify(subjectB.Digest, both(signed(t, subjectB, l), attested(t, subjectB, l))); len(v.Signatures) > 0 || len(v.Rejected) != 2 {
				t.Errorf("accepted for another image: %+v", v)
			}
			if v := trust.Verify(subjectA.Digest, both(signed(t, subjectA, l), attested(t, subjectA, l))); len(v.Signatures)+len(v.Rejected) != 2 {
				t.Errorf("Verify() = %+v", v)
			}
		}
	})
}

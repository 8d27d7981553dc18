package sign_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	sigsign "github.com/sigstore/sigstore-go/pkg/sign"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/sign"
	"github.com/pgext/pgext/sign/signtest"
)

// Fixtures are signed with sigstore-go, not with Signer, which is tested with cosign.

// subjectA and subjectB are the signed manifests.
var (
	subjectA = manifest("a")
	subjectB = manifest("b")
)

func manifest(text string) v1.Descriptor {
	sum := sha256.Sum256([]byte(text))
	return v1.Descriptor{MediaType: types.OCIManifestSchema1, Size: 1, Digest: v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}}
}

// described implements partial.Describable for a descriptor.
type described struct{ d v1.Descriptor }

func (s described) Digest() (v1.Hash, error)            { return s.d.Digest, nil }
func (s described) MediaType() (types.MediaType, error) { return s.d.MediaType, nil }
func (s described) Size() (int64, error)                { return s.d.Size, nil }

// maker signs fixtures with a key, or with certificates if it has a token.
type maker struct {
	key   *ecdsa.PrivateKey
	hint  string
	from  *signtest.Sigstore
	token string
	// logged, tiled and stamped select the services.
	logged, tiled, stamped bool
}

func newMaker(tb testing.TB) *maker {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		tb.Fatal(err)
	}
	sum := sha256.Sum256(der)
	return &maker{key: key, hint: base64.StdEncoding.EncodeToString(sum[:])}
}

func (m *maker) GetHashAlgorithm() protocommon.HashAlgorithm {
	return protocommon.HashAlgorithm_SHA2_256
}

func (m *maker) GetSigningAlgorithm() protocommon.PublicKeyDetails {
	return protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256
}
func (m *maker) GetHint() []byte                { return []byte(m.hint) }
func (m *maker) GetKeyAlgorithm() string        { return "ECDSA" }
func (m *maker) GetPublicKey() crypto.PublicKey { return &m.key.PublicKey }

func (m *maker) GetPublicKeyPem() (string, error) {
	der, err := x509.MarshalPKIXPublicKey(&m.key.PublicKey)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), err
}

func (m *maker) SignData(_ context.Context, data []byte) ([]byte, []byte, error) {
	sum := sha256.Sum256(data)
	raw, err := ecdsa.SignASN1(rand.Reader, m.key, sum[:])
	return raw, sum[:], err
}

// sign returns a bundle with a signature of content.
func (m *maker) sign(tb testing.TB, content sigsign.Content) *protobundle.Bundle {
	tb.Helper()
	o := sigsign.BundleOptions{Context: tb.Context()}
	if m.token != "" {
		o.CertificateProvider = sigsign.NewFulcio(&sigsign.FulcioOptions{BaseURL: m.from.Fulcio.URL})
		o.CertificateProviderOptions = &sigsign.CertificateProviderOptions{IDToken: m.token}
	}
	switch {
	case m.tiled:
		o.TransparencyLogs = []sigsign.Transparency{sigsign.NewRekor(&sigsign.RekorOptions{BaseURL: m.from.Tiles.URL, Version: 2})}
	case m.logged:
		o.TransparencyLogs = []sigsign.Transparency{sigsign.NewRekor(&sigsign.RekorOptions{BaseURL: m.from.Rekor.URL})}
	}
	if m.stamped {
		o.TimestampAuthorities = []*sigsign.TimestampAuthority{sigsign.NewTimestampAuthority(&sigsign.TimestampAuthorityOptions{URL: m.from.TSA.StampURL()})}
	}
	b, err := sigsign.Bundle(content, m, o)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// statement returns an in-toto statement.
func statement(tb testing.TB, predicateType string, subjects ...v1.Descriptor) []byte {
	tb.Helper()
	var about []map[string]any
	for _, s := range subjects {
		about = append(about, map[string]any{"name": "example.com/image", "digest": map[string]string{s.Digest.Algorithm: s.Digest.Hex}})
	}
	raw, err := json.Marshal(map[string]any{
		"_type": "https://in-toto.io/Statement/v1", "subject": about,
		"predicateType": predicateType, "predicate": map[string]any{"a": 1},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

// bundleOf signs a statement.
func (m *maker) bundleOf(tb testing.TB, statement []byte) *protobundle.Bundle {
	tb.Helper()
	return m.sign(tb, &sigsign.DSSEData{Data: statement, PayloadType: bundle.IntotoMediaType})
}

// signature returns a bundle with a signature of subjects.
func (m *maker) signature(tb testing.TB, subjects ...v1.Descriptor) *protobundle.Bundle {
	tb.Helper()
	return m.bundleOf(tb, statement(tb, sign.PredicateSignature, subjects...))
}

// attached returns evidence with bundles as referrers of subject.
func attached(tb testing.TB, subject v1.Descriptor, bundles ...*protobundle.Bundle) oci.Set {
	tb.Helper()
	var e oci.Set
	for _, b := range bundles {
		text, err := protojson.Marshal(b)
		if err != nil {
			tb.Fatal(err)
		}
		e.Referrers = append(e.Referrers, referrer(tb, subject, sign.MediaTypeBundle, text))
	}
	return e
}

func referrer(tb testing.TB, subject v1.Descriptor, mediaType string, text []byte) v1.Image {
	tb.Helper()
	img, err := oci.NewReferrer(described{subject}, oci.Referrer{ArtifactType: mediaType, Content: text})
	if err != nil {
		tb.Fatal(err)
	}
	return img
}

// legacyPayload returns the payload of a legacy signature.
func legacyPayload(subject v1.Descriptor) []byte {
	return []byte(fmt.Sprintf(`{"critical":{"identity":{"docker-reference":"example.com/image"},"image":{"docker-manifest-digest":%q},"type":"cosign container image signature"},"optional":null}`, subject.Digest))
}

// legacy is a layer of a legacy image.
type legacy struct {
	content     []byte
	annotations map[string]string
}

// legacySignature signs payload like cosign 2.
func (m *maker) legacySignature(tb testing.TB, payload []byte) legacy {
	tb.Helper()
	b := m.sign(tb, &sigsign.PlainData{Data: payload})
	return legacy{payload, annotations(tb, b, base64.StdEncoding.EncodeToString(b.GetMessageSignature().GetSignature()))}
}

// legacyAttestation signs a statement like cosign 2, with a timestamp of the envelope.
func (m *maker) legacyAttestation(tb testing.TB, statement []byte) legacy {
	tb.Helper()
	plain := *m
	plain.stamped = false
	b := plain.bundleOf(tb, statement)
	e := b.GetDsseEnvelope()
	text, err := json.Marshal(map[string]any{
		"payload": e.Payload, "payloadType": e.PayloadType, "signatures": []map[string]any{{"keyid": "", "sig": e.Signatures[0].Sig}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	if m.stamped {
		made, err := sigsign.NewTimestampAuthority(&sigsign.TimestampAuthorityOptions{URL: m.from.TSA.StampURL()}).GetTimestamp(tb.Context(), text)
		if err != nil {
			tb.Fatal(err)
		}
		b.VerificationMaterial.TimestampVerificationData = &protobundle.TimestampVerificationData{
			Rfc3161Timestamps: []*protocommon.RFC3161SignedTimestamp{{SignedTimestamp: made}},
		}
	}
	return legacy{text, annotations(tb, b, "")}
}

// annotations returns the verification material of a bundle as legacy annotations.
func annotations(tb testing.TB, b *protobundle.Bundle, signature string) map[string]string {
	tb.Helper()
	a := map[string]string{"dev.cosignproject.cosign/signature": signature}
	material := b.VerificationMaterial
	if leaf := material.GetCertificate(); leaf != nil {
		a["dev.sigstore.cosign/certificate"] = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.RawBytes}))
	}
	put := func(key string, v any) {
		raw, err := json.Marshal(v)
		if err != nil {
			tb.Fatal(err)
		}
		a[key] = string(raw)
	}
	for _, e := range material.TlogEntries {
		put("dev.sigstore.cosign/bundle", map[string]any{
			"SignedEntryTimestamp": e.InclusionPromise.SignedEntryTimestamp,
			"Payload": map[string]any{
				"body": e.CanonicalizedBody, "integratedTime": e.IntegratedTime,
				"logIndex": e.LogIndex, "logID": hex.EncodeToString(e.LogId.KeyId),
			},
		})
	}
	for _, s := range material.GetTimestampVerificationData().GetRfc3161Timestamps() {
		put("dev.sigstore.cosign/rfc3161timestamp", map[string]any{"SignedRFC3161Timestamp": s.SignedTimestamp})
	}
	return a
}

// legacyImage returns an image for a legacy tag.
func legacyImage(tb testing.TB, mediaType types.MediaType, layers ...legacy) v1.Image {
	tb.Helper()
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, l := range layers {
		var err error
		img, err = mutate.Append(img, mutate.Addendum{Layer: static.NewLayer(bytes.Clone(l.content), mediaType), Annotations: l.annotations})
		if err != nil {
			tb.Fatal(err)
		}
	}
	return img
}

// signed returns evidence under the tag for legacy signatures.
func signed(tb testing.TB, subject v1.Descriptor, layers ...legacy) oci.Set {
	tb.Helper()
	return oci.Set{Legacy: map[string]v1.Image{
		oci.SignatureTag(subject.Digest): legacyImage(tb, "application/vnd.dev.cosign.simplesigning.v1+json", layers...),
	}}
}

// attested returns evidence under the tag for legacy attestations.
func attested(tb testing.TB, subject v1.Descriptor, layers ...legacy) oci.Set {
	tb.Helper()
	return oci.Set{Legacy: map[string]v1.Image{
		oci.AttestationTag(subject.Digest): legacyImage(tb, "application/vnd.dsse.envelope.v1+json", layers...),
	}}
}

func newTrust(tb testing.TB, o sign.TrustOptions) *sign.Trust {
	tb.Helper()
	t, err := sign.NewTrust(o)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func rootOf(tb testing.TB, s *signtest.Sigstore, parts signtest.Part) *sign.Root {
	tb.Helper()
	r, err := sign.ReadRoot(s.TrustedRootOf(tb, parts))
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

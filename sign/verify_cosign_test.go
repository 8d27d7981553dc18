package sign_test

import (
	"crypto"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/sign"
	"github.com/pgext/pgext/sign/signtest"
)

// trustedKey returns a Trust in the key of a file.
func trustedKey(tb testing.TB, file string) (*sign.Trust, string) {
	tb.Helper()
	key, err := sign.LoadPublicKey(tb.Context(), file)
	must(tb, err)
	name, err := sign.KeyFingerprint(key)
	must(tb, err)
	return newTrust(tb, sign.TrustOptions{Keys: []crypto.PublicKey{key}}), "key " + name
}

// counted counts equal strings.
func counted(all []string) map[string]int {
	n := map[string]int{}
	for _, s := range all {
		n[s]++
	}
	return n
}

// offline are cosign flags that disable all services except the registry.
var offline = []string{"--allow-http-registry", "--use-signing-config=false", "--tlog-upload=false"}

// TestVerifiesCosignKeys verifies signatures that cosign made with a key, in both
// formats, on registries with and without the referrers API.
func TestVerifiesCosignKeys(t *testing.T) {
	t.Parallel()
	cosign := signtest.NewCosign(t)
	private, public := cosign.NewKey(t, "cosign")
	trust, who := trustedKey(t, public)
	predicate := cosign.Write(t, "predicate.json", []byte(`{"a":1}`))
	for _, tc := range []struct {
		registry int
		format   sign.Format
		flags    []string
		types    map[string]string
	}{
		{0, sign.FormatBundle, nil, map[string]string{"cyclonedx": cyclonedx}},
		{0, sign.FormatLegacy, []string{"--new-bundle-format=false"}, map[string]string{"slsaprovenance1": provenance}},
		{2, sign.FormatBundle, nil, nil},
	} {
		t.Run(signtest.Registries[tc.registry].Name+" "+string(tc.format), func(t *testing.T) {
			t.Parallel()
			p := newPlaceOn(t, signtest.Registries[tc.registry].Start(t))
			flags := slices.Concat([]string{"--key", private}, offline, tc.flags)
			cosign.Must(t, slices.Concat([]string{"sign", "--recursive"}, flags, []string{p.at(p.subjects[0])})...)
			want := map[string]int{}
			for short, long := range tc.types {
				cosign.Must(t, slices.Concat([]string{"attest", "--type", short, "--predicate", predicate}, flags, []string{p.at(p.subjects[1])})...)
				want[string(tc.format)+" "+long+" "+who] = 1
			}
			evidence := p.evidence(t)
			for i, s := range p.subjects {
				v := trust.Verify(s.Digest, evidence)
				got := briefly(v)
				if diff := cmp.Diff(counted(got.Signed), map[string]int{string(tc.format) + " " + who: 1}); diff != "" || len(v.Rejected) != 0 {
					t.Errorf("signatures of subject %d (-got +want):\n%s%v", i, diff, v.Rejected)
				}
				if i != 1 {
					continue
				}
				if diff := cmp.Diff(counted(got.Attested), want); diff != "" {
					t.Errorf("attestations (-got +want):\n%s", diff)
				}
			}
		})
	}
}

// TestVerifiesCosignIdentities verifies logged signatures that cosign made with an
// identity.
func TestVerifiesCosignIdentities(t *testing.T) {
	t.Parallel()
	cosign := signtest.NewCosign(t)
	s := signtest.New(t)
	p := newPlace(t)
	root := cosign.Write(t, "root.json", s.TrustedRoot(t))
	token := cosign.Write(t, "token", []byte(s.Issuer.Token(identityA)))
	for _, format := range [][]string{nil, {"--new-bundle-format=false"}} {
		cosign.Must(t, slices.Concat([]string{
			"sign", "--use-signing-config=false", "--allow-http-registry", "--trusted-root", root,
			"--fulcio-url", s.Fulcio.URL, "--rekor-url", s.Rekor.URL, "--identity-token", token,
		}, format, []string{p.at(p.subjects[0])})...)
	}
	trust := newTrust(t, sign.TrustOptions{
		Identities: []sign.Identity{{Subject: identityA, Issuer: s.Issuer.URL}},
		Root:       rootOf(t, s, signtest.Everything),
	})
	who := identityA + " of " + s.Issuer.URL
	v := trust.Verify(p.subjects[0].Digest, p.evidence(t))
	if diff := cmp.Diff(briefly(v), brief{Signed: []string{"bundle " + who, "legacy " + who}}); diff != "" {
		t.Errorf("Verify() (-got +want):\n%s%v", diff, v.Rejected)
	}
}

// TestSignerVerified verifies signatures of Signer with Trust and with cosign.
func TestSignerVerified(t *testing.T) {
	t.Parallel()
	cosign := signtest.NewCosign(t)
	private, public := cosign.NewKey(t, "cosign")
	signer := map[sign.Format]*sign.Signer{}
	for _, format := range []sign.Format{sign.FormatBundle, sign.FormatLegacy} {
		signer[format] = open(t, sign.Options{Key: private, Password: password, Format: format})
	}
	trust, who := trustedKey(t, public)
	r := signtest.Registries[2]
	host := r.Start(t)
	for format, signer := range signer {
		t.Run(r.Name+" "+string(format), func(t *testing.T) {
			t.Parallel()
			p := newPlaceOn(t, host).again(t)
			made, err := signer.SignAll(t.Context(), p.everything())
			must(t, err)
			p.publish(t, made)
			evidence := p.evidence(t)
			for i, s := range p.subjects {
				v := trust.Verify(s.Digest, evidence)
				// The index has the statements of both manifests.
				n := map[bool]int{true: 2, false: 1}[i == 0]
				want := map[string]int{}
				for _, predicateType := range []string{spdx, cyclonedx, provenance} {
					want[string(format)+" "+predicateType+" "+who] = n
				}
				got := briefly(v)
				if diff := cmp.Diff(counted(got.Attested), want); diff != "" || len(got.Signed) != 1 || len(v.Rejected) != 0 {
					t.Errorf("subject %d: %v, %v (-got +want):\n%s", i, got.Signed, v.Rejected, diff)
				}
			}
			key := []string{"--key", public, "--insecure-ignore-tlog=true", "--allow-http-registry", "--offline"}
			cosign.Must(t, slices.Concat([]string{"verify"}, key, []string{p.repo.Tag("1").String(), p.at(p.subjects[1])})...)
			for _, short := range []string{"spdxjson", "cyclonedx", "slsaprovenance1"} {
				cosign.Must(t, slices.Concat([]string{"verify-attestation", "--type", short}, key, []string{p.repo.Tag("1").String(), p.at(p.subjects[2])})...)
			}
		})
	}
}

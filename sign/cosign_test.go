package sign_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/pgext/pgext/sign"
	"github.com/pgext/pgext/sign/signtest"
)

// TestCosignVerifiesLoggedKeys verifies logged signatures of a key file with cosign,
// by tag and by digest.
func TestCosignVerifiesLoggedKeys(t *testing.T) {
	cosign := signtest.NewCosign(t)
	s := signtest.New(t)
	private, public := cosign.NewKey(t, "cosign")
	root := cosign.Write(t, "root.json", s.TrustedRoot(t))
	p := newPlace(t)
	for _, format := range []sign.Format{sign.FormatLegacy, sign.FormatBoth} {
		t.Run(string(format), func(t *testing.T) {
			signer := open(t, sign.Options{Key: private, Password: password, Logs: logs(s.Rekor.URL), Format: format})
			p := p.again(t)
			signed, err := signer.SignAll(t.Context(), p.everything())
			must(t, err)
			p.publish(t, signed)
			verifies(t, cosign, p, spdx, "--key", public, "--trusted-root", root)
		})
	}
}

// verifies runs cosign verify on all subjects, and cosign verify-attestation for one
// predicate type.
func verifies(t *testing.T, cosign signtest.Cosign, p place, predicateType string, trust ...string) {
	t.Helper()
	args := append(slices.Clone(trust), "--allow-http-registry", "--offline", p.repo.Tag("1").String())
	for _, s := range p.subjects {
		args = append(args, p.at(s))
	}
	cosign.Must(t, append([]string{"verify"}, args...)...)
	cosign.Must(t, append([]string{"verify-attestation", "--type", predicateType}, args...)...)
}

func password(context.Context) ([]byte, error) { return []byte(signtest.Password), nil }

func open(tb testing.TB, o sign.Options) *sign.Signer {
	tb.Helper()
	signer, err := sign.Open(o)
	must(tb, err)
	return signer
}

const workflow = "https://github.com/pgext/recipes/.github/workflows/build.yaml@refs/heads/main"

// TestCosignVerifiesIdentities verifies signatures of an identity with cosign an hour
// later, when the certificates have expired.
func TestCosignVerifiesIdentities(t *testing.T) {
	cosign := signtest.NewCosign(t)
	s := signtest.New(t)
	root := cosign.Write(t, "root.json", s.TrustedRoot(t))
	for _, clock := range []interface{ Shift(time.Duration) }{s.Fulcio, s.Rekor, s.TSA} {
		clock.Shift(-time.Hour)
	}
	p := newPlace(t)
	trust := []string{"--trusted-root", root, "--certificate-identity", workflow, "--certificate-oidc-issuer", s.Issuer.URL}
	for _, tt := range []struct {
		name       string
		log, stamp string
		trust      []string
	}{
		{"log", s.Rekor.URL, "", nil},
		{"timestamp", "", s.TSA.StampURL(), []string{"--insecure-ignore-tlog=true", "--use-signed-timestamps"}},
		{"log and timestamp", s.Rekor.URL, s.TSA.StampURL(), []string{"--use-signed-timestamps"}},
	} {
		for _, format := range []sign.Format{sign.FormatBundle, sign.FormatLegacy} {
			t.Run(tt.name+" in a "+string(format), func(t *testing.T) {
				signer := open(t, sign.Options{
					IdentityToken: github(s.Issuer), FulcioURL: s.Fulcio.URL, Logs: logs(tt.log), TimestampURLs: stampURLs(tt.stamp), Format: format,
					Now: func() time.Time { return time.Now().Add(-time.Hour) },
				})
				p := p.again(t)
				signed, err := signer.SignAll(t.Context(), p.everything())
				must(t, err)
				p.publish(t, signed)
				verifies(t, cosign, p, spdx, append(trust, tt.trust...)...)
				ours := newTrust(t, sign.TrustOptions{
					Identities: []sign.Identity{{Subject: workflow, Issuer: s.Issuer.URL}}, Root: rootOf(t, s, signtest.Everything),
					Log: map[bool]sign.LogRequirement{true: sign.Ignored}[tt.log == ""], Timestamp: tt.stamp != "",
				})
				evidence := p.evidence(t)
				for i, subject := range p.subjects {
					v := ours.Verify(subject.Digest, evidence)
					if len(v.Signatures) != 1 || len(v.Attestations) != map[bool]int{true: 6, false: 3}[i == 0] || len(v.Rejected) != 0 {
						t.Errorf("ours: subject %d has %d signatures, %d attestations; refused %v", i, len(v.Signatures), len(v.Attestations), v.Rejected)
					}
				}
			})
		}
	}
}

// github requests tokens like a GitHub job.
func github(issuer *signtest.Issuer) func(context.Context) (string, error) {
	address, secret := issuer.GitHub(workflow)
	env := map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": address, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": secret}
	return sign.TokenSource{Getenv: func(name string) string { return env[name] }}.Token
}

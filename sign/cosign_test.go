package sign_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/pgext/pgext/sign"
	"github.com/pgext/pgext/sign/signtest"
)

// TestCosignVerifies: the stock program verifies what a build signs, by tag
// and by digest, in every format.
func TestCosignVerifies(t *testing.T) {
	cosign := signtest.NewCosign(t)
	private, public := cosign.NewKey(t, "cosign")
	p := newPlace(t)
	for _, format := range []sign.Format{sign.FormatBundle, sign.FormatLegacy, sign.FormatBoth} {
		t.Run(string(format), func(t *testing.T) {
			signer := open(t, sign.Options{Key: private, Password: password, Format: format})
			p := p.again(t)
			signed, err := signer.SignAll(t.Context(), p.everything())
			must(t, err)
			p.publish(t, signed)
			trust := []string{"--key", public, "--insecure-ignore-tlog=true"}
			verifies(t, cosign, p, spdx, trust...)
			verifies(t, cosign, p, provenance, trust...)
		})
	}
}

// verifies asks cosign about the signatures of all subjects, and about their
// attestations of one type.
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

// TestCosignVerifiesIdentities: with a log, with a timestamp authority and
// with both, an hour later, when the certificates have ended.
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
					IdentityToken: github(s.Issuer), FulcioURL: s.Fulcio.URL, RekorURL: tt.log, TimestampURL: tt.stamp, Format: format,
					Now: func() time.Time { return time.Now().Add(-time.Hour) },
				})
				p := p.again(t)
				signed, err := signer.SignAll(t.Context(), p.everything())
				must(t, err)
				p.publish(t, signed)
				verifies(t, cosign, p, spdx, append(trust, tt.trust...)...)
			})
		}
	}
}

// TestCosignVerifiesLoggedKeys: a key file whose signatures are in a log.
func TestCosignVerifiesLoggedKeys(t *testing.T) {
	cosign := signtest.NewCosign(t)
	s := signtest.New(t)
	private, public := cosign.NewKey(t, "cosign")
	root := cosign.Write(t, "root.json", s.TrustedRoot(t))
	p := newPlace(t)
	for _, format := range []sign.Format{sign.FormatBundle, sign.FormatLegacy} {
		t.Run(string(format), func(t *testing.T) {
			signer := open(t, sign.Options{Key: private, Password: password, RekorURL: s.Rekor.URL, Format: format})
			p := p.again(t)
			signed, err := signer.SignAll(t.Context(), p.everything())
			must(t, err)
			p.publish(t, signed)
			verifies(t, cosign, p, cyclonedx, "--key", public, "--trusted-root", root)
		})
	}
}

// github asks for tokens as a GitHub job does.
func github(issuer *signtest.Issuer) func(context.Context) (string, error) {
	address, secret := issuer.GitHub(workflow)
	env := map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": address, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": secret}
	return sign.TokenSource{Getenv: func(name string) string { return env[name] }}.Token
}

package sign_test

import (
	"context"
	"testing"

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
			verifiesEverything(t, cosign, p, "--key", public, "--insecure-ignore-tlog=true")
		})
	}
}

// verifiesEverything asks cosign about all that everything has.
func verifiesEverything(t *testing.T, cosign signtest.Cosign, p place, trust ...string) {
	t.Helper()
	trust = append(trust, "--allow-http-registry", "--offline")
	var all []string
	for _, s := range p.subjects {
		all = append(all, p.at(s))
	}
	all = append(all, p.repo.Tag("1").String())
	cosign.Must(t, append(append([]string{"verify"}, trust...), all...)...)
	for _, predicateType := range []string{spdx, cyclonedx, provenance} {
		cosign.Must(t, append(append([]string{"verify-attestation", "--type", predicateType}, trust...), all...)...)
	}
}

func password(context.Context) ([]byte, error) { return []byte(signtest.Password), nil }

func open(tb testing.TB, o sign.Options) *sign.Signer {
	tb.Helper()
	signer, err := sign.Open(o)
	must(tb, err)
	return signer
}

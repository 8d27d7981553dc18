package sign

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	sigsign "github.com/sigstore/sigstore-go/pkg/sign"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
)

const fulcioName = "Fulcio"

// renewal is the time before its expiry at which a certificate is replaced: a
// signature must be logged while the certificate is valid.
const renewal = time.Minute

// keyless makes ephemeral keys with certificates for the identity in an OIDC token.
// A key is used until its certificate expires, and is never stored.
type keyless struct {
	options Options
	fulcio  *service
}

func openKeyless(o Options) (*keyless, error) {
	if o.FulcioURL == "" {
		return nil, servicesError("pass --fulcio-url", "signing with an identity needs Fulcio")
	}
	fulcio, err := o.service(fulcioName, o.FulcioURL)
	switch {
	case err != nil:
		return nil, err
	case o.IdentityToken == nil:
		return nil, tokenError(tokenHint, "missing")
	case len(o.Logs) == 0 && len(o.TimestampURLs) == 0:
		return nil, servicesError("pass --rekor-url or --timestamp-url",
			"signing with an identity needs a log or a timestamp authority, because certificates are valid for minutes")
	}
	return &keyless{o, fulcio}, nil
}

// certChain is a certificate with its issuers, the root last.
type certChain struct {
	leaf  *x509.Certificate
	chain []*x509.Certificate
}

// fresh reports whether the certificate can be used for a signature at t.
func (c *certChain) fresh(t time.Time) bool { return t.Add(renewal).Before(c.leaf.NotAfter) }

// GetCertificate implements sigsign.CertificateProvider.
func (c *certChain) GetCertificate(context.Context, sigsign.Keypair, *sigsign.CertificateProviderOptions) ([]byte, error) {
	return c.leaf.Raw, nil
}

// open creates a key and requests a certificate for it.
func (k *keyless) open(ctx context.Context) (*material, error) {
	token, err := k.options.IdentityToken(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkToken(token, k.options.Now()); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	m, err := newMaterial(&key.PublicKey, func(_ context.Context, message []byte) ([]byte, error) {
		return signDigest(key, message)
	})
	if err != nil {
		return nil, err
	}
	m.certs, err = k.certify(ctx, m, token)
	return m, err
}

func signDigest(key *ecdsa.PrivateKey, message []byte) ([]byte, error) {
	digest := sha256.Sum256(message)
	return ecdsa.SignASN1(rand.Reader, key, digest[:])
}

// certify requests a certificate for the key of m from Fulcio. sigstore-go returns
// the leaf only. The issuers, which legacy signatures include, are read from the
// recorded response.
func (k *keyless) certify(ctx context.Context, m *material, token string) (*certChain, error) {
	const reading = "reading the certificate"
	recorder := &transport{ctx: ctx, service: k.fulcio, secrets: append([]string{token}, strings.Split(token, ".")...)}
	fulcio := sigsign.NewFulcio(&sigsign.FulcioOptions{BaseURL: k.fulcio.url, Timeout: -1, Transport: recorder})
	if _, err := fulcio.GetCertificate(ctx, m, &sigsign.CertificateProviderOptions{IDToken: token}); err != nil {
		return nil, k.fulcio.failure(reading, err)
	}
	c, err := readChain(recorder.last.body)
	if err != nil {
		return nil, k.fulcio.failure(reading, err)
	}
	if key, ok := c.leaf.PublicKey.(*ecdsa.PublicKey); !ok || !key.Equal(m.public) {
		return nil, k.fulcio.fail("the certificate is for another key")
	}
	if !c.fresh(k.options.Now()) {
		return nil, k.fulcio.fail("the certificate expires at %s: check the clock of this machine", c.leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	return c, nil
}

// readChain reads Fulcio's SigningCertificate (API version 2).
func readChain(body []byte) (*certChain, error) {
	type signingCertificate struct {
		Chain struct {
			Certificates []string `json:"certificates"`
		} `json:"chain"`
	}
	var resp struct {
		Embedded signingCertificate `json:"signedCertificateEmbeddedSct"`
		Detached signingCertificate `json:"signedCertificateDetachedSct"`
	}
	if err := json.Unmarshal(body, &resp); err != nil {
		return nil, err
	}
	chain := slices.Concat(resp.Embedded.Chain.Certificates, resp.Detached.Chain.Certificates)
	all, err := cryptoutils.UnmarshalCertificatesFromPEM([]byte(strings.Join(chain, "\n")))
	if err == nil && len(all) == 0 {
		err = errors.New("the response has no certificate")
	}
	if err != nil {
		return nil, err
	}
	return &certChain{all[0], all[1:]}, nil
}

// sameSigner reports whether other has the identity of c and was issued by the same
// authority. Its validity period is not checked: the log entry or the timestamp of
// a signature determines when it was used.
func (c *certChain) sameSigner(other *x509.Certificate) bool {
	if len(c.chain) == 0 || !sameIdentity(c.leaf, other) {
		return false
	}
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(c.chain[len(c.chain)-1])
	for _, above := range c.chain[:len(c.chain)-1] {
		intermediates.AddCert(above)
	}
	// The subject alternative name of a Fulcio certificate is critical and may have
	// only a type that the library does not support (otherName).
	plain := *other
	plain.UnhandledCriticalExtensions = nil
	_, err := plain.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: other.NotBefore,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	})
	return err == nil
}

// sameIdentity compares the subject alternative names and the OIDC issuers. The
// issuer is in Fulcio's extensions 1.3.6.1.4.1.57264.1.1 and .8.
func sameIdentity(a, b *x509.Certificate) bool {
	for _, oid := range []string{"2.5.29.17", "1.3.6.1.4.1.57264.1.1", "1.3.6.1.4.1.57264.1.8"} {
		if !bytes.Equal(extension(a, oid), extension(b, oid)) {
			return false
		}
	}
	return len(extension(a, "2.5.29.17")) > 0
}

// extension returns the value of an extension; nil if there is none.
func extension(c *x509.Certificate, oid string) []byte {
	for _, e := range c.Extensions {
		if e.Id.String() == oid {
			return e.Value
		}
	}
	return nil
}

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

// renewal is how long before its end a certificate is no longer used: what is
// signed with it must still be logged.
const renewal = time.Minute

// keyless certifies keys of its own for the identity that a token names. A
// key serves until its certificate ends, and is kept nowhere.
type keyless struct {
	options Options
	fulcio  *service
}

func openKeyless(o Options) (*keyless, error) {
	if o.FulcioURL == "" {
		return nil, servicesError("name one with --fulcio-url", "no Fulcio, which signing with an identity needs")
	}
	fulcio, err := o.service(fulcioName, o.FulcioURL)
	switch {
	case err != nil:
		return nil, err
	case o.IdentityToken == nil:
		return nil, tokenError(tokenHint, "none is given")
	case len(o.Logs) == 0 && len(o.TimestampURLs) == 0:
		return nil, servicesError("name a log with --rekor-url or an authority with --timestamp-url",
			"signing with an identity needs a log or a timestamp authority, because certificates are valid for minutes")
	}
	return &keyless{o, fulcio}, nil
}

// certified is a certificate with those above it.
type certChain struct {
	leaf  *x509.Certificate
	chain []*x509.Certificate
}

// fresh reports whether c may be used at t.
func (c *certChain) fresh(t time.Time) bool { return t.Add(renewal).Before(c.leaf.NotAfter) }

// GetCertificate implements sigsign.CertificateProvider.
func (c *certChain) GetCertificate(context.Context, sigsign.Keypair, *sigsign.CertificateProviderOptions) ([]byte, error) {
	return c.leaf.Raw, nil
}

// open makes a key and requests a certificate for it.
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

// certify requests a certificate of m's key from Fulcio. sigstore-go returns the
// leaf alone; the certificates above it, which legacy signatures carry, are read
// from the response.
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
		return nil, k.fulcio.fail("the certificate ends at %s: check the clock of this machine", c.leaf.NotAfter.UTC().Format(time.RFC3339))
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
	var reply struct {
		Embedded signingCertificate `json:"signedCertificateEmbeddedSct"`
		Detached signingCertificate `json:"signedCertificateDetachedSct"`
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		return nil, err
	}
	chain := slices.Concat(reply.Embedded.Chain.Certificates, reply.Detached.Chain.Certificates)
	all, err := cryptoutils.UnmarshalCertificatesFromPEM([]byte(strings.Join(chain, "\n")))
	if err == nil && len(all) == 0 {
		err = errors.New("the response holds none")
	}
	if err != nil {
		return nil, err
	}
	return &certChain{all[0], all[1:]}, nil
}

// issued reports whether other names the same identity as c, and comes from
// the same authority. It was valid when it was made; when that was, the log
// or the timestamp beside it tells.
func (c *certChain) sameSigner(other *x509.Certificate) bool {
	if len(c.chain) == 0 || !sameIdentity(c.leaf, other) {
		return false
	}
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(c.chain[len(c.chain)-1])
	for _, above := range c.chain[:len(c.chain)-1] {
		intermediates.AddCert(above)
	}
	// The names of a Fulcio certificate are critical and may hold only what
	// the library does not read (otherName).
	plain := *other
	plain.UnhandledCriticalExtensions = nil
	_, err := plain.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: other.NotBefore,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	})
	return err == nil
}

// sameIdentity compares the names and who vouched for them (OIDs of Fulcio:
// 1.3.6.1.4.1.57264.1.1 and .8 are the issuer).
func sameIdentity(a, b *x509.Certificate) bool {
	for _, oid := range []string{"2.5.29.17", "1.3.6.1.4.1.57264.1.1", "1.3.6.1.4.1.57264.1.8"} {
		if !bytes.Equal(extension(a, oid), extension(b, oid)) {
			return false
		}
	}
	return len(extension(a, "2.5.29.17")) > 0
}

func extension(c *x509.Certificate, oid string) []byte {
	for _, e := range c.Extensions {
		if e.Id.String() == oid {
			return e.Value
		}
	}
	return nil
}

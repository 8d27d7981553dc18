package signtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"
)

// validity is the time before and after the test in which keys and authorities are
// valid.
const validity = 24 * time.Hour

// authority is a certificate with its key.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// newRoot returns a self-signed authority.
func newRoot(tb testing.TB, name string) authority {
	tb.Helper()
	key := newKey(tb)
	template := caTemplate(name)
	return authority{issue(tb, template, template, &key.PublicKey, key), key}
}

// newIntermediate returns an authority issued by a for certificates with that usage.
func (a authority) newIntermediate(tb testing.TB, name string, usage x509.ExtKeyUsage) authority {
	tb.Helper()
	key := newKey(tb)
	template := caTemplate(name)
	template.ExtKeyUsage = []x509.ExtKeyUsage{usage}
	return authority{issue(tb, template, a.certificate, &key.PublicKey, a.key), key}
}

func caTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: name, Organization: []string{"signtest"}},
		NotBefore:             time.Now().Add(-validity),
		NotAfter:              time.Now().Add(validity),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
}

// newTimestampLeaf returns the certificate of a timestamp authority: its
// extended key usage is critical (RFC 3161 2.3).
func (a authority) newTimestampLeaf(tb testing.TB) authority {
	tb.Helper()
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		tb.Fatal(err)
	}
	key := newKey(tb)
	template := &x509.Certificate{
		SerialNumber:    serial(),
		Subject:         pkix.Name{CommonName: "timestamps", Organization: []string{"signtest"}},
		NotBefore:       time.Now().Add(-validity),
		NotAfter:        time.Now().Add(validity),
		KeyUsage:        x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}},
	}
	return authority{issue(tb, template, a.certificate, &key.PublicKey, a.key), key}
}

func issue(tb testing.TB, template, parent *x509.Certificate, key crypto.PublicKey, by crypto.Signer) *x509.Certificate {
	tb.Helper()
	certificate, err := create(template, parent, key, by)
	if err != nil {
		tb.Fatal(err)
	}
	return certificate
}

func create(template, parent *x509.Certificate, key crypto.PublicKey, by crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key, by)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func serial() *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	return n
}

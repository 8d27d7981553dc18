package sign

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	sigs "github.com/sigstore/sigstore/pkg/signature"
	sigopts "github.com/sigstore/sigstore/pkg/signature/options"
)

// maxPublicKeyFile bounds a file with a public key, in bytes.
const maxPublicKeyFile = 1 << 20

// ReadPublicKey reads a public key in PEM form (PKIX, or PKCS #1 for RSA). The
// error is a *TrustFileError.
func ReadPublicKey(text []byte) (crypto.PublicKey, error) {
	key, err := readPublicKey(text)
	if err != nil {
		return nil, fileError("public key", "", publicKeyHint, err)
	}
	return key, nil
}

const publicKeyHint = "cosign public-key --key cosign.key prints the public key of a private one"

func readPublicKey(text []byte) (crypto.PublicKey, error) {
	block, _ := pem.Decode(text)
	switch {
	case len(text) > maxPublicKeyFile:
		return nil, errors.New("too large")
	case block == nil:
		return nil, errors.New("not in PEM form")
	case strings.Contains(block.Type, "PRIVATE KEY"):
		return nil, errors.New("it is the private key")
	case block.Type == "CERTIFICATE":
		return nil, errors.New("it is a certificate")
	}
	return cryptoutils.UnmarshalPEMToPublicKey(text)
}

// LoadPublicKey reads the public key that ref names: a file in PEM form;
// env://NAME, a variable that holds the text of one; or the key of a KMS as
// SCHEME://…, which its plugin is asked for. The error is a *TrustFileError or a
// *KeyError.
func LoadPublicKey(ctx context.Context, ref string) (crypto.PublicKey, error) {
	var text []byte
	var err error
	if variable, ok := strings.CutPrefix(ref, "env://"); ok {
		text = []byte(os.Getenv(variable))
	} else if strings.Contains(ref, "://") {
		return kmsPublicKey(ctx, ref)
	} else {
		text, err = readTrustFile(ref, maxPublicKeyFile)
	}
	if err == nil {
		var key crypto.PublicKey
		if key, err = readPublicKey(text); err == nil {
			return key, nil
		}
	}
	return nil, fileError("public key", ref, publicKeyHint, err)
}

func readTrustFile(name string, limit int64) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, cause(err)
	case !info.Mode().IsRegular() && !info.Mode().IsDir():
	case info.IsDir():
		return nil, errors.New("it is a folder")
	case info.Size() > limit:
		return nil, errors.New("too large")
	}
	text, err := os.ReadFile(name)
	return text, cause(err)
}

// KeyFingerprint names a public key: the SHA-256 of its DER form (PKIX).
func KeyFingerprint(key crypto.PublicKey) (string, error) {
	sum, err := keySum(key)
	return "SHA256:" + hex.EncodeToString(sum), err
}

func keySum(key crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(der)
	return sum[:], nil
}

// trustedKey is a public key with the ways in which it signs.
type trustedKey struct {
	fingerprint string
	// hint is what bundles call it.
	hint    string
	schemes []sigs.Verifier
}

func trustKey(key crypto.PublicKey) (trustedKey, error) {
	sum, err := keySum(key)
	if err != nil {
		return trustedKey{}, err
	}
	t := trustedKey{fingerprint: "SHA256:" + hex.EncodeToString(sum), hint: base64.StdEncoding.EncodeToString(sum)}
	first, err := sigs.LoadVerifier(key, crypto.SHA256)
	if err != nil {
		return trustedKey{}, err
	}
	t.schemes = append(t.schemes, first)
	if !ambiguous(key) {
		return t, nil
	}
	second, err := sigs.LoadDefaultVerifier(key, sigopts.WithED25519ph())
	if err != nil {
		return trustedKey{}, fmt.Errorf("key %s: %w", t.fingerprint, err)
	}
	t.schemes = append(t.schemes, second)
	return t, nil
}

// ambiguous tells whether signers hash in more than one way for this key: with
// SHA-256, as cosign does, or as its kind suggests.
func ambiguous(key crypto.PublicKey) bool {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		return k.Curve != elliptic.P256()
	case ed25519.PublicKey:
		return true
	}
	return false
}

// keyed is what is trusted while one key is tried.
type keyed struct {
	root.TrustedMaterial
	key sigs.Verifier
}

// PublicKeyVerifier implements root.TrustedMaterial: the hint of a bundle
// chooses nothing.
func (k keyed) PublicKeyVerifier(string) (root.TimeConstrainedVerifier, error) {
	return root.NewExpiringKey(k.key, time.Time{}, time.Time{}), nil
}

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

// maxPublicKeyFile is the maximum size of a public key file in bytes.
const maxPublicKeyFile = 1 << 20

const publicKeyHint = "run cosign public-key --key cosign.key to print the public key"

// readPublicKey parses a public key in PEM form (PKIX, or PKCS #1 for RSA).
func readPublicKey(text []byte) (crypto.PublicKey, error) {
	block, _ := pem.Decode(text)
	switch {
	case len(text) > maxPublicKeyFile:
		return nil, errors.New("too large")
	case block == nil:
		return nil, errors.New("not in PEM form")
	case strings.Contains(block.Type, "PRIVATE KEY"):
		return nil, errors.New("the file has a private key")
	case block.Type == "CERTIFICATE":
		return nil, errors.New("the file has a certificate")
	}
	return cryptoutils.UnmarshalPEMToPublicKey(text)
}

// LoadPublicKey reads a public key. ref is a file in PEM form, env://NAME for a
// variable with the PEM text, or SCHEME://… for a key of the KMS plugin
// sigstore-kms-SCHEME.
func LoadPublicKey(ctx context.Context, ref string) (crypto.PublicKey, error) {
	if variable, ok := strings.CutPrefix(ref, "env://"); ok {
		key, err := readPublicKey([]byte(os.Getenv(variable)))
		if err != nil {
			return nil, fileError("public key", ref, publicKeyHint, err)
		}
		return key, nil
	}
	if strings.Contains(ref, "://") {
		return kmsPublicKey(ctx, ref)
	}
	return loadFile("public key", ref, publicKeyHint, maxPublicKeyFile, readPublicKey)
}

// loadFile reads a file of at most limit bytes and parses it. what and hint are
// for the error.
func loadFile[T any](what, name, hint string, limit int64, parse func([]byte) (T, error)) (value T, err error) {
	text, err := readTrustFile(name, limit)
	if err == nil {
		if value, err = parse(text); err == nil {
			return value, nil
		}
	}
	return value, fileError(what, name, hint, err)
}

func readTrustFile(name string, limit int64) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, cause(err)
	case !info.Mode().IsRegular() && !info.Mode().IsDir():
	case info.IsDir():
		return nil, errors.New("is a directory")
	case info.Size() > limit:
		return nil, errors.New("too large")
	}
	text, err := os.ReadFile(name)
	return text, cause(err)
}

// KeyFingerprint returns "SHA256:" and the hex digest of the DER form (PKIX) of a
// public key.
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

// trustedKey is a public key with a verifier for each signature scheme.
type trustedKey struct {
	fingerprint string
	// hint is the identifier of the key in bundles.
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

// ambiguous reports whether signers use two hash algorithms for this type of key:
// SHA-256, as cosign does, or the default of the type.
func ambiguous(key crypto.PublicKey) bool {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		return k.Curve != elliptic.P256()
	case ed25519.PublicKey:
		return true
	}
	return false
}

// singleKey is trusted material with one key.
type singleKey struct {
	root.TrustedMaterial
	key sigs.Verifier
}

// PublicKeyVerifier implements root.TrustedMaterial. It ignores the hint of the
// bundle.
func (k singleKey) PublicKeyVerifier(string) (root.TimeConstrainedVerifier, error) {
	return root.NewExpiringKey(k.key, time.Time{}, time.Time{}), nil
}

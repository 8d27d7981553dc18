package sign_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/encrypted"
	"github.com/sigstore/cosign/v2/pkg/cosign"
	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/sign"
	"github.com/pgext/pgext/sign/signtest"
)

// newKey writes a new key file with the legacy scrypt parameters of cosign, which need
// half the time.
func newKey(tb testing.TB) (file string, public *ecdsa.PublicKey) {
	tb.Helper()
	key := newECDSA(tb)
	return imported(tb, key), &key.PublicKey
}

// standardKey writes a new key file with the current scrypt parameters.
func standardKey(tb testing.TB) string {
	tb.Helper()
	keys, err := cosign.GenerateKeyPair(func(bool) ([]byte, error) { return []byte(signtest.Password), nil })
	must(tb, err)
	return write(tb, "cosign.key", keys.PrivateBytes)
}

func write(tb testing.TB, name string, content []byte) string {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), name)
	must(tb, os.WriteFile(file, content, 0o600))
	return file
}

// plainKey returns an unencrypted private key in PEM form.
func plainKey(tb testing.TB, key any) []byte {
	tb.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(tb, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// imported writes an encrypted key file like cosign import-key-pair.
func imported(tb testing.TB, key any) string {
	tb.Helper()
	block, _ := pem.Decode(plainKey(tb, key))
	text, err := encrypted.EncryptWithCustomKDFParameters(block.Bytes, []byte(signtest.Password), encrypted.Legacy)
	must(tb, err)
	return write(tb, "cosign.key", pem.EncodeToMemory(&pem.Block{Type: cosign.SigstorePrivateKeyPemType, Bytes: text}))
}

// TestKeyOpensOnce requires one password prompt for many signatures, and the password
// to be overwritten.
func TestKeyOpensOnce(t *testing.T) {
	file, public := newKey(t)
	secret := []byte(signtest.Password)
	var asked atomic.Int32
	signer := open(t, sign.Options{Key: file, Format: sign.FormatBoth, Password: func(context.Context) ([]byte, error) {
		asked.Add(1)
		return secret, nil
	}})
	if asked.Load() != 0 {
		t.Error("a password was asked for before anything was signed")
	}
	_, err := signer.SignAll(t.Context(), newPlace(t).everything())
	must(t, err)
	got, err := signer.PublicKey(t.Context())
	must(t, err)
	if !public.Equal(got) {
		t.Error("the public key is another one")
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the password was asked for %d times", n)
	}
	if strings.Trim(string(secret), "\x00") != "" {
		t.Error("the password is still there")
	}
}

func TestKeyFromEnvironment(t *testing.T) {
	file, public := newKey(t)
	text, err := os.ReadFile(file)
	must(t, err)
	signer := open(t, sign.Options{Key: "env://SIGNING_KEY", Password: password, Getenv: func(name string) string {
		return map[string]string{"SIGNING_KEY": string(text)}[name]
	}})
	got, err := signer.PublicKey(t.Context())
	must(t, err)
	if !public.Equal(got) {
		t.Error("the public key is another one")
	}
}

// TestInvalidKeys refuses invalid keys, in Open if the PEM type shows it (early), and
// otherwise when the key is decrypted.
func TestInvalidKeys(t *testing.T) {
	good, _ := newKey(t)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(t, err)
	public, err := cryptoutils.MarshalPublicKeyToPEM(&p384.PublicKey)
	must(t, err)
	sealed := pem.EncodeToMemory(&pem.Block{Type: cosign.SigstorePrivateKeyPemType, Bytes: []byte(`{"kdf":{"name":"argon2"}}`)})
	for _, tt := range []struct {
		name, key, password string
		early               bool
		want, hint          string
	}{
		{"no file", filepath.Join(t.TempDir(), "cosign.key"), "", true, "no such file", "generate-key-pair"},
		{"folder", t.TempDir(), "", true, "not a private key", "generate-key-pair"},
		{"text", write(t, "a.key", []byte("hello")), "", true, "not a private key in PEM form", "generate-key-pair"},
		{"public", write(t, "b.key", public), "", true, "a public key cannot sign", "cosign.key"},
		{"not encrypted", write(t, "c.key", plainKey(t, p384)), "", true, "not encrypted", "import-key-pair"},
		{"openssl", write(t, "d.key", pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY"})), "", true, "unsupported encryption", ""},
		{"minisign", write(t, "e.key", pem.EncodeToMemory(&pem.Block{Type: "PGP PRIVATE KEY BLOCK"})), "", true, `unsupported PEM type "PGP`, ""},
		{"empty variable", "env://NOT_SET_ANYWHERE", "", true, "the variable is empty", ""},
		{"no plugin", "hsm://slot/1", "", true, "no program sigstore-kms-hsm on PATH", "plugin"},
		{"wrong password", good, "incorrect", false, "wrong password", "COSIGN_PASSWORD"},
		{"empty password", good, "", false, "wrong password", "COSIGN_PASSWORD"},
		{"unknown cipher", write(t, "f.key", sealed), "", false, "unknown kdf", ""},
		{"Ed25519", imported(t, ed), signtest.Password, false, "unsupported key: Ed25519", "generate-key-pair"},
		{"P-384", imported(t, p384), signtest.Password, false, "unsupported key: ECDSA P-384", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			signer, err := sign.Open(sign.Options{Key: tt.key, Password: func(context.Context) ([]byte, error) { return []byte(tt.password), nil }})
			if (err != nil) != tt.early {
				t.Fatalf("Open: %v", err)
			}
			if err == nil {
				_, err = signer.PublicKey(t.Context())
			}
			var failure *failure.Error
			if !errors.As(err, &failure) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(failure.Hint(), tt.hint) {
				t.Errorf("got %v (hint %q), want %q (hint %q)", err, failure.Hint(), tt.want, tt.hint)
			}
		})
	}
}

func TestPasswordPromptFails(t *testing.T) {
	file, _ := newKey(t)
	interrupted := errors.New("interrupted")
	signer := open(t, sign.Options{Key: file, Password: func(context.Context) ([]byte, error) { return nil, interrupted }})
	if _, err := signer.Sign(t.Context(), sign.Subject{}); !errors.Is(err, interrupted) {
		t.Errorf("got %v", err)
	}
}

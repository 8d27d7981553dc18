package sign_test

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/sign"
	"github.com/pgext/pgext/sign/signtest"
)

func TestInvalidTrustOptions(t *testing.T) {
	root := rootOf(t, signtest.New(t), signtest.Everything)
	key := []crypto.PublicKey{&newECDSA(t).PublicKey}
	one := func(i sign.Identity) sign.TrustOptions {
		return sign.TrustOptions{Identities: []sign.Identity{i}, Root: root}
	}
	for _, tc := range []struct {
		name string
		o    sign.TrustOptions
		want string
	}{
		{"no signer", sign.TrustOptions{Root: root}, "no trusted key or identity"},
		{"an identity without a root", sign.TrustOptions{Identities: []sign.Identity{{Subject: "a", Issuer: "b"}}}, "needs a trusted root with its authority"},
		{"a key and no log", sign.TrustOptions{Keys: key, Log: sign.Required}, "need a trusted root with the log"},
		{"a key and no timestamp authority", sign.TrustOptions{Keys: key, Timestamp: true}, "need a trusted root with the authority"},
		{"not a key", sign.TrustOptions{Keys: []crypto.PublicKey{"secret"}}, "trusted key"},
		{"no subject", one(sign.Identity{Issuer: "a"}), "set either the subject"},
		{"two subjects", one(sign.Identity{Subject: "a", SubjectRegexp: "a", Issuer: "a"}), "set either the subject"},
		{"no issuer", one(sign.Identity{Subject: "a"}), "set either the issuer"},
		{"no expression", one(sign.Identity{SubjectRegexp: "(", Issuer: "a"}), `trusted identity /(/ of "a"`},
		{"no expression for the issuer", one(sign.Identity{Subject: "a", IssuerRegexp: "("}), `trusted identity "a" of /(/`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := sign.NewTrust(tc.o); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("NewTrust() = %v, want %q", err, tc.want)
			}
		})
	}
}

func TestLoadPublicKey(t *testing.T) {
	key := newECDSA(t)
	file := write(t, "cosign.pub", publicPEM(t, &key.PublicKey))
	got, err := sign.LoadPublicKey(t.Context(), file)
	if err != nil || !key.PublicKey.Equal(got) {
		t.Fatalf("LoadPublicKey() = %v, %v", got, err)
	}
	name, err := sign.KeyFingerprint(got)
	if err != nil || !strings.HasPrefix(name, "SHA256:") || len(name) != len("SHA256:")+64 {
		t.Errorf("KeyFingerprint() = %q, %v", name, err)
	}
	t.Setenv("COSIGN_PUBLIC_KEY", string(publicPEM(t, &key.PublicKey)))
	if got, err := sign.LoadPublicKey(t.Context(), "env://COSIGN_PUBLIC_KEY"); err != nil || !key.PublicKey.Equal(got) {
		t.Errorf("LoadPublicKey() = %v, %v", got, err)
	}
	ref, kept := install(t, "trusttest")
	if got, err := sign.LoadPublicKey(t.Context(), ref); err != nil || !kept.PublicKey.Equal(got) {
		t.Errorf("LoadPublicKey(%s) = %v, %v", ref, got, err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	for _, tc := range []struct{ name, text, want string }{
		{"text", "hello", "not in PEM form"},
		{"private key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "the file has a private key"},
		{"cosign's private key", "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\neA==\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n", "the file has a private key"},
		{"certificate", "-----BEGIN CERTIFICATE-----\neA==\n-----END CERTIFICATE-----\n", "the file has a certificate"},
		{"nonsense", "-----BEGIN PUBLIC KEY-----\neA==\n-----END PUBLIC KEY-----\n", "public key"},
		{"huge", strings.Repeat("x", 2<<20), "too large"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			file := write(t, "key", []byte(tc.text))
			_, err := sign.LoadPublicKey(t.Context(), file)
			var file2 *failure.Error
			if !errors.As(err, &file2) || !strings.Contains(err.Error(), file) || file2.Hint() == "" || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("LoadPublicKey() = %v, want %q", err, tc.want)
			}
		})
	}
	for _, ref := range []string{"/nowhere/cosign.pub", t.TempDir(), "nosuchkms://key", "env://COSIGN_NOTHING"} {
		if _, err := sign.LoadPublicKey(t.Context(), ref); err == nil || !strings.Contains(err.Error(), ref) {
			t.Errorf("LoadPublicKey(%q) = %v", ref, err)
		}
	}
}

func TestLoadRoot(t *testing.T) {
	text := signtest.New(t).TrustedRoot(t)
	if _, err := sign.LoadRoot(write(t, "root.json", text)); err != nil {
		t.Error(err)
	}
	for _, tc := range []struct{ name, text, want string }{
		{"text", "hello", "trusted root"},
		{"another kind", `{"mediaType":"application/json"}`, "unsupported TrustedRoot media type"},
		{"cut off", string(text[:len(text)/2]), "trusted root"},
		{"an authority without certificates", `{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","certificateAuthorities":[{}]}`, "trusted root"},
		{"a log without a key", `{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[{"hashAlgorithm":"SHA2_256"}]}`, "tlog missing log ID"},
		{"huge", strings.Repeat(" ", 5<<20), "too large"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := sign.LoadRoot(write(t, "root.json", []byte(tc.text)))
			var file *failure.Error
			if !errors.As(err, &file) || !strings.Contains(err.Error(), tc.want) || file.Hint() == "" {
				t.Errorf("LoadRoot() = %v, want %q", err, tc.want)
			}
			if _, err := sign.ReadRoot([]byte(tc.text)); err == nil {
				t.Error("ReadRoot() = nil")
			}
		})
	}
	if _, err := sign.LoadRoot("/nowhere/root.json"); err == nil || !strings.Contains(err.Error(), "/nowhere/root.json: no such file") {
		t.Errorf("LoadRoot() = %v", err)
	}
}

func FuzzReadRoot(f *testing.F) {
	f.Add(signtest.New(f).TrustedRoot(f))
	f.Fuzz(func(_ *testing.T, text []byte) { _, _ = sign.ReadRoot(text) })
}

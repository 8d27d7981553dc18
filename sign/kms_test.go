package sign_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin/handler"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/sign"
	"github.com/pgext/pgext/sign/signtest"
)

// plugin is the program sigstore-kms-SCHEME, whose faults depend on the scheme. Its key
// is the file in the reference.
func plugin(scheme string) int {
	args, err := handler.GetPluginArgs(os.Args)
	if err != nil {
		return 1
	}
	switch scheme {
	case "silent":
		return 0
	case "failing":
		return 3
	case "empty":
		fmt.Println("{}")
		return 0
	case "broken":
		_ = handler.WriteErrorResponse(os.Stdout, errors.New("the token is not in its slot"))
		return 1
	case "endless":
		for {
			if _, err := fmt.Println(strings.Repeat(" ", 1<<16)); err != nil {
				return 1
			}
		}
	case "recording":
		if err := os.WriteFile(os.Getenv("NOTES"), []byte(strings.Join(append(os.Environ(), os.Args...), "\n")), 0o600); err != nil {
			return 1
		}
		_ = handler.WriteErrorResponse(os.Stdout, errors.New("no"))
		return 1
	}
	text, err := os.ReadFile(args.InitOptions.KeyResourceID)
	if err != nil {
		_ = handler.WriteErrorResponse(os.Stdout, err)
		return 1
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return 1
	}
	signer, err := signature.LoadECDSASignerVerifier(key.(*ecdsa.PrivateKey), args.InitOptions.HashFunc)
	if err != nil {
		return 1
	}
	if _, err := handler.Dispatch(os.Stdout, os.Stdin, args, kms{signer, scheme == "wrongmessage"}); err != nil {
		return 1
	}
	return 0
}

// kms is a KMS with one key.
type kms struct {
	signature.SignerVerifier
	wrongMessage bool
}

func (kms) CreateKey(context.Context, string) (crypto.PublicKey, error) { return nil, errors.New("no") }
func (kms) SupportedAlgorithms() []string                               { return nil }
func (kms) DefaultAlgorithm() string                                    { return "" }
func (kms) CryptoSigner(context.Context, func(error)) (crypto.Signer, crypto.SignerOpts, error) {
	return nil, nil, errors.New("no")
}

func (k kms) SignMessage(message io.Reader, opts ...signature.SignOption) ([]byte, error) {
	if k.wrongMessage {
		message = strings.NewReader("something else")
	}
	return k.SignerVerifier.SignMessage(message, opts...)
}

// install links the test program as a plugin on PATH and creates its key.
func install(tb testing.TB, scheme string) (ref string, key *ecdsa.PrivateKey) {
	tb.Helper()
	self, err := os.Executable()
	must(tb, err)
	bin := tb.TempDir()
	must(tb, os.Symlink(self, filepath.Join(bin, "sigstore-kms-"+scheme)))
	tb.(*testing.T).Setenv("PATH", bin+":"+os.Getenv("PATH"))
	key = newECDSA(tb)
	return scheme + "://" + write(tb, "hsm.pem", plainKey(tb, key)), key
}

// TestKMS signs with a key of a plugin and verifies with cosign.
func TestKMS(t *testing.T) {
	cosign := signtest.NewCosign(t)
	ref, key := install(t, "valid")
	signer := open(t, sign.Options{Key: ref, Format: sign.FormatBoth})
	got, err := signer.PublicKey(t.Context())
	must(t, err)
	if !key.PublicKey.Equal(got) {
		t.Error("the public key is another one")
	}
	p := newPlace(t)
	signed, err := signer.SignAll(t.Context(), sign.Batch{Subjects: p.subjects, Statements: []sign.Statement{p.statement(1, spdx), p.statement(2, spdx)}})
	must(t, err)
	p.publish(t, signed)
	verifies(t, cosign, p, spdx, "--key", cosign.Write(t, "hsm.pub", publicPEM(t, &key.PublicKey)), "--insecure-ignore-tlog=true")
}

func TestPluginsThatFail(t *testing.T) {
	for _, tt := range []struct{ scheme, want string }{
		{"silent", "reading its public key: sigstore-kms-silent: reading its response: unexpected end of JSON input"},
		{"failing", "reading its public key: sigstore-kms-failing: exit status 3"},
		{"empty", "incomplete response"},
		{"broken", "the token is not in its slot"},
		{"endless", "the response has more than 1048576 bytes"},
		{"wrongmessage", "signing: sigstore-kms-wrongmessage: the signature does not match the public key of the plugin"},
	} {
		t.Run(tt.scheme, func(t *testing.T) {
			ref, _ := install(t, tt.scheme)
			_, err := open(t, sign.Options{Key: ref}).Sign(t.Context(), newPlace(t).subjects[0])
			var failure *failure.Error
			if !errors.As(err, &failure) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestPluginChildren does not wait for child processes of a plugin that keep its
// standard output open, neither after cancellation nor after the response.
func TestPluginChildren(t *testing.T) {
	for _, tt := range []struct {
		patience     time.Duration
		script, want string
	}{
		{300 * time.Millisecond, "sleep 10 2>/dev/null", context.DeadlineExceeded.Error()},
		{time.Minute, "sleep 10 2>/dev/null & echo '{\"errorMessage\":\"no\"}'", "sigstore-kms-slow: no"},
	} {
		bin := t.TempDir()
		must(t, os.WriteFile(filepath.Join(bin, "sigstore-kms-slow"), []byte("#!/bin/sh\n"+tt.script+"\n:\n"), 0o755))
		t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
		ctx, cancel := context.WithTimeout(t.Context(), tt.patience)
		defer cancel()
		start := time.Now()
		_, err := open(t, sign.Options{Key: "slow://key"}).PublicKey(ctx)
		if err == nil || !strings.Contains(err.Error(), tt.want) || time.Since(start) > 8*time.Second {
			t.Errorf("%s: got %v after %v, want %q", tt.script, err, time.Since(start), tt.want)
		}
	}
}

// TestPluginSecrets requires that plugins do not receive the secrets of pgext, and that
// messages do not contain a token in the key reference.
func TestPluginSecrets(t *testing.T) {
	ref, _ := install(t, "recording")
	notes := filepath.Join(t.TempDir(), "notes")
	t.Setenv("NOTES", notes)
	t.Setenv("VAULT_TOKEN", "its-own")
	for _, name := range []string{"COSIGN_PASSWORD", "COSIGN_PRIVATE_KEY", "SIGSTORE_ID_TOKEN", "PGEXT_IDENTITY_TOKEN", "PGEXT_KEY"} {
		t.Setenv(name, "hunter2")
	}
	_, asSigner := open(t, sign.Options{Key: ref + "?token=hunter3"}).PublicKey(t.Context())
	_, asVerifier := sign.LoadPublicKey(t.Context(), ref+"?token=hunter3")
	for _, err := range []error{asSigner, asVerifier} {
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), "hunter") {
			t.Errorf("got %v", err)
		}
	}
	text, err := os.ReadFile(notes)
	must(t, err)
	if got := string(text); strings.Contains(got, "hunter2") || !strings.Contains(got, "VAULT_TOKEN=its-own") || !strings.Contains(got, "PATH=") {
		t.Errorf("the plugin was told %s", got)
	}
}

package sign

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin"
	"github.com/sigstore/sigstore/pkg/signature/options"
)

// kmsKey is a key that never leaves its keeper: the program
// sigstore-kms-SCHEME on PATH is asked to sign (sigstore's plugin protocol).
type kmsKey struct {
	ref     string
	program string
}

// openKMS looks whether the program for o.Key is there; it is not started.
func openKMS(o Options) (*kmsKey, error) {
	scheme, _, _ := strings.Cut(o.Key, "://")
	k := &kmsKey{ref: o.Key, program: cliplugin.PluginBinaryPrefix + scheme}
	if _, err := exec.LookPath(k.program); err != nil {
		return nil, &KeyError{
			Key: o.Key, Err: fmt.Errorf("no program %s on PATH", k.program),
			hint: "keys of a KMS are used through sigstore's plugins: install the one called " + k.program,
		}
	}
	return k, nil
}

func (k *kmsKey) open(ctx context.Context) (*material, error) {
	// The plugin is told the deadline of this context each time it is asked.
	plugin, err := cliplugin.LoadSignerVerifier(context.WithoutCancel(ctx), k.ref, crypto.SHA256)
	if err != nil {
		return nil, k.fail("starting its plugin", err)
	}
	var public crypto.PublicKey
	err = guard(func() error {
		public, err = plugin.PublicKey(options.WithContext(ctx))
		return err
	})
	if err != nil {
		return nil, k.fail("asking for its public key", err)
	}
	m, err := newMaterial(public, nil)
	if err != nil {
		return nil, &KeyError{Key: k.ref, Err: err}
	}
	m.sign = func(ctx context.Context, message []byte) ([]byte, error) {
		return k.sign(ctx, plugin, m.verifier, message)
	}
	return m, nil
}

// sign asks the plugin, and looks whether the answer is a signature of the key
// that it named before.
func (k *kmsKey) sign(ctx context.Context, plugin signature.Signer, verifier signature.Verifier, message []byte) (sig []byte, err error) {
	err = guard(func() error {
		sig, err = plugin.SignMessage(bytes.NewReader(message), options.WithContext(ctx))
		return err
	})
	if err != nil {
		return nil, k.fail("signing", err)
	}
	if err := verifier.VerifySignature(bytes.NewReader(sig), bytes.NewReader(message)); err != nil {
		return nil, k.fail("signing", errors.New("its public key does not verify what it signed"))
	}
	return sig, nil
}

func (k *kmsKey) fail(doing string, err error) error {
	return &KeyError{Key: k.ref, Err: fmt.Errorf("%s: %s: %w", doing, k.program, err)}
}

// guard turns a panic into an error: the library reads a field of the answer
// without looking whether a plugin sent it.
func guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("the answer lacks what was asked for")
		}
	}()
	return f()
}

// kmsPublicKey asks the plugin of a KMS for the public half of a key.
func kmsPublicKey(ctx context.Context, ref string) (crypto.PublicKey, error) {
	k, err := openKMS(Options{Key: ref})
	if err != nil {
		return nil, err
	}
	m, err := k.open(ctx)
	if err != nil {
		return nil, err
	}
	return m.public, nil
}

package sign

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin/common"
	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin/encoding"
	"github.com/sigstore/sigstore/pkg/signature/options"

	"github.com/pgext/pgext/internal/redact"
)

// pluginPrefix begins the names of programs that keep keys; maxPluginAnswer
// bounds what one may say, in bytes, maxLinger how long after its end what it has
// started may keep the answer open.
const (
	pluginPrefix    = "sigstore-kms-"
	maxPluginAnswer = 1 << 20
	maxLinger       = time.Second
)

// kmsKey is a key that never leaves its keeper: the program
// sigstore-kms-SCHEME on PATH is asked to sign (sigstore's plugin protocol,
// version 1). The library's own client hands on the whole environment.
type kmsKey struct {
	ref     string
	program string
	// redacted is ref without its query, which may hold a token.
	redacted string
}

// openKMS looks whether the program for o.Key is there; it is not started.
func openKMS(o Options) (*kmsKey, error) {
	scheme, _, _ := strings.Cut(o.Key, "://")
	k := &kmsKey{ref: o.Key, program: pluginPrefix + scheme, redacted: redact.Address(o.Key)}
	if _, err := exec.LookPath(k.program); err != nil {
		return nil, keyError(k.redacted, "keys of a KMS are used through sigstore's plugins: install the one called "+k.program, fmt.Errorf("no program %s on PATH", k.program))
	}
	return k, nil
}

func (k *kmsKey) open(ctx context.Context) (*material, error) {
	const doing = "asking for its public key"
	reply, err := k.ask(ctx, nil, &common.MethodArgs{
		MethodName: common.PublicKeyMethodName,
		PublicKey:  &common.PublicKeyArgs{PublicKeyOptions: encoding.PackPublicKeyOptions([]signature.PublicKeyOption{options.WithContext(ctx)})},
	})
	switch {
	case err != nil:
		return nil, k.fail(doing, err)
	case reply.PublicKey == nil:
		return nil, k.fail(doing, errNoAnswer)
	}
	public, err := cryptoutils.UnmarshalPEMToPublicKey(reply.PublicKey.PublicKeyPEM)
	if err != nil {
		return nil, k.fail(doing, err)
	}
	m, err := newMaterial(public, nil)
	if err != nil {
		return nil, keyError(k.redacted, "", err)
	}
	m.sign = func(ctx context.Context, message []byte) ([]byte, error) {
		return k.sign(ctx, m.verifier, message)
	}
	return m, nil
}

// sign asks the plugin, and looks whether the answer is a signature of the key
// that it named before.
func (k *kmsKey) sign(ctx context.Context, verifier signature.Verifier, message []byte) ([]byte, error) {
	reply, err := k.ask(ctx, message, &common.MethodArgs{
		MethodName:  common.SignMessageMethodName,
		SignMessage: &common.SignMessageArgs{SignOptions: encoding.PackSignOptions([]signature.SignOption{options.WithContext(ctx)})},
	})
	switch {
	case err != nil:
		return nil, k.fail("signing", err)
	case reply.SignMessage == nil:
		return nil, k.fail("signing", errNoAnswer)
	}
	sig := reply.SignMessage.Signature
	if err := verifier.VerifySignature(bytes.NewReader(sig), bytes.NewReader(message)); err != nil {
		return nil, k.fail("signing", errors.New("its public key does not verify what it signed"))
	}
	return sig, nil
}

func (k *kmsKey) fail(doing string, err error) error {
	return keyError(k.redacted, "", fmt.Errorf("%s: %s: %w", doing, k.program, err))
}

var errNoAnswer = errors.New("the answer lacks what was asked for")

// ask runs the plugin with one question. What it says on standard error is for
// the user to see.
func (k *kmsKey) ask(ctx context.Context, message []byte, method *common.MethodArgs) (*common.PluginResp, error) {
	_, resource, _ := strings.Cut(k.ref, "://")
	question, err := json.Marshal(common.PluginArgs{
		InitOptions: &common.InitOptions{
			ProtocolVersion: common.ProtocolVersion, KeyResourceID: resource, HashFunc: crypto.SHA256,
			RPCOptions: encoding.PackRPCOptions([]signature.RPCOption{options.WithContext(ctx)}),
		},
		MethodArgs: method,
	})
	if err != nil {
		return nil, err
	}
	var answer bounded
	cmd := exec.CommandContext(ctx, k.program, common.ProtocolVersion, string(question)) //nolint:gosec // the user names the program
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = bytes.NewReader(message), &answer, os.Stderr, othersOf(os.Environ())
	cmd.WaitDelay = maxLinger
	// A plugin that fails says so in its answer, too.
	var exit *exec.ExitError
	switch err := cmd.Run(); {
	case answer.full:
		return nil, fmt.Errorf("the answer has more than %d bytes", maxPluginAnswer)
	case errors.Is(err, exec.ErrWaitDelay): // it has ended well
	case err != nil && (!errors.As(err, &exit) || exit.ExitCode() < 1 || len(answer.text) == 0):
		return nil, cmp.Or(ctx.Err(), err)
	}
	var reply common.PluginResp
	if err := json.Unmarshal(answer.text, &reply); err != nil {
		return nil, fmt.Errorf("reading its answer: %w", err)
	}
	if reply.ErrorMessage != "" {
		return nil, errors.New(truncate(reply.ErrorMessage))
	}
	return &reply, nil
}

// ours are variables that hold secrets for pgext, and for cosign.
var ours = []string{"COSIGN_PASSWORD", "COSIGN_PRIVATE_KEY", "SIGSTORE_ID_TOKEN"}

// othersOf leaves out of an environment what is for pgext alone: a plugin has
// credentials of its own there.
func othersOf(environ []string) []string {
	return slices.DeleteFunc(environ, func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains(ours, name) || strings.HasPrefix(name, "PGEXT_")
	})
}

// bounded keeps what is written to it, and ends the writing at
// maxPluginAnswer.
type bounded struct {
	text []byte
	full bool
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.full = len(b.text)+len(p) > maxPluginAnswer; b.full {
		return 0, io.ErrShortWrite
	}
	b.text = append(b.text, p...)
	return len(p), nil
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

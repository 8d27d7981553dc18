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

const (
	// pluginPrefix is the prefix of the file names of KMS plugins.
	pluginPrefix = "sigstore-kms-"
	// maxPluginResponse is the maximum size of a response in bytes.
	maxPluginResponse = 1 << 20
	// pluginWaitDelay is the time after the exit of a plugin in which its child
	// processes may keep the response open.
	pluginWaitDelay = time.Second
)

// kmsKey is a key in a KMS. The plugin sigstore-kms-SCHEME on PATH makes the
// signatures (sigstore's plugin protocol, version 1). The client of the sigstore
// library is not used, because it passes the whole environment to the plugin.
type kmsKey struct {
	ref     string
	program string
	// redacted is ref without its query, which may contain a token.
	redacted string
}

// openKMS checks that the plugin for o.Key exists; it does not run it.
func openKMS(o Options) (*kmsKey, error) {
	scheme, _, _ := strings.Cut(o.Key, "://")
	k := &kmsKey{ref: o.Key, program: pluginPrefix + scheme, redacted: redact.Address(o.Key)}
	if _, err := exec.LookPath(k.program); err != nil {
		return nil, keyError(k.redacted, "install the sigstore KMS plugin "+k.program, fmt.Errorf("no program %s on PATH", k.program))
	}
	return k, nil
}

func (k *kmsKey) open(ctx context.Context) (*material, error) {
	const doing = "reading its public key"
	resp, err := k.call(ctx, nil, &common.MethodArgs{
		MethodName: common.PublicKeyMethodName,
		PublicKey:  &common.PublicKeyArgs{PublicKeyOptions: encoding.PackPublicKeyOptions([]signature.PublicKeyOption{options.WithContext(ctx)})},
	})
	switch {
	case err != nil:
		return nil, k.fail(doing, err)
	case resp.PublicKey == nil:
		return nil, k.fail(doing, errIncompleteResponse)
	}
	public, err := cryptoutils.UnmarshalPEMToPublicKey(resp.PublicKey.PublicKeyPEM)
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

// sign requests a signature and verifies it with the public key that the plugin
// returned before.
func (k *kmsKey) sign(ctx context.Context, verifier signature.Verifier, message []byte) ([]byte, error) {
	resp, err := k.call(ctx, message, &common.MethodArgs{
		MethodName:  common.SignMessageMethodName,
		SignMessage: &common.SignMessageArgs{SignOptions: encoding.PackSignOptions([]signature.SignOption{options.WithContext(ctx)})},
	})
	switch {
	case err != nil:
		return nil, k.fail("signing", err)
	case resp.SignMessage == nil:
		return nil, k.fail("signing", errIncompleteResponse)
	}
	sig := resp.SignMessage.Signature
	if err := verifier.VerifySignature(bytes.NewReader(sig), bytes.NewReader(message)); err != nil {
		return nil, k.fail("signing", errors.New("the signature does not match the public key of the plugin"))
	}
	return sig, nil
}

func (k *kmsKey) fail(doing string, err error) error {
	return keyError(k.redacted, "", fmt.Errorf("%s: %s: %w", doing, k.program, err))
}

var errIncompleteResponse = errors.New("incomplete response")

// call runs the plugin with one request. The plugin inherits the standard error of
// this process.
func (k *kmsKey) call(ctx context.Context, message []byte, method *common.MethodArgs) (*common.PluginResp, error) {
	_, resource, _ := strings.Cut(k.ref, "://")
	request, err := json.Marshal(common.PluginArgs{
		InitOptions: &common.InitOptions{
			ProtocolVersion: common.ProtocolVersion, KeyResourceID: resource, HashFunc: crypto.SHA256,
			RPCOptions: encoding.PackRPCOptions([]signature.RPCOption{options.WithContext(ctx)}),
		},
		MethodArgs: method,
	})
	if err != nil {
		return nil, err
	}
	var output limitedBuffer
	cmd := exec.CommandContext(ctx, k.program, common.ProtocolVersion, string(request)) //nolint:gosec // the user names the program
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = bytes.NewReader(message), &output, os.Stderr, pluginEnvironment(os.Environ())
	cmd.WaitDelay = pluginWaitDelay
	// A plugin that exits with an error also writes a response with the error.
	var exit *exec.ExitError
	switch err := cmd.Run(); {
	case output.full:
		return nil, fmt.Errorf("the response has more than %d bytes", maxPluginResponse)
	case errors.Is(err, exec.ErrWaitDelay): // the plugin itself exited with 0
	case err != nil && (!errors.As(err, &exit) || exit.ExitCode() < 1 || len(output.text) == 0):
		return nil, cmp.Or(ctx.Err(), err)
	}
	var resp common.PluginResp
	if err := json.Unmarshal(output.text, &resp); err != nil {
		return nil, fmt.Errorf("reading its response: %w", err)
	}
	if resp.ErrorMessage != "" {
		return nil, errors.New(truncate(resp.ErrorMessage))
	}
	return &resp, nil
}

// secretVariables are variables with secrets of pgext and cosign.
var secretVariables = []string{"COSIGN_PASSWORD", "COSIGN_PRIVATE_KEY", "SIGSTORE_ID_TOKEN"}

// pluginEnvironment removes the secrets of pgext from an environment. The
// credentials of the plugin itself stay.
func pluginEnvironment(environ []string) []string {
	return slices.DeleteFunc(environ, func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains(secretVariables, name) || strings.HasPrefix(name, "PGEXT_")
	})
}

// limitedBuffer is a buffer that refuses writes beyond maxPluginResponse.
type limitedBuffer struct {
	text []byte
	full bool
}

// Write implements io.Writer.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.full = len(b.text)+len(p) > maxPluginResponse; b.full {
		return 0, io.ErrShortWrite
	}
	b.text = append(b.text, p...)
	return len(p), nil
}

// kmsPublicKey returns the public key of a key in a KMS.
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

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/publish"
	"github.com/pgext/pgext/sign"
)

// signingFlags say who signs, and what vouches for it.
type signingFlags struct {
	key     string
	keyless bool
	token   string
	format  string
	serviceFlags
	// given reports whether a flag was.
	given func(string) bool
}

func (s *signingFlags) bind(fs *pflag.FlagSet) {
	s.given = fs.Changed
	fs.StringVar(&s.key, "key", "", "sign with this key: a file of cosign generate-key-pair (password: COSIGN_PASSWORD or a prompt), env://NAME, or a key of the program sigstore-kms-SCHEME, as SCHEME://...")
	fs.BoolVar(&s.keyless, "keyless", false, "sign with the identity of this GitHub or GitLab job, or of --identity-token")
	fs.StringVar(&s.token, "identity-token", "", "OIDC token of the identity, or a file that holds it")
	s.serviceFlags.bind(fs)
	fs.StringVar(&s.format, "signature-format", string(sign.FormatBundle), "bundle, legacy (tags sha256-<hex>.sig) or both")
}

// wanted reports whether anything is to be signed.
func (s signingFlags) wanted() bool { return s.key != "" || s.keyless }

// check refuses flags that do not go together.
func (s signingFlags) check() error {
	if err := notEmpty(s.given, map[string]string{"key": s.key, "identity-token": s.token}); err != nil {
		return err
	}
	switch {
	case s.key != "" && s.keyless:
		return usageErrorf("--key and --keyless are mutually exclusive")
	case s.token != "" && !s.keyless:
		return usageErrorf("--identity-token needs --keyless")
	}
	if _, err := sign.ParseFormat(s.format); err != nil {
		return usageErrorf("--signature-format: %v", err)
	}
	return s.serviceFlags.check(s.given, s.keyless, s.format)
}

// notEmpty refuses flags that were given without a value, as a variable that is
// not set gives them: what they ask for must not be left out in silence.
func notEmpty(given func(string) bool, values map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if given(name) && values[name] == "" {
			return usageErrorf("--%s is empty: is the variable set that was to fill it?", name)
		}
	}
	return nil
}

// attestor returns who signs; nil when nobody does. The key is opened, or
// certified, at once: a wrong password and a missing token are told before
// anything is built.
func (a *app) attestor(ctx context.Context, f signingFlags) (publish.Signer, error) {
	if !f.wanted() {
		return nil, nil
	}
	if a.global.offline && (f.keyless || f.asked()) {
		return nil, offlineSigningError{}
	}
	services, err := a.services(ctx, f)
	if err != nil {
		return nil, err
	}
	getenv := func(name string) string {
		value, _ := a.getenv(name)
		return value
	}
	web := &http.Client{Transport: http.DefaultTransport}
	o := sign.Options{
		Key: f.key, Password: a.keyPassword, Getenv: getenv,
		FulcioURL: services.FulcioURL, Logs: services.Logs, TimestampURLs: services.TimestampURLs,
		Format: sign.Format(f.format), HTTPClient: web, Backoff: a.patience,
	}
	if f.keyless {
		o.IdentityToken = sign.TokenSource{Given: f.token, Getenv: getenv, HTTPClient: web, Backoff: a.patience}.Token
	}
	signer, err := sign.Open(o)
	if err != nil {
		return nil, err
	}
	if _, err := signer.PublicKey(ctx); err != nil {
		return nil, err
	}
	out := publish.Attestor{Signer: signer, Invocation: provenance.FromEnvironment(getenv)}
	if !a.global.offline {
		out.Registry = a.registryClient()
	}
	return out, nil
}

// offlineSigningError is about services that --offline keeps from being asked.
type offlineSigningError struct{}

func (offlineSigningError) Error() string {
	return "signing: --keyless, --rekor-url, --timestamp-url and --signing-config need a network, and --offline forbids it"
}

// Hint names the ways that are left.
func (offlineSigningError) Hint() string {
	return "--key alone needs no service; pgext sign signs later what is built now"
}

// ExitCode returns the exit code of whatever the cache does not have.
func (offlineSigningError) ExitCode() int { return (&fetch.OfflineError{}).ExitCode() }

// keyPassword takes the password of a key from COSIGN_PASSWORD, else from the
// terminal.
func (a *app) keyPassword(context.Context) ([]byte, error) {
	if password, ok := a.getenv("COSIGN_PASSWORD"); ok {
		return []byte(password), nil
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, errNoPassword
	}
	defer tty.Close()
	fmt.Fprint(tty, "Password of the key: ")
	password, err := term.ReadPassword(int(tty.Fd()))
	fmt.Fprintln(tty)
	return password, err
}

// errNoPassword is about a key without its password. The room that asks adds
// whose.
var errNoPassword = errors.New("COSIGN_PASSWORD is not set, and there is no terminal to ask")

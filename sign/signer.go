package sign

import (
	"cmp"
	"context"
	"crypto"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// Options select the key or identity, and the services that sign and log.
type Options struct {
	// Key is a key file of cosign generate-key-pair; env://NAME, a variable with the
	// content of one; or SCHEME://…, a key of the KMS plugin sigstore-kms-SCHEME. ""
	// signs with an identity.
	Key string
	// Password is called at most once, before the first signature with a key file;
	// nil means the empty password. The returned bytes are overwritten.
	Password func(context.Context) ([]byte, error)
	// Getenv reads the variable of env://NAME; nil means os.Getenv.
	Getenv func(string) string

	// IdentityToken returns the OIDC token of an identity: see TokenSource. It is
	// called again when a certificate expires.
	IdentityToken func(context.Context) (string, error)
	// FulcioURL is required for an identity.
	FulcioURL string
	// Logs in which signatures are logged. A legacy signature contains the entry of
	// the first log only.
	Logs []Log
	// TimestampURLs of timestamp authorities (RFC 3161). An identity needs one, or a
	// log. A legacy signature contains the timestamp of the first authority only.
	TimestampURLs []string

	// Format of the signatures; "" means FormatBundle.
	Format Format
	// HTTPClient for all services; nil means http.DefaultClient.
	HTTPClient *http.Client
	// Backoff is the wait before a second attempt, which doubles with each;
	// 0 means one second.
	Backoff time.Duration
	// Now is the clock for the expiry of tokens and certificates; nil means time.Now.
	Now func() time.Time
}

func (o Options) complete() Options {
	if o.Password == nil {
		o.Password = func(context.Context) ([]byte, error) { return nil, nil }
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Format = cmp.Or(o.Format, FormatBundle)
	o.HTTPClient = cmp.Or(o.HTTPClient, http.DefaultClient)
	o.Backoff = cmp.Or(o.Backoff, time.Second)
	return o
}

// keySource opens or creates a key.
type keySource interface {
	open(context.Context) (*material, error)
}

// Signer signs with one key, or with ephemeral keys for one identity. It is safe for
// concurrent use.
type Signer struct {
	options     Options
	keys        keySource
	logs        []rekor
	authorities []authority

	mu     sync.Mutex
	opened *material
}

// Open returns a signer. It checks the options, and that the key file or KMS plugin
// exists. It sends no requests and does not need the password.
func Open(o Options) (*Signer, error) {
	o = o.complete()
	s := &Signer{options: o}
	err := s.connect()
	if err != nil {
		return nil, err
	}
	switch scheme, _, ok := strings.Cut(o.Key, "://"); {
	case o.Key == "":
		s.keys, err = openKeyless(o)
	case ok && scheme != "env":
		s.keys, err = openKMS(o)
	default:
		s.keys, err = openKey(o)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// connect checks the addresses of the logs and the timestamp authorities.
func (s *Signer) connect() error {
	for _, l := range s.options.Logs {
		if err := s.options.checkLog(l); err != nil {
			return err
		}
		log, err := s.options.service(rekorName, l.URL)
		if err != nil {
			return err
		}
		s.logs = append(s.logs, rekor{log, max(rekorV1, l.Version)})
	}
	for _, address := range s.options.TimestampURLs {
		service, err := s.options.service(authorityName, address)
		if err != nil {
			return err
		}
		s.authorities = append(s.authorities, authority{service})
	}
	return nil
}

// PublicKey returns the public key of s; for an identity that of the current
// certificate. It decrypts the key, or requests a certificate, so an early call shows
// whether signing will work.
func (s *Signer) PublicKey(ctx context.Context) (crypto.PublicKey, error) {
	m, err := s.material(ctx)
	if err != nil {
		return nil, err
	}
	return m.public, nil
}

// material opens the key on the first call. For an identity it replaces the key when
// the certificate expires.
func (s *Signer) material(ctx context.Context) (*material, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened != nil && (s.opened.certs == nil || s.opened.certs.fresh(s.options.Now())) {
		return s.opened, nil
	}
	m, err := s.keys.open(ctx)
	if err != nil {
		return nil, err
	}
	s.opened = m
	return m, nil
}

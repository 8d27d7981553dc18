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

// Options say who signs, and what vouches for it.
type Options struct {
	// Key is a key file as cosign generate-key-pair writes it; env://NAME, a
	// variable that holds the text of one; or SCHEME://…, a key that the
	// program sigstore-kms-SCHEME keeps. "" signs with an identity.
	Key string
	// Password is asked for at most once, when something is signed with a key
	// file; nil is the empty password. What it returns is overwritten.
	Password func(context.Context) ([]byte, error)
	// Getenv reads the variable of env://NAME; nil means os.Getenv.
	Getenv func(string) string

	// IdentityToken returns the OIDC token of an identity: see TokenSource.
	// It is asked for again when a certificate has ended.
	IdentityToken func(context.Context) (string, error)
	// FulcioURL certifies keys for identities, which need it.
	FulcioURL string
	// Logs are those that signatures are entered into. A legacy signature has
	// room for the first one's entry alone.
	Logs []Log
	// TimestampURLs are where timestamp authorities (RFC 3161) answer. An
	// identity needs one or a log. A legacy signature has room for the first
	// one's stamp alone.
	TimestampURLs []string

	// Format is FormatBundle unless set.
	Format Format
	// HTTPClient talks to all of them; nil means http.DefaultClient.
	HTTPClient *http.Client
	// Backoff is the wait before a second attempt, which doubles with each;
	// 0 means one second.
	Backoff time.Duration
	// Now is the clock that tokens and certificates are held against; nil
	// means time.Now.
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

// keeper has a key, or makes one.
type keeper interface {
	open(context.Context) (*material, error)
}

// Signer signs with one key, or with keys certified for one identity. It may
// be used by several goroutines.
type Signer struct {
	options     Options
	keeper      keeper
	logs        []rekor
	authorities []authority

	mu     sync.Mutex
	opened *material
}

// Open returns a signer. It looks whether the key, the program that keeps it
// or a source of tokens is there; it decrypts nothing, asks nobody and needs
// no password yet. Errors are *KeyError, *TokenError, *ServiceError and
// *ServicesError.
func Open(o Options) (*Signer, error) {
	o = o.complete()
	s := &Signer{options: o}
	err := s.connect()
	if err != nil {
		return nil, err
	}
	switch scheme, _, ok := strings.Cut(o.Key, "://"); {
	case o.Key == "":
		s.keeper, err = openKeyless(o)
	case ok && scheme != "env":
		s.keeper, err = openKMS(o)
	default:
		s.keeper, err = openKey(o)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// connect prepares the logs and the authorities.
func (s *Signer) connect() error {
	for _, l := range s.options.Logs {
		if err := s.options.suits(l); err != nil {
			return err
		}
		log, err := s.options.service(rekorName, l.URL)
		if err != nil {
			return err
		}
		s.logs = append(s.logs, rekor{log, max(rekorTrees, l.Version)})
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

// PublicKey returns the key that verifies what s signs; of an identity it is
// the certified key of the moment. It decrypts the key, or has one certified,
// so calling it early shows early that signing will work.
func (s *Signer) PublicKey(ctx context.Context) (crypto.PublicKey, error) {
	m, err := s.material(ctx)
	if err != nil {
		return nil, err
	}
	return m.public, nil
}

// material opens the key once; that of an identity again when its certificate
// ends.
func (s *Signer) material(ctx context.Context) (*material, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened != nil && (s.opened.certs == nil || s.opened.certs.fresh(s.options.Now())) {
		return s.opened, nil
	}
	m, err := s.keeper.open(ctx)
	if err != nil {
		return nil, err
	}
	s.opened = m
	return m, nil
}

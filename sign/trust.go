package sign

import (
	"crypto"
	"errors"
	"fmt"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// Trust says whose signatures count. It may be used by several goroutines.
type Trust struct {
	keys       []trustedKey
	identities []verify.CertificateIdentity
	authority  root.TrustedMaterial
	rules      TrustOptions
}

// TrustOptions say whom to trust and what a signature has to come with. At
// least one key or identity is needed; one match among them is enough.
type TrustOptions struct {
	// Keys are public keys: see ReadPublicKey and LoadPublicKey.
	Keys []crypto.PublicKey
	// Identities are those certificates are issued for. They need a Root.
	Identities []Identity
	// Root names the authorities; nil knows none.
	Root *Root
	// Log says whether a signature must be in a transparency log.
	Log Demand
	// Timestamp demands the stamp of a timestamp authority (RFC 3161).
	Timestamp bool
	// NoSCT takes certificates without the promise of a certificate
	// transparency log, as private authorities issue them.
	NoSCT bool
}

// Demand is what a rule asks for.
type Demand int

// Values of Demand.
const (
	// Usual demands a log entry of certificates, which live for ten minutes,
	// and not of keys.
	Usual Demand = iota
	// Required demands it of keys too.
	Required
	// Ignored looks at no log. A certificate then needs a timestamp, or has to
	// be valid now.
	Ignored
)

// Identity is one that a certificate may be issued for: exactly one of Subject
// and SubjectRegexp, exactly one of Issuer and IssuerRegexp. As in cosign,
// expressions (RE2) match anywhere in the text: ^ and $ anchor them.
type Identity struct {
	// Subject is an e-mail address or a URI, such as that of a workflow.
	Subject       string `json:"subject"`
	SubjectRegexp string `json:"subject_regexp"`
	// Issuer is the OIDC provider that vouched for the subject.
	Issuer       string `json:"issuer"`
	IssuerRegexp string `json:"issuer_regexp"`
}

// NewTrust checks what o says.
func NewTrust(o TrustOptions) (*Trust, error) {
	t := &Trust{authority: &root.BaseTrustedMaterial{}, rules: o}
	if len(o.Keys) == 0 && len(o.Identities) == 0 {
		return nil, errors.New("trusting nobody: neither a key nor an identity is given")
	}
	if o.Root != nil {
		t.authority = o.Root.material
	}
	switch {
	case o.Root != nil:
	case len(o.Identities) > 0:
		return nil, errors.New("trusting an identity: no trusted root says who may vouch for it")
	case o.Log == Required:
		return nil, errors.New("trusting a key whose signatures are logged: no trusted root names the log")
	case o.Timestamp:
		return nil, errors.New("trusting a key whose signatures are timestamped: no trusted root names the authority")
	}
	for _, key := range o.Keys {
		trusted, err := trustKey(key)
		if err != nil {
			return nil, fmt.Errorf("trusting a key: %w", err)
		}
		t.keys = append(t.keys, trusted)
	}
	for _, identity := range o.Identities {
		trusted, err := identity.matcher()
		if err != nil {
			return nil, fmt.Errorf("trusting identity %s: %w", identity, err)
		}
		t.identities = append(t.identities, trusted)
	}
	return t, nil
}

// String shows the identity as messages do.
func (i Identity) String() string {
	subject, issuer := quoteOr(i.Subject, i.SubjectRegexp), quoteOr(i.Issuer, i.IssuerRegexp)
	return subject + " of " + issuer
}

func quoteOr(exact, expression string) string {
	if expression != "" {
		return "/" + expression + "/"
	}
	return fmt.Sprintf("%q", exact)
}

func (i Identity) matcher() (verify.CertificateIdentity, error) {
	if (i.Subject == "") == (i.SubjectRegexp == "") {
		return verify.CertificateIdentity{}, errors.New("give a subject or a regular expression for it")
	}
	if (i.Issuer == "") == (i.IssuerRegexp == "") {
		return verify.CertificateIdentity{}, errors.New("give an issuer or a regular expression for it")
	}
	subject, err := verify.NewSANMatcher(i.Subject, i.SubjectRegexp)
	if err != nil {
		return verify.CertificateIdentity{}, err
	}
	issuer, err := verify.NewIssuerMatcher(i.Issuer, i.IssuerRegexp)
	if err != nil {
		return verify.CertificateIdentity{}, err
	}
	return verify.NewCertificateIdentity(subject, issuer, certificate.Extensions{})
}

// logged tells whether a signature has to be in a log.
func (t *Trust) logged(certified bool) bool {
	return t.rules.Log == Required || certified && t.rules.Log == Usual
}

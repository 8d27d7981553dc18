package sign

import (
	"crypto"
	"errors"
	"fmt"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// Trust verifies signatures of trusted keys and identities. It is safe for
// concurrent use.
type Trust struct {
	keys       []trustedKey
	identities []verify.CertificateIdentity
	authority  root.TrustedMaterial
	rules      TrustOptions
}

// TrustOptions list the trusted signers and the requirements for a signature. At
// least one key or identity is required. A signature of any of them is accepted.
type TrustOptions struct {
	// Keys are public keys: see LoadPublicKey.
	Keys []crypto.PublicKey
	// Identities of signing certificates. They require Root.
	Identities []Identity
	// Root has the trusted authorities and logs; nil means none.
	Root *Root
	// Log selects the signatures that must be in a transparency log.
	Log LogRequirement
	// Timestamp requires a timestamp of an authority (RFC 3161).
	Timestamp bool
	// NoSCT accepts certificates without a signed certificate timestamp of a
	// certificate transparency log, as private authorities issue them.
	NoSCT bool
}

// LogRequirement selects the signatures that need an entry in a transparency log.
type LogRequirement int

// Values of LogRequirement.
const (
	// Usual requires an entry for signatures with a certificate, which is valid for
	// ten minutes, and not for those with a key.
	Usual LogRequirement = iota
	// Required requires an entry for all signatures.
	Required
	// Ignored ignores log entries. A certificate then needs a timestamp, or must be
	// valid now.
	Ignored
)

// Identity matches the identity in a certificate. Exactly one of Subject and
// SubjectRegexp, and exactly one of Issuer and IssuerRegexp, must be set. As in
// cosign, expressions (RE2) match anywhere in the text: ^ and $ anchor them.
type Identity struct {
	// Subject is an e-mail address or a URI, such as that of a workflow.
	Subject       string `json:"subject"`
	SubjectRegexp string `json:"subject_regexp"`
	// Issuer is the OIDC provider that authenticated the subject.
	Issuer       string `json:"issuer"`
	IssuerRegexp string `json:"issuer_regexp"`
}

// NewTrust checks the options.
func NewTrust(o TrustOptions) (*Trust, error) {
	t := &Trust{authority: &root.BaseTrustedMaterial{}, rules: o}
	if len(o.Keys) == 0 && len(o.Identities) == 0 {
		return nil, errors.New("no trusted key or identity is given")
	}
	if o.Root != nil {
		t.authority = o.Root.material
	}
	switch {
	case o.Root != nil:
	case len(o.Identities) > 0:
		return nil, errors.New("a trusted identity needs a trusted root with its authority")
	case o.Log == Required:
		return nil, errors.New("the required log entries need a trusted root with the log")
	case o.Timestamp:
		return nil, errors.New("the required timestamps need a trusted root with the authority")
	}
	for _, key := range o.Keys {
		trusted, err := trustKey(key)
		if err != nil {
			return nil, fmt.Errorf("trusted key: %w", err)
		}
		t.keys = append(t.keys, trusted)
	}
	for _, identity := range o.Identities {
		trusted, err := identity.matcher()
		if err != nil {
			return nil, fmt.Errorf("trusted identity %s: %w", identity, err)
		}
		t.identities = append(t.identities, trusted)
	}
	return t, nil
}

// String returns the form for messages: subject of issuer.
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
		return verify.CertificateIdentity{}, errors.New("set either the subject or a regular expression for it")
	}
	if (i.Issuer == "") == (i.IssuerRegexp == "") {
		return verify.CertificateIdentity{}, errors.New("set either the issuer or a regular expression for it")
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

// needsLog reports whether a signature with a certificate, or with a key, must be
// logged.
func (t *Trust) needsLog(certified bool) bool {
	return t.rules.Log == Required || certified && t.rules.Log == Usual
}

package verify

import (
	"regexp"
	"slices"
)

// Policy says whom and what somebody accepts. The zero Policy accepts every
// trusted signer, every builder and every licence, and no finding that is an
// error.
type Policy struct {
	// Licenses that packages may have; nil allows all.
	Licenses *Licenses
	// Identities and Keys are those who may sign; none means all who are
	// trusted.
	Identities []Identity
	// Keys are digests of public keys: the SHA-256 of the
	// SubjectPublicKeyInfo, in hex.
	Keys []string
	// Builders are the platforms that signed provenance may name; none means
	// all.
	Builders []*regexp.Regexp
	Findings Findings
}

// Licenses are those that are allowed.
type Licenses struct {
	// Profile is a built-in list: cncf; "" for none.
	Profile string
	// Allow are SPDX licences, with their exception where they have one, and
	// LicenseRef names, of which the last character may be "*".
	Allow []string
	// Packages are further licences for single packages, by name.
	Packages map[string][]string
}

// Identity is who a certificate is for. Both patterns match from the beginning
// to the end.
type Identity struct {
	Issuer, Subject *regexp.Regexp
}

// Findings are codes and severities (error, warning, note).
type Findings struct {
	// Fail are those that fail the image; nil means errors.
	Fail []string
	// Accept are codes that do not, whatever Fail says.
	Accept []string
}

// accepts reports whether a signer is one whom the policy names.
func (p Policy) accepts(s Signer) bool {
	if len(p.Identities)+len(p.Keys) == 0 {
		return true
	}
	if s.Key != "" {
		return slices.Contains(p.Keys, s.Key)
	}
	return slices.ContainsFunc(p.Identities, func(i Identity) bool {
		return i.Issuer.MatchString(s.Issuer) && i.Subject.MatchString(s.Identity)
	})
}

func (p Policy) acceptsBuilder(id string) bool {
	return slices.ContainsFunc(p.Builders, func(r *regexp.Regexp) bool { return r.MatchString(id) })
}

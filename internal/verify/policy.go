package verify

import (
	"regexp"
	"slices"

	"github.com/pgext/pgext/sign"
)

// Policy says whom and what somebody accepts. The zero Policy accepts every
// trusted signer, every builder and every licence, and no finding that is an
// error.
type Policy struct {
	// Licenses that packages may have; nil allows all.
	Licenses *Licenses
	// Identities and Keys are those who may sign; none means all who are
	// trusted. Keys are fingerprints: see sign.KeyFingerprint.
	Identities []sign.Identity
	Keys       []string
	// Builders are the platforms that signed provenance may name, as regular
	// expressions; none means all.
	Builders []string
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

// Findings are codes and severities (error, warning, note).
type Findings struct {
	// Fail are those that fail the image; nil means errors.
	Fail []string
	// Accept are codes that do not, whatever Fail says.
	Accept []string
}

// accepts reports whether a signer is one whom the policy names.
func (p Policy) accepts(by sign.Who) bool {
	if len(p.Identities)+len(p.Keys) == 0 {
		return true
	}
	if by.Key != "" {
		return slices.Contains(p.Keys, by.Key)
	}
	return slices.ContainsFunc(p.Identities, func(i sign.Identity) bool {
		return matches(i.Issuer, i.IssuerRegexp, by.Issuer) && matches(i.Subject, i.SubjectRegexp, by.Identity)
	})
}

// acceptsBuilder reports whether a platform is one that the policy names.
func (p Policy) acceptsBuilder(id string) bool {
	return slices.ContainsFunc(p.Builders, func(b string) bool { return matches("", b, id) })
}

// matches compares text with another, or with an expression that may match
// anywhere in it.
func matches(exact, expression, text string) bool {
	if exact != "" {
		return exact == text
	}
	ok, err := regexp.MatchString(expression, text)
	return err == nil && ok && expression != ""
}

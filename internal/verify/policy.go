package verify

import (
	"regexp"
	"slices"

	"github.com/pgext/pgext/sign"
)

// Policy restricts signers, builders, licences and findings. The zero Policy
// accepts every trusted signer, every builder, every licence, and every finding
// below severity error. The JSON names are those of the policy file.
type Policy struct {
	// Licenses that packages may have; nil allows all.
	Licenses *Licenses `json:"licenses"`
	// Identities and Keys may sign; if both are empty, all trusted signers may.
	// Keys are fingerprints: see sign.KeyFingerprint.
	Identities []sign.Identity `json:"identities"`
	Keys       []string        `json:"keys"`
	// Builders are regular expressions for the builder ID of signed provenance; an
	// empty list allows all.
	Builders []string `json:"builders"`
	// Findings that fail the image; nil means those of severity error.
	Findings *Findings `json:"findings"`
}

// Licenses is a list of allowed licences.
type Licenses struct {
	// Profile is a built-in list: cncf; "" for none.
	Profile string `json:"profile"`
	// Allow are SPDX licences, including the exception (WITH), and LicenseRef
	// names, which may end in "*".
	Allow []string `json:"allow"`
	// Packages are further licences for single packages, by package name.
	Packages map[string][]string `json:"packages"`
}

// Findings selects findings by code or severity (error, warning, note).
type Findings struct {
	// Fail are codes and severities that fail the image; nil means error.
	Fail []string `json:"fail"`
	// Accept are codes that never fail the image. They take precedence over Fail.
	Accept []string `json:"accept"`
}

// accepts reports whether the policy accepts a signer.
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

// acceptsBuilder reports whether the policy lists a builder ID.
func (p Policy) acceptsBuilder(id string) bool {
	return slices.ContainsFunc(p.Builders, func(b string) bool { return matches("", b, id) })
}

// matches compares text with exact, or with an unanchored expression if exact is
// "". An empty expression matches nothing.
func matches(exact, expression, text string) bool {
	if exact != "" {
		return exact == text
	}
	ok, err := regexp.MatchString(expression, text)
	return err == nil && ok && expression != ""
}

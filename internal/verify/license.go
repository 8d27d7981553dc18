package verify

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/github/go-spdx/v2/spdxexp"

	"github.com/pgext/pgext/internal/text"
	"github.com/pgext/pgext/sbom"
)

// profiles are lists of licences that somebody has published.
var profiles = map[string][]string{
	// Apache-2.0, and the approved licences of the CNCF Allowlist License
	// Policy (github.com/cncf/foundation,
	// policies-guidance/allowed-third-party-license-policy.md). Google's patent
	// licence for Go, which it lists too, is no licence of its own in SPDX.
	"cncf": {
		"Apache-2.0", "0BSD", "BSD-2-Clause", "BSD-2-Clause-FreeBSD", "BSD-3-Clause", "MIT", "MIT-0", "ISC", "OpenSSL",
		"OpenSSL-standalone", "PSF-2.0", "Python-2.0", "Python-2.0.1", "PostgreSQL", "SSLeay-standalone", "UPL-1.0", "X11", "Zlib",
	},
}

// licenses says whether the policy accepts the licence of every package.
func (j *judge) licenses(inv *sbom.Inventory) {
	policy := j.in.Policy.Licenses
	switch {
	case policy == nil:
		return
	case inv == nil:
		j.skip("licenses", "there is no SBOM of this image")
		return
	}
	var faults []string
	known := map[[2]string]string{} // what was judged before: an SBOM may say the same of many packages
	for _, p := range inv.Packages {
		said := [2]string{"", p.License}
		if _, own := policy.Packages[p.Name]; own {
			said[0] = p.Name
		}
		why, ok := known[said]
		if !ok {
			why = policy.refuses(p.Name, p.License)
			known[said] = why
		}
		if why != "" {
			faults = append(faults, fmt.Sprintf("%s %s: %s", p.Name, p.Version, why))
		}
	}
	if len(faults) == 0 {
		j.pass("licenses", "the policy allows those of all %d packages", len(inv.Packages))
		return
	}
	slices.Sort(faults)
	j.refuse("licenses", "the policy does not allow "+first(faults),
		"leave the package out, or allow its licence in the policy (licenses.allow, licenses.packages)", faults...)
}

// refuses says which licences of a package are not allowed, or why that cannot
// be told; "" when all are.
func (l *Licenses) refuses(pkg, expression string) string {
	if expression == "" {
		return "nothing is said about its licence"
	}
	allowed := slices.Concat(profiles[l.Profile], l.Allow, l.Packages[pkg])
	bad, err := refused(expression, allowed)
	switch {
	case err != nil:
		return fmt.Sprintf("%q cannot be judged: %v", expression, err)
	case len(bad) == 0:
		return ""
	}
	return text.List(bad)
}

// maxNesting bounds the parentheses of an expression.
const maxNesting = 100

// refused returns the licences of an SPDX expression (SPDX 2.3, annex D) that
// keep it from being allowed, each once; none when it is. Of alternatives one
// is enough. Each licence is looked at once: turning the expression into a list
// of alternatives, as go-spdx does, takes exponential time.
func refused(expression string, allowed []string) ([]string, error) {
	p := licenseParser{allowed: allowed, known: map[string]bool{}}
	spaced := strings.NewReplacer("(", " ( ", ")", " ) ").Replace(expression)
	p.tokens = strings.Fields(spaced)
	bad, err := p.or(0)
	if err == nil && p.at < len(p.tokens) {
		err = fmt.Errorf("%q is out of place", p.tokens[p.at])
	}
	return bad, err
}

// licenseParser reads an expression once, from left to right.
type licenseParser struct {
	tokens  []string
	at      int
	allowed []string
	// known says of the licences that were looked at whether they are allowed.
	known map[string]bool
}

// next returns the token at hand; "" at the end.
func (p *licenseParser) next() string {
	if p.at == len(p.tokens) {
		return ""
	}
	return p.tokens[p.at]
}

// takes steps over the operator when it is at hand.
func (p *licenseParser) takes(operator string) bool {
	if p.next() != operator {
		return false
	}
	p.at++
	return true
}

func (p *licenseParser) or(depth int) (bad []string, err error) {
	if bad, err = p.and(depth); err != nil {
		return nil, err
	}
	allowed := len(bad) == 0
	for p.takes("OR") {
		more, err := p.and(depth)
		if err != nil {
			return nil, err
		}
		allowed = allowed || len(more) == 0
		bad = union(bad, more)
	}
	if allowed {
		return nil, nil
	}
	return bad, nil
}

func (p *licenseParser) and(depth int) (bad []string, err error) {
	if bad, err = p.one(depth); err != nil {
		return nil, err
	}
	for p.takes("AND") {
		more, err := p.one(depth)
		if err != nil {
			return nil, err
		}
		bad = union(bad, more)
	}
	return bad, nil
}

// one reads a licence, with its exception, or an expression in parentheses.
func (p *licenseParser) one(depth int) ([]string, error) {
	if p.takes("(") {
		if depth == maxNesting {
			return nil, errors.New("too many parentheses")
		}
		bad, err := p.or(depth + 1)
		if err == nil && !p.takes(")") {
			err = errors.New("a parenthesis does not end")
		}
		return bad, err
	}
	name := p.next()
	if name == "" || slices.Contains([]string{")", "AND", "OR", "WITH"}, name) {
		return nil, errors.New("a licence is missing")
	}
	p.at++
	if p.takes("WITH") {
		name += " WITH " + p.next()
		p.at = min(p.at+1, len(p.tokens))
	}
	ok, known := p.known[name]
	if !known {
		var err error
		if ok, err = allows(p.allowed, name); err != nil {
			return nil, err
		}
		p.known[name] = ok
	}
	if ok {
		return nil, nil
	}
	return []string{name}, nil
}

// allows reports whether a list has a licence. LicenseRef names are compared
// as text; one in the list that ends in "*" stands for all that begin so.
func allows(allowed []string, name string) (bool, error) {
	var plain []string
	for _, a := range allowed {
		prefix, wild := strings.CutSuffix(a, "*")
		switch {
		case !isReference(a):
			plain = append(plain, a)
		case a == name, wild && strings.HasPrefix(name, prefix):
			return true, nil
		}
	}
	if isReference(name) || len(plain) == 0 {
		return false, nil
	}
	return spdxexp.Satisfies(name, plain)
}

// isReference tells licences that SPDX does not know.
func isReference(name string) bool {
	return strings.HasPrefix(name, "LicenseRef-") || strings.HasPrefix(name, "DocumentRef-")
}

// union returns a with what of b it lacks.
func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

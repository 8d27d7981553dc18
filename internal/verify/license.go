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

// profiles are the built-in lists of allowed licences.
var profiles = map[string][]string{
	// Apache-2.0, and the approved licences of the CNCF Allowlist License
	// Policy (github.com/cncf/foundation,
	// policies-guidance/allowed-third-party-license-policy.md). The policy also
	// lists Google's patent licence for Go, which has no SPDX identifier.
	"cncf": {
		"Apache-2.0", "0BSD", "BSD-2-Clause", "BSD-2-Clause-FreeBSD", "BSD-3-Clause", "MIT", "MIT-0", "ISC", "OpenSSL",
		"OpenSSL-standalone", "PSF-2.0", "Python-2.0", "Python-2.0.1", "PostgreSQL", "SSLeay-standalone", "UPL-1.0", "X11", "Zlib",
	},
}

// checkLicenses checks that the policy allows the licence of every package.
func (v *verifier) checkLicenses(inv *sbom.Inventory) {
	policy := v.in.Policy.Licenses
	switch {
	case policy == nil:
		return
	case inv == nil:
		v.skip("licenses", noSBOM)
		return
	}
	var faults []string
	results := map[[2]string]string{} // by package, "" unless the policy names it, and expression: many packages share one
	for _, p := range inv.Packages {
		key := [2]string{"", p.License}
		if _, own := policy.Packages[p.Name]; own {
			key[0] = p.Name
		}
		reason, ok := results[key]
		if !ok {
			reason = policy.refuses(p.Name, p.License)
			results[key] = reason
		}
		if reason != "" {
			faults = append(faults, fmt.Sprintf("%s %s: %s", p.Name, p.Version, reason))
		}
	}
	if len(faults) == 0 {
		v.pass("licenses", "the policy allows those of all %d packages", len(inv.Packages))
		return
	}
	slices.Sort(faults)
	v.refuse("licenses", "the policy does not allow "+summary(faults),
		"remove the package, or allow its licence in the policy (licenses.allow, licenses.packages)", faults...)
}

// refuses returns the licences of a package that are not allowed, or why the
// expression cannot be evaluated; "" if the licences are allowed.
func (l *Licenses) refuses(pkg, expression string) string {
	if expression == "" {
		return "no licence is declared"
	}
	allowed := slices.Concat(profiles[l.Profile], l.Allow, l.Packages[pkg])
	bad, err := refused(expression, allowed)
	switch {
	case err != nil:
		return fmt.Sprintf("invalid licence expression %q: %v", expression, err)
	case len(bad) == 0:
		return ""
	}
	return text.List(bad)
}

// maxNesting is the maximum depth of parentheses in an expression.
const maxNesting = 100

// refused returns the licences because of which an SPDX expression (SPDX 2.3,
// annex D) is not allowed, each once; none if the expression is allowed. Of
// licences joined by OR, one allowed licence is enough. The time is linear in the
// length: go-spdx expands the expression to a list of alternatives, which takes
// exponential time.
func refused(expression string, allowed []string) ([]string, error) {
	p := licenseParser{allowed: allowed, results: map[string]bool{}}
	spaced := strings.NewReplacer("(", " ( ", ")", " ) ").Replace(expression)
	p.tokens = strings.Fields(spaced)
	bad, err := p.or(0)
	if err == nil && p.at < len(p.tokens) {
		err = fmt.Errorf("unexpected %q", p.tokens[p.at])
	}
	return bad, err
}

// licenseParser is a recursive descent parser of licence expressions.
type licenseParser struct {
	tokens  []string
	at      int
	allowed []string
	// results has the licences compared so far: whether they are allowed.
	results map[string]bool
}

// next returns the current token; "" at the end.
func (p *licenseParser) next() string {
	if p.at == len(p.tokens) {
		return ""
	}
	return p.tokens[p.at]
}

// accept skips the current token if it is the operator.
func (p *licenseParser) accept(operator string) bool {
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
	for p.accept("OR") {
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
	if bad, err = p.operand(depth); err != nil {
		return nil, err
	}
	for p.accept("AND") {
		more, err := p.operand(depth)
		if err != nil {
			return nil, err
		}
		bad = union(bad, more)
	}
	return bad, nil
}

// operand reads a licence, with its exception, or an expression in parentheses.
func (p *licenseParser) operand(depth int) ([]string, error) {
	if p.accept("(") {
		if depth == maxNesting {
			return nil, errors.New("too many nested parentheses")
		}
		bad, err := p.or(depth + 1)
		if err == nil && !p.accept(")") {
			err = errors.New("missing closing parenthesis")
		}
		return bad, err
	}
	name := p.next()
	if name == "" || slices.Contains([]string{")", "AND", "OR", "WITH"}, name) {
		return nil, errors.New("missing licence")
	}
	p.at++
	if p.accept("WITH") {
		name += " WITH " + p.next()
		p.at = min(p.at+1, len(p.tokens))
	}
	ok, known := p.results[name]
	if !known {
		var err error
		if ok, err = allows(p.allowed, name); err != nil {
			return nil, err
		}
		p.results[name] = ok
	}
	if ok {
		return nil, nil
	}
	return []string{name}, nil
}

// allows reports whether a list has a licence. LicenseRef names are compared
// as text; one in the list that ends in "*" matches every name with this prefix.
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

// isReference reports whether a licence is not in the SPDX licence list.
func isReference(name string) bool {
	return strings.HasPrefix(name, "LicenseRef-") || strings.HasPrefix(name, "DocumentRef-")
}

// union appends to a the elements of b that it does not contain.
func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

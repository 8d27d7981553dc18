package verify

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/github/go-spdx/v2/spdxexp"

	"github.com/pgext/pgext/internal/digest"
	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/license"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/text"
)

const policyHint = "docs/verify.md describes the fields of a policy"

// LoadPolicy reads the policy at path.
func LoadPolicy(path string) (Policy, error) {
	f, err := os.Open(path)
	if err != nil {
		return Policy{}, fmt.Errorf("loading the policy: %w", err)
	}
	defer f.Close() // read only
	data, err := io.ReadAll(io.LimitReader(f, recipe.MaxSize+1))
	if err != nil {
		return Policy{}, fmt.Errorf("loading the policy %s: %w", path, err)
	}
	return ParsePolicy(path, data)
}

// ParsePolicy reads a policy with the strict rules of recipes. name is the file
// name in error messages. The error has one line per problem.
func ParsePolicy(name string, data []byte) (Policy, error) {
	var p Policy
	err := recipe.ReadStrict(name, "policy", data, &p, func(report recipe.Report) {
		policyChecker{report}.check(&p)
	})
	var problems *recipe.Errors
	if errors.As(err, &problems) {
		return Policy{}, failure.Wrap(failure.Other, policyHint, problems)
	}
	if err == nil && reflect.ValueOf(p).IsZero() {
		return Policy{}, failure.New(failure.Other, policyHint, "%s:1:1: the policy is empty", name)
	}
	return p, err
}

// policyChecker reports the problems of a policy.
type policyChecker struct{ report recipe.Report }

// check also writes "SHA256" of the fingerprints of keys in upper case.
func (c policyChecker) check(p *Policy) {
	if f := p.Findings; f != nil {
		c.codes("findings.fail", f.Fail, true)
		c.codes("findings.accept", f.Accept, false)
	}
	if l := p.Licenses; l != nil {
		c.licenses("licenses.allow", l.Allow)
		if known := slices.Sorted(maps.Keys(profiles)); l.Profile != "" && !slices.Contains(known, l.Profile) {
			c.report("licenses.profile", "", "unknown profile %q; known profiles: %s", l.Profile, text.List(known))
		}
		for name, allowed := range l.Packages {
			c.licenses("licenses.packages."+name, allowed)
		}
		if l.Profile == "" && len(l.Allow)+len(l.Packages) == 0 {
			c.report("licenses", "", "allows no licence; set profile, allow or packages")
		}
	}
	for i, id := range p.Identities {
		field := fmt.Sprintf("identities[%d]", i)
		c.either(field, "issuer", id.Issuer, id.IssuerRegexp)
		c.either(field, "subject", id.Subject, id.SubjectRegexp)
	}
	for i, k := range p.Keys {
		algorithm, hex, _ := strings.Cut(k, ":")
		if !strings.EqualFold(algorithm, "sha256") || !digest.IsSHA256(hex) {
			c.report(fmt.Sprintf("keys[%d]", i), "", `%q is not "SHA256:" and 64 hex digits`, k)
		}
		p.Keys[i] = "SHA256:" + hex
	}
	for i, b := range p.Builders {
		c.pattern(fmt.Sprintf("builders[%d]", i), b)
	}
	c.empty(*p)
}

// empty refuses empty lists. They would accept every signer, although the author
// may have meant none.
func (c policyChecker) empty(p Policy) {
	if f := p.Findings; f != nil && f.Fail == nil && f.Accept == nil {
		c.report("findings", "", "is empty; set fail or accept")
	}
	for field, empty := range map[string]bool{
		"identities": p.Identities != nil && len(p.Identities) == 0,
		"keys":       p.Keys != nil && len(p.Keys) == 0,
		"builders":   p.Builders != nil && len(p.Builders) == 0,
	} {
		if empty {
			c.report(field, "", "is an empty list; add an entry, or remove the field to accept all")
		}
	}
}

var reference = regexp.MustCompile(`^LicenseRef-[A-Za-z0-9.-]*[A-Za-z0-9.-]\*?$`)

// licenses checks a list of single licences.
func (c policyChecker) licenses(field string, names []string) {
	for i, name := range names {
		good := reference.MatchString(name)
		if !isReference(name) && license.Valid(name) == nil {
			good, _ = spdxexp.ValidateLicensesWithOptions([]string{name}, spdxexp.ValidateLicensesOptions{FailComplexExpressions: true})
		}
		if !good {
			c.report(fmt.Sprintf("%s[%d]", field, i), "", "%q is not a single SPDX licence or LicenseRef name", name)
		}
	}
}

// either checks that exactly one of a text and an expression is set.
func (c policyChecker) either(field, name, text, expression string) {
	switch {
	case (text == "") == (expression == ""):
		c.report(field, "", "needs either %s or %s_regexp", name, name)
	case text == "":
		c.pattern(field+"."+name+"_regexp", expression)
	}
}

// pattern checks a regular expression.
func (c policyChecker) pattern(field, expression string) {
	if _, err := regexp.Compile(expression); err != nil {
		c.report(field, "", "%v", err)
	} else if expression == "" {
		c.report(field, "", "is empty, which matches everything")
	}
}

// codes checks codes of findings; severities allows severities too.
func (c policyChecker) codes(field string, names []string, severities bool) {
	for i, name := range names {
		var s finding.Severity
		if _, ok := finding.Lookup(name); ok || severities && s.UnmarshalText([]byte(name)) == nil {
			continue
		}
		also := ""
		if severities {
			also = ", nor error, warning or note"
		}
		c.report(fmt.Sprintf("%s[%d]", field, i), "", "%q is not a code of pgext explain%s", name, also)
	}
}

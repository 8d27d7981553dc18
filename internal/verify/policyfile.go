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
	"github.com/pgext/pgext/sign"
)

const policyHint = "docs/verify.md describes the fields of a policy"

// LoadPolicy reads the policy at path.
func LoadPolicy(path string) (Policy, error) {
	f, err := os.Open(path)
	if err != nil {
		return Policy{}, fmt.Errorf("loading the policy: %w", err)
	}
	defer f.Close() // read side: the read error is the one that counts
	data, err := io.ReadAll(io.LimitReader(f, recipe.MaxSize+1))
	if err != nil {
		return Policy{}, fmt.Errorf("loading the policy %s: %w", path, err)
	}
	return ParsePolicy(path, data)
}

// ParsePolicy reads a policy as strictly as a recipe. name is what problems
// call the file. The error has one line for each problem.
func ParsePolicy(name string, data []byte) (Policy, error) {
	var doc policyDocument
	var p Policy
	err := recipe.ReadStrict(name, "policy", data, &doc, func(report recipe.Report) {
		p = policyReader{report}.policy(doc)
	})
	var problems *recipe.Errors
	if errors.As(err, &problems) {
		return Policy{}, failure.Wrap(failure.Other, policyHint, problems)
	}
	if err == nil && reflect.ValueOf(doc).IsZero() {
		return Policy{}, failure.New(failure.Other, policyHint, "%s:1:1: the policy is empty", name)
	}
	return p, err
}

// policyDocument is a policy as it is written.
type policyDocument struct {
	Licenses *struct {
		Profile  string              `json:"profile"`
		Allow    []string            `json:"allow"`
		Packages map[string][]string `json:"packages"`
	} `json:"licenses"`
	Identities []policyIdentity `json:"identities"`
	Keys       []string         `json:"keys"`
	Builders   []string         `json:"builders"`
	Findings   *struct {
		Fail   []string `json:"fail"`
		Accept []string `json:"accept"`
	} `json:"findings"`
}

// policyIdentity is a sign.Identity as it is written.
type policyIdentity struct {
	Subject       string `json:"subject"`
	SubjectRegexp string `json:"subject_regexp"`
	Issuer        string `json:"issuer"`
	IssuerRegexp  string `json:"issuer_regexp"`
}

// policyReader judges a document and reports its problems.
type policyReader struct{ report recipe.Report }

func (r policyReader) policy(doc policyDocument) Policy {
	var p Policy
	if f := doc.Findings; f != nil {
		p.Findings = Findings{Fail: r.codes("findings.fail", f.Fail, true), Accept: r.codes("findings.accept", f.Accept, false)}
	}
	if l := doc.Licenses; l != nil {
		p.Licenses = &Licenses{Profile: l.Profile, Allow: r.licenses("licenses.allow", l.Allow), Packages: map[string][]string{}}
		if known := slices.Sorted(maps.Keys(profiles)); l.Profile != "" && !slices.Contains(known, l.Profile) {
			r.report("licenses.profile", "", "there is no profile %q; known are %s", l.Profile, text.List(known))
		}
		for name, allowed := range l.Packages {
			p.Licenses.Packages[name] = r.licenses("licenses.packages."+name, allowed)
		}
		if l.Profile == "" && len(l.Allow)+len(l.Packages) == 0 {
			r.report("licenses", "", "allows nothing; give profile, allow or packages")
		}
	}
	for i, id := range doc.Identities {
		field := fmt.Sprintf("identities[%d]", i)
		r.either(field, "issuer", id.Issuer, id.IssuerRegexp)
		r.either(field, "subject", id.Subject, id.SubjectRegexp)
		p.Identities = append(p.Identities, sign.Identity(id))
	}
	for i, k := range doc.Keys {
		algorithm, hex, _ := strings.Cut(k, ":")
		if !strings.EqualFold(algorithm, "sha256") || !digest.IsSHA256(hex) {
			r.report(fmt.Sprintf("keys[%d]", i), "", `%q is not "SHA256:" and 64 hex digits`, k)
		}
		p.Keys = append(p.Keys, "SHA256:"+hex)
	}
	for i, b := range doc.Builders {
		r.pattern(fmt.Sprintf("builders[%d]", i), b)
	}
	p.Builders = doc.Builders
	r.empty(doc)
	return p
}

// empty refuses what would accept everybody where its author may have meant
// nobody.
func (r policyReader) empty(doc policyDocument) {
	if f := doc.Findings; f != nil && f.Fail == nil && f.Accept == nil {
		r.report("findings", "", "says nothing; give fail or accept")
	}
	for field, empty := range map[string]bool{
		"identities": doc.Identities != nil && len(doc.Identities) == 0,
		"keys":       doc.Keys != nil && len(doc.Keys) == 0,
		"builders":   doc.Builders != nil && len(doc.Builders) == 0,
	} {
		if empty {
			r.report(field, "", "is an empty list; name at least one, or remove the field to accept all")
		}
	}
}

var reference = regexp.MustCompile(`^LicenseRef-[A-Za-z0-9.-]*[A-Za-z0-9.-]\*?$`)

// licenses reads a list of single licences.
func (r policyReader) licenses(field string, names []string) []string {
	for i, name := range names {
		good := reference.MatchString(name)
		if !isReference(name) && license.Valid(name) == nil {
			good, _ = spdxexp.ValidateLicensesWithOptions([]string{name}, spdxexp.ValidateLicensesOptions{FailComplexExpressions: true})
		}
		if !good {
			r.report(fmt.Sprintf("%s[%d]", field, i), "", "%q is not one SPDX licence or LicenseRef name", name)
		}
	}
	return names
}

// either judges text, or an expression that stands for several.
func (r policyReader) either(field, name, text, expression string) {
	switch {
	case (text == "") == (expression == ""):
		r.report(field, "", "needs either %s or %s_regexp", name, name)
	case text == "":
		r.pattern(field+"."+name+"_regexp", expression)
	}
}

// pattern judges a regular expression.
func (r policyReader) pattern(field, expression string) {
	if _, err := regexp.Compile(expression); err != nil {
		r.report(field, "", "%v", err)
	} else if expression == "" {
		r.report(field, "", "is empty, which everything matches")
	}
}

// codes reads codes of findings, and severities where they have a meaning.
func (r policyReader) codes(field string, names []string, severities bool) []string {
	for i, name := range names {
		var s finding.Severity
		if _, ok := finding.Lookup(name); ok || severities && s.UnmarshalText([]byte(name)) == nil {
			continue
		}
		also := ""
		if severities {
			also = ", and none of error, warning, note"
		}
		r.report(fmt.Sprintf("%s[%d]", field, i), "", "%q is no code that pgext explain knows%s", name, also)
	}
	return names
}

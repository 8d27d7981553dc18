package sbomtest

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/github/go-spdx/v2/spdxexp"
	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"
	spdxjson "github.com/spdx/tools-golang/json"
	document "github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/spdx/v2/common"
)

// Check fails the test for each violation of SPDX 2.3, each package without a
// licence and each file without exactly one package. It returns the document as
// decoded by the reference library.
func Check(tb testing.TB, data []byte) *document.Document {
	tb.Helper()
	if err := SPDX(tb, data); err != nil {
		tb.Errorf("schema: %v", err)
	}
	doc, err := spdxjson.Read(bytes.NewReader(data))
	if err != nil {
		tb.Fatal(err)
	}
	for _, rule := range []func(*document.Document) []string{identifiers, relationships, licences, owners} {
		for _, problem := range rule(doc) {
			tb.Error(problem)
		}
	}
	return doc
}

// elements returns the identifiers of the document and the number of their uses.
func elements(d *document.Document) map[common.ElementID]int {
	used := map[common.ElementID]int{d.SPDXIdentifier: 1}
	for _, p := range d.Packages {
		used[p.PackageSPDXIdentifier]++
	}
	for _, f := range d.Files {
		used[f.FileSPDXIdentifier]++
	}
	return used
}

var idstring = regexp.MustCompile(`^[A-Za-z0-9.-]+$`)

func identifiers(d *document.Document) (problems []string) {
	for id, n := range elements(d) {
		if n != 1 || !idstring.MatchString(string(id)) {
			problems = append(problems, fmt.Sprintf("identifier %q is used %d times", id, n))
		}
	}
	return problems
}

func relationships(d *document.Document) (problems []string) {
	known := elements(d)
	for _, r := range d.Relationships {
		if known[r.RefA.ElementRefID] == 0 || known[r.RefB.ElementRefID] == 0 {
			problems = append(problems, fmt.Sprintf("%s %s %s: no such element", r.RefA.ElementRefID, r.Relationship, r.RefB.ElementRefID))
		}
	}
	return problems
}

// licences checks that every package declares a valid expression without deprecated
// identifiers, that a missing concluded licence has a comment, and that every
// licence reference has one text.
func licences(d *document.Document) (problems []string) {
	texts := map[string]bool{}
	for _, l := range d.OtherLicenses {
		id, ok := strings.CutPrefix(l.LicenseIdentifier, "LicenseRef-")
		if !ok || !idstring.MatchString(id) || texts[l.LicenseIdentifier] || strings.TrimSpace(l.ExtractedText) == "" {
			problems = append(problems, fmt.Sprintf("licence %q: invalid identifier, no text, or two texts", l.LicenseIdentifier))
		}
		texts[l.LicenseIdentifier] = true
	}
	for _, p := range d.Packages {
		stated := []string{p.PackageLicenseDeclared}
		if p.PackageLicenseConcluded != "NOASSERTION" {
			stated = append(stated, p.PackageLicenseConcluded)
		} else if p.PackageLicenseComments == "" {
			problems = append(problems, p.PackageName+": no concluded licence and no comment")
		}
		for _, l := range stated {
			for _, problem := range expression(l, texts) {
				problems = append(problems, p.PackageName+": "+problem)
			}
		}
	}
	return problems
}

// expression returns the problems of a licence expression.
func expression(l string, texts map[string]bool) (problems []string) {
	if ok, _ := spdxexp.ValidateLicenses([]string{l}); !ok {
		problems = append(problems, fmt.Sprintf("licence %q is not a valid expression", l))
	}
	for _, word := range strings.FieldsFunc(l, func(r rune) bool { return strings.ContainsRune(" ()", r) }) {
		if strings.HasPrefix(word, "LicenseRef-") && !texts[word] {
			problems = append(problems, word+" has no text")
		}
		if old, _ := spdxlicenses.IsDeprecatedLicense(word); old {
			problems = append(problems, word+" is deprecated")
		}
	}
	return problems
}

// owners checks that exactly one package contains each file, and that filesAnalyzed
// and the verification code of each package match its files.
func owners(d *document.Document) (problems []string) {
	count, analysed := map[common.ElementID]int{}, map[common.ElementID]bool{}
	for _, r := range d.Relationships {
		if r.Relationship == common.TypeRelationshipContains {
			count[r.RefB.ElementRefID]++
			analysed[r.RefA.ElementRefID] = true
		}
	}
	for _, f := range d.Files {
		if n := count[f.FileSPDXIdentifier]; n != 1 {
			problems = append(problems, fmt.Sprintf("%s has %d owners", f.FileName, n))
		}
	}
	for _, p := range d.Packages {
		if p.FilesAnalyzed != (p.PackageVerificationCode != nil) || p.FilesAnalyzed && !analysed[p.PackageSPDXIdentifier] {
			problems = append(problems, fmt.Sprintf("%s: files analysed is %v, its verification code %v", p.PackageName, p.FilesAnalyzed, p.PackageVerificationCode))
		}
	}
	return problems
}

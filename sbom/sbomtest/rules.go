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

// Check fails the test for each rule of SPDX 2.3 that a document breaks, and
// for each package without a licence and file without an owner. It returns the
// document as the reference library reads it.
func Check(tb testing.TB, data []byte) *document.Document {
	tb.Helper()
	if err := SPDX(tb, data); err != nil {
		tb.Errorf("by its schema: %v", err)
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

// elements are the identifiers of the document with how often each is used.
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

// licences holds that every package declares one, that declared and concluded
// ones parse and have no identifier that SPDX has dropped, that there is a word
// on a licence that nobody concluded, and that every reference has one text.
func licences(d *document.Document) (problems []string) {
	texts := map[string]bool{}
	for _, l := range d.OtherLicenses {
		id, ok := strings.CutPrefix(l.LicenseIdentifier, "LicenseRef-")
		if !ok || !idstring.MatchString(id) || texts[l.LicenseIdentifier] || strings.TrimSpace(l.ExtractedText) == "" {
			problems = append(problems, fmt.Sprintf("licence %q: no identifier, or no text, or two", l.LicenseIdentifier))
		}
		texts[l.LicenseIdentifier] = true
	}
	for _, p := range d.Packages {
		stated := []string{p.PackageLicenseDeclared}
		if p.PackageLicenseConcluded != "NOASSERTION" {
			stated = append(stated, p.PackageLicenseConcluded)
		} else if p.PackageLicenseComments == "" {
			problems = append(problems, p.PackageName+": no licence is concluded, and no word of why")
		}
		for _, l := range stated {
			for _, problem := range expression(l, texts) {
				problems = append(problems, p.PackageName+": "+problem)
			}
		}
	}
	return problems
}

// expression returns what is wrong with a licence.
func expression(l string, texts map[string]bool) (problems []string) {
	if ok, _ := spdxexp.ValidateLicenses([]string{l}); !ok {
		problems = append(problems, fmt.Sprintf("licence %q is no expression", l))
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

// owners holds that one package contains each file, and that each package
// says whether it has any.
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

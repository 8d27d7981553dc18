package pgtest

import (
	"fmt"
	"strings"

	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/metadata"
)

// byFiles are the checks that need no server, each with the codes of its findings.
var byFiles = []struct {
	name  string
	codes string
}{
	{"layers", "PGX040 PGX042 PGX045 PGX050 PGX051"},
	{"files", "PGX005 PGX041 PGX043 PGX044 PGX047 PGX052 PGX055"},
	{"objects", "PGX003 PGX054"},
	{"extensions", "PGX023 PGX024 PGX025 PGX031 PGX032 PGX046"},
	{"label", "PGX007 PGX048 PGX049"},
	{"libraries", "PGX001 PGX002 PGX053"},
}

// fatal are the codes of warnings that fail a check: the image does not contain
// what its label lists.
const fatal = "PGX046 PGX049"

// Reading has the findings about the files of an image, for a machine that cannot
// run a server for it.
type Reading struct {
	// Findings are about the image and about the libraries that it needs of its
	// base.
	Findings []finding.Finding
	// Unknown is the reason for which the libraries could not be checked; nil if
	// they were.
	Unknown error
	// Unlabelled, if not nil, is the derived metadata of an image without a label.
	Unlabelled *metadata.Metadata
	// Why is the reason for which no server was started.
	Why string
}

// ByFiles checks the files of an image. The last check, run, is skipped with the
// reason Why.
func ByFiles(r Reading) Result {
	var out Result
	for _, group := range byFiles {
		c, advice := checkFindings(group.name, group.codes, r.Findings)
		if group.name == "label" && r.Unlabelled != nil {
			c = Unlabelled(*r.Unlabelled)
		}
		if group.name == "libraries" && r.Unknown != nil && c.Status == Pass {
			c.Status, c.Detail = Skip, r.Unknown.Error()
		}
		out.Checks, out.Advice = append(out.Checks, c), append(out.Advice, advice...)
	}
	out.Checks = append(out.Checks, Check{Name: notRun, Status: Skip, Detail: r.Why})
	return out
}

// checkFindings returns the check of the findings with codes. It ignores notes, which
// inspect and lint report.
func checkFindings(name, codes string, all []finding.Finding) (Check, []Advice) {
	c := Check{Name: name, Status: Pass}
	var lines []string
	var advice []Advice
	for _, f := range finding.Sort(all) {
		switch {
		case !strings.Contains(codes, f.Code) || f.Severity == finding.Note:
			continue
		case f.Severity == finding.Error || strings.Contains(fatal, f.Code):
			c.Status = Fail
		case c.Status == Pass:
			c.Status = Note
		}
		f.Arch = ""
		lines = append(lines, f.String())
		if f.Hint != "" {
			advice = append(advice, Advice{Text: f.Hint})
		}
	}
	c.Detail = strings.Join(lines, "\n")
	return c, advice
}

// Unlabelled returns the check of an image without a label, from which m was
// derived.
func Unlabelled(m metadata.Metadata) Check {
	c := Check{
		Name: "label", Status: Note,
		Detail: fmt.Sprintf("the image has no %s: parameters, variables and libraries to preload are not known", metadata.Label),
	}
	if len(m.Extensions)+len(m.Modules) == 0 {
		c.Status = Fail
		c.Detail = fmt.Sprintf("the image has no %s, no extension in share/extension and no module in lib: there is nothing to test", metadata.Label)
	}
	return c
}

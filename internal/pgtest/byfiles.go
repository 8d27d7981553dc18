package pgtest

import (
	"fmt"
	"strings"

	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/metadata"
)

// byFiles are the checks that need no server, with the findings that each is
// about.
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

// broken are findings below an error that no image of this kind can work with:
// it does not hold what its own label says.
const broken = "PGX046 PGX049"

// Reading is what the files of an image tell, for a machine that cannot run a
// server for it.
type Reading struct {
	// Findings are about the image, and the libraries it needs of its base.
	Findings []finding.Finding
	// Unknown says why these libraries could not be judged; nil when they
	// were.
	Unknown error
	// Unlabelled, when set, stands for what the image does not say itself.
	Unlabelled *metadata.Metadata
	// Why says why no server was started.
	Why string
}

// ByFiles judges an image by its files alone. The last check, named run, is
// the one that did not run.
func ByFiles(r Reading) Result {
	var out Result
	for _, group := range byFiles {
		c, advice := judged(group.name, group.codes, r.Findings)
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

// judged is the check of one kind of findings. Notes are not worth telling
// here: inspect and lint do.
func judged(name, codes string, all []finding.Finding) (Check, []Advice) {
	c := Check{Name: name, Status: Pass}
	var lines []string
	var advice []Advice
	for _, f := range finding.Sort(all) {
		switch {
		case !strings.Contains(codes, f.Code) || f.Severity == finding.Note:
			continue
		case f.Severity == finding.Error || strings.Contains(broken, f.Code):
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

// Unlabelled is the check that tells of an image without a label, of which m
// was derived.
func Unlabelled(m metadata.Metadata) Check {
	c := Check{
		Name: "label", Status: Note,
		Detail: fmt.Sprintf("the image has no %s: parameters, variables and libraries to preload are not known", metadata.Label),
	}
	if len(m.Extensions)+len(m.Modules) == 0 {
		c.Status = Fail
		c.Detail = fmt.Sprintf("the image has no %s, no extension in share/extension and no module in lib: there is nothing to try out", metadata.Label)
	}
	return c
}

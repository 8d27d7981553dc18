package verify

import (
	"fmt"
	"slices"

	"github.com/pgext/pgext/internal/text"
)

// Verify asks every question about an image that its evidence can answer.
func Verify(in Input) Result {
	j := &judge{in: in}
	if in.Index != "" {
		j.of = "index"
		j.images()
		j.signature(in.Index)
	}
	for _, i := range in.Images {
		j.of = i.Platform
		j.image(i)
	}
	j.of = "all"
	j.findings()
	return Result{j.checks}
}

// judge collects answers.
type judge struct {
	in Input
	// of is what the questions are about at the moment.
	of string
	// documents are those that the image at hand is judged by.
	documents []Document
	checks    []Check
}

// images says whether everything that a node may run is judged.
func (j *judge) images() {
	var platforms []string
	for _, i := range j.in.Images {
		platforms = append(platforms, i.Platform)
	}
	switch {
	case len(j.in.Unjudged) > 0:
		j.fail("images", "not all that the index lists can be judged: "+first(j.in.Unjudged),
			"verify what it lists one by one, by digest", j.in.Unjudged...)
	case len(platforms) == 0:
		j.fail("images", "the index lists no image for a platform", "name the image itself, not what is attached to it")
	case len(j.in.Others) > 0:
		j.pass("images", "for %s; %d more that no node runs", text.List(platforms), len(j.in.Others))
	default:
		j.pass("images", "for %s", text.List(platforms))
	}
}

// image asks about one architecture.
func (j *judge) image(i Image) {
	j.documents = Believe(i.Documents, j.verdict(i.Digest), j.in.Policy)
	j.signature(i.Digest)
	j.layers(i)
	bill := j.bill(i)
	j.cyclonedx(i, bill)
	p := j.origin(i, bill)
	j.attested(i, "sbom", SPDX)
	j.attested(i, "cyclonedx", CycloneDX)
	j.attested(i, "provenance", Provenance)
	j.builder(p)
	j.licenses(bill)
}

// layers says whether the files are those that the manifest names.
func (j *judge) layers(i Image) {
	if i.Damage != nil {
		j.fail("layers", "what the layers hold is not what the manifest says: "+i.Damage.Error(),
			"pull the image again from where it was published; if that is no better, do not use it")
		return
	}
	j.pass("layers", "%d files, links and directories, every blob has the digest that the manifest states", i.Tree.Len())
}

func (j *judge) pass(name, format string, args ...any) {
	j.checks = append(j.checks, Check{Name: name, Of: j.of, Status: Pass, Detail: fmt.Sprintf(format, args...)})
}

func (j *judge) skip(name, format string, args ...any) {
	j.checks = append(j.checks, Check{Name: name, Of: j.of, Status: Skip, Detail: fmt.Sprintf(format, args...)})
}

// fail records evidence that is missing or not true.
func (j *judge) fail(name, detail, hint string, items ...string) {
	j.checks = append(j.checks, Check{Name: name, Of: j.of, Status: Fail, Detail: detail, Hint: hint, Items: items})
}

// refuse records what the policy does not accept.
func (j *judge) refuse(name, detail, hint string, items ...string) {
	j.fail(name, detail, hint, items...)
	j.checks[len(j.checks)-1].Policy = true
}

// agree passes a check without faults, and fails one with any.
func (j *judge) agree(name, good, bad, hint string, faults []string) {
	if len(faults) == 0 {
		j.pass(name, "%s", good)
		return
	}
	slices.Sort(faults)
	j.fail(name, fmt.Sprintf("%s: %s", bad, first(faults)), hint, faults...)
}

// first shows the first faults of a list.
func first(faults []string) string {
	const shown = 3
	text := ""
	for i, f := range faults {
		switch {
		case i == shown:
			return fmt.Sprintf("%s; and %d more", text, len(faults)-shown)
		case i > 0:
			text += "; "
		}
		text += f
	}
	return text
}

// contents returns the documents of a kind that the image at hand is judged by.
func (j *judge) contents(predicate string) [][]byte {
	var out [][]byte
	for _, d := range j.documents {
		if d.Predicate == predicate {
			out = append(out, d.Content)
		}
	}
	return out
}

package verify

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/text"
)

// Verify runs all checks on an image. The result lists the checks of the index,
// of each architecture in turn, and of the findings.
func Verify(in Input) Result {
	v := &verifier{in: in}
	if in.Index != "" {
		v.of = "index"
		v.checkIndex()
		v.checkSignature(in.Index)
	}
	for _, i := range in.Images {
		v.of = i.Platform
		v.checkImage(i)
	}
	v.of = "all"
	v.checkFindings()
	return Result{v.checks}
}

// verifier collects checks.
type verifier struct {
	in Input
	// of is the subject of the next checks: index, all or a platform.
	of string
	// documents are those of the current image that the checks use.
	documents []Document
	checks    []Check
}

// checkIndex checks that every index entry that a node can run is verified.
func (v *verifier) checkIndex() {
	var platforms []string
	for _, i := range v.in.Images {
		platforms = append(platforms, i.Platform)
	}
	switch {
	case len(v.in.Unsupported) > 0:
		v.fail("images", "the index lists entries that cannot be verified: "+summary(v.in.Unsupported),
			"verify each entry of the index by its digest", v.in.Unsupported...)
	case len(platforms) == 0:
		v.fail("images", "the index lists no image for a platform", "name the image itself, not an artifact that is attached to it")
	case len(v.in.Others) > 0:
		v.pass("images", "for %s; %d more for no platform", text.List(platforms), len(v.in.Others))
	default:
		v.pass("images", "for %s", text.List(platforms))
	}
}

// checkImage runs the checks of one architecture.
func (v *verifier) checkImage(i Image) {
	v.documents = SelectDocuments(i.Documents, v.verdict(i.Digest), v.in.Policy)
	v.checkSignature(i.Digest)
	v.checkLayers(i)
	inventory := v.checkSBOM(i)
	v.checkCycloneDX(i, inventory)
	statement := v.checkProvenance(i, inventory)
	v.checkAttestation(i, "sbom", SPDX)
	v.checkAttestation(i, "cyclonedx", CycloneDX)
	v.checkAttestation(i, "provenance", Provenance)
	v.checkBuilder(statement)
	v.checkLicenses(inventory)
}

// checkLayers checks that the layers were readable and have the digests of the
// manifest.
func (v *verifier) checkLayers(i Image) {
	if i.Damage != nil {
		v.fail("layers", "the layers do not match the manifest: "+i.Damage.Error(),
			"pull the image again from its original registry; if the check still fails, do not use the image")
		return
	}
	v.pass("layers", "%d files, links and directories, every blob has the digest that the manifest states", i.Tree.Len())
}

func (v *verifier) pass(name, format string, args ...any) {
	v.checks = append(v.checks, Check{Name: name, Of: v.of, Status: Pass, Detail: fmt.Sprintf(format, args...)})
}

func (v *verifier) skip(name, format string, args ...any) {
	v.checks = append(v.checks, Check{Name: name, Of: v.of, Status: Skip, Detail: fmt.Sprintf(format, args...)})
}

// fail records evidence that is missing or wrong.
func (v *verifier) fail(name, detail, hint string, items ...string) {
	v.checks = append(v.checks, Check{Name: name, Of: v.of, Status: Fail, Detail: detail, Hint: hint, Items: items})
}

// failErr records a *failure.Error, or any other error without a hint.
func (v *verifier) failErr(name string, err error) {
	hint := ""
	if e := (*failure.Error)(nil); errors.As(err, &e) {
		hint = e.Hint()
	}
	v.fail(name, err.Error(), hint)
}

// refuse records a violation of the policy.
func (v *verifier) refuse(name, detail, hint string, items ...string) {
	v.fail(name, detail, hint, items...)
	v.checks[len(v.checks)-1].Policy = true
}

// compare passes a check if there are no faults, and fails it otherwise.
func (v *verifier) compare(name, good, bad string, faults []string) {
	if len(faults) == 0 {
		v.pass(name, "%s", good)
		return
	}
	slices.Sort(faults)
	v.fail(name, fmt.Sprintf("%s: %s", bad, summary(faults)), suspicious, faults...)
}

// summary joins the first three faults and counts the others.
func summary(faults []string) string {
	const limit = 3
	if len(faults) <= limit {
		return strings.Join(faults, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(faults[:limit], "; "), len(faults)-limit)
}

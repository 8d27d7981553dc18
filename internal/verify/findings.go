package verify

import (
	"fmt"
	"slices"

	"github.com/pgext/pgext/internal/finding"
)

// checkFindings checks that the policy accepts all findings.
func (v *verifier) checkFindings() {
	var faults []string
	for _, f := range finding.Sort(v.in.Findings) {
		if v.in.Policy.Findings.refuses(f) {
			faults = append(faults, f.String())
		}
	}
	if len(faults) == 0 {
		v.pass("findings", "%d, all accepted", len(v.in.Findings))
		return
	}
	v.refuse("findings", fmt.Sprintf("%d of %d are not accepted: %s", len(faults), len(v.in.Findings), summary(faults)),
		"run pgext explain CODE for the meaning of a code; a policy can accept it (findings.accept)", faults...)
}

// refuses reports whether a finding fails the image. Without a policy, findings
// of severity error do.
func (p *Findings) refuses(f finding.Finding) bool {
	fail, accept := []string{finding.Error.String()}, []string(nil)
	if p != nil {
		accept = p.Accept
		if p.Fail != nil {
			fail = p.Fail
		}
	}
	return !slices.Contains(accept, f.Code) && (slices.Contains(fail, f.Code) || slices.Contains(fail, f.Severity.String()))
}

package verify

import (
	"fmt"
	"slices"

	"github.com/pgext/pgext/internal/finding"
)

// findings says whether the policy accepts what was found about the files.
func (j *judge) findings() {
	var faults []string
	for _, f := range finding.Sort(j.in.Findings) {
		if j.in.Policy.Findings.refuses(f) {
			faults = append(faults, f.String())
		}
	}
	if len(faults) == 0 {
		j.pass("findings", "%d, all accepted", len(j.in.Findings))
		return
	}
	j.refuse("findings", fmt.Sprintf("%d of %d are not accepted: %s", len(faults), len(j.in.Findings), first(faults)),
		"pgext explain CODE says what each means; a policy can accept them (findings.accept)", faults...)
}

// refuses reports whether a finding fails the image: unless the policy says
// otherwise, errors do.
func (p Findings) refuses(f finding.Finding) bool {
	fail := p.Fail
	if fail == nil {
		fail = []string{finding.Error.String()}
	}
	return !slices.Contains(p.Accept, f.Code) && (slices.Contains(fail, f.Code) || slices.Contains(fail, f.Severity.String()))
}

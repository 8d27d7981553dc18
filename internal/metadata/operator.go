package metadata

import (
	"fmt"

	"github.com/pgext/pgext/internal/cnpg"
	"github.com/pgext/pgext/internal/finding"
)

// Refused returns a finding PGX007 for each parameter that CloudNativePG does not
// allow a cluster to set, in the order of finding.Sort.
func (m Metadata) Refused() []finding.Finding {
	var out []finding.Finding
	for name := range m.Parameters {
		if !cnpg.Fixed(name) {
			continue
		}
		hint := "remove it from parameters"
		if name == "shared_preload_libraries" {
			hint = "list the libraries in the recipe's field shared_preload_libraries"
		}
		out = append(out, finding.New("PGX007", "", fmt.Sprintf("parameter %s is set by CloudNativePG itself; it refuses clusters that set it", name), hint))
	}
	return finding.Sort(out)
}

package metadata

import (
	"fmt"

	"github.com/pgext/pgext/internal/cnpg"
	"github.com/pgext/pgext/internal/finding"
)

// Refused reports the parameters with which CloudNativePG refuses a cluster,
// PGX007 each, in the order of finding.Sort.
func (m Metadata) Refused() []finding.Finding {
	var out []finding.Finding
	for name := range m.Parameters {
		if !cnpg.Fixed(name) {
			continue
		}
		hint := "remove it from parameters"
		if name == "shared_preload_libraries" {
			hint = "list the libraries under shared_preload_libraries of the recipe instead"
		}
		out = append(out, finding.New("PGX007", "", fmt.Sprintf("parameter %s is set by CloudNativePG itself, which refuses a cluster that names it", name), hint))
	}
	return finding.Sort(out)
}

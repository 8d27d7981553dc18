package describe

import (
	"fmt"

	"github.com/pgext/pgext/internal/cnpg"
	"github.com/pgext/pgext/internal/finding"
)

// parameterFindings reports the parameters that CloudNativePG would refuse.
func parameterFindings(parameters map[string]string) []finding.Finding {
	var out []finding.Finding
	for name := range parameters {
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

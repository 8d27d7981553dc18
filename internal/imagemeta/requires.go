package imagemeta

import (
	"fmt"
	"slices"

	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/metadata"
)

// requiredFindings reports the required extensions that nothing is known to
// supply. A recipe that lists what is required knows better.
func requiredFindings(in Input) []finding.Finding {
	if len(in.Target.Requires) > 0 {
		return nil
	}
	var out []finding.Finding
	for _, e := range in.Layout.Extensions {
		for _, name := range e.Requires {
			if slices.Contains(in.Requires, metadata.Requirement{Extension: name}) {
				out = append(out, finding.New("PGX033", "share/extension/"+e.Name+".control",
					fmt.Sprintf("%s requires %s, which no package of the archives is known to have", e.Name, name),
					fmt.Sprintf("CREATE EXTENSION %s works only beside another image that has %s", e.Name, name)))
			}
		}
	}
	return out
}

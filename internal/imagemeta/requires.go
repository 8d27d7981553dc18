package imagemeta

import (
	"fmt"
	"slices"

	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/metadata"
)

// requiredFindings reports required extensions that no known package supplies. It
// returns nothing if the recipe lists the required extensions.
func requiredFindings(in Input) []finding.Finding {
	if len(in.Target.Requires) > 0 {
		return nil
	}
	var out []finding.Finding
	for _, e := range in.Layout.Extensions {
		for _, name := range e.Requires {
			if slices.Contains(in.Requires, metadata.Requirement{Extension: name}) {
				out = append(out, finding.New("PGX033", "share/extension/"+e.Name+".control",
					fmt.Sprintf("%s requires %s, which was not found in a package of the archives", e.Name, name),
					fmt.Sprintf("CREATE EXTENSION %s works only if another image supplies %s", e.Name, name)))
			}
		}
	}
	return out
}

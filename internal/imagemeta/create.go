package imagemeta

import (
	"fmt"
	"slices"

	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/toposort"
	"github.com/pgext/pgext/layout"
)

// create returns the SQL extensions that manifests ask for, in order: the
// recipe's; else the only one, or the one named like the recipe or the image,
// preceded by what it requires of this image. Nil when none of that applies.
func create(r *recipe.Recipe, extensions []metadata.Extension) []string {
	if len(r.Create) > 0 {
		return r.Create
	}
	if len(extensions) == 1 {
		return []string{extensions[0].Name}
	}
	requires := map[string][]string{}
	for _, e := range extensions {
		requires[e.Name] = e.Requires
	}
	foreign := func(name string) bool { _, ok := requires[name]; return !ok }
	for _, name := range []string{r.Name, r.Image} {
		if !foreign(name) {
			return toposort.Behind([]string{name}, func(n string) string { return n }, func(n string) []string {
				return slices.DeleteFunc(slices.Clone(requires[n]), foreign)
			})
		}
	}
	return nil
}

// idleFindings reports the packages that the recipe names for nothing.
func idleFindings(in Input) []finding.Finding {
	var out []finding.Finding
	for _, name := range in.Target.Packages(in.Arch) {
		if !slices.Contains(in.Layout.Given, name) {
			out = append(out, finding.New("PGX035", "", fmt.Sprintf("no file of the image is from %s", name),
				"leave it out of source.deb.packages"))
		}
	}
	return out
}

// uselessFindings reports an image without anything for PostgreSQL.
func uselessFindings(l layout.Result) []finding.Finding {
	if len(l.Extensions)+len(l.Unscripted)+len(l.Modules) > 0 {
		return nil
	}
	return []finding.Finding{finding.New("PGX046", "", "no control file in share/extension and no module in lib",
		"name the packages that have them in source.deb.packages")}
}

// createFindings reports the extensions that the recipe creates and that
// cannot be installed.
func createFindings(in Input) []finding.Finding {
	var out []finding.Finding
	for _, name := range in.Recipe.Create {
		switch {
		case slices.ContainsFunc(in.Layout.Extensions, func(e metadata.Extension) bool { return e.Name == name }):
		case slices.Contains(in.Layout.Unscripted, name):
			out = append(out, finding.New("PGX006", "share/extension/"+name+".control",
				fmt.Sprintf("create names %s, which has a control file and no install script for its default version", name),
				"remove it from create"))
		default:
			out = append(out, finding.New("PGX006", "",
				fmt.Sprintf("create names %s, which no package of the image has", name),
				"remove it from create, or add the package that has it"))
		}
	}
	return out
}

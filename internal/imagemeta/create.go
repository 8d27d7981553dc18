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

// create returns the names of the SQL extensions to create, in order: the list in
// the recipe, otherwise the only extension of the image, otherwise the extension
// named like the recipe or the image, after the extensions of the image that it
// requires. It returns nil if none of these apply.
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

// unusedPackageFindings reports packages of the recipe without a file in the
// image.
func unusedPackageFindings(in Input) []finding.Finding {
	var out []finding.Finding
	for _, name := range in.Target.Packages(in.Arch) {
		if !slices.Contains(in.Layout.Given, name) {
			out = append(out, finding.New("PGX035", "", fmt.Sprintf("no file of the image comes from package %s", name),
				"remove it from source.deb.packages"))
		}
	}
	return out
}

// emptyFindings reports an image without control files and modules.
func emptyFindings(l layout.Result) []finding.Finding {
	if len(l.Extensions)+len(l.Unscripted)+len(l.Modules) > 0 {
		return nil
	}
	return []finding.Finding{finding.New("PGX046", "", "no control file in share/extension and no module in lib",
		"add the packages with these files to source.deb.packages")}
}

// createFindings reports extensions in the recipe's field create that cannot be
// created.
func createFindings(in Input) []finding.Finding {
	var out []finding.Finding
	for _, name := range in.Recipe.Create {
		switch {
		case slices.ContainsFunc(in.Layout.Extensions, func(e metadata.Extension) bool { return e.Name == name }):
		case slices.Contains(in.Layout.Unscripted, name):
			out = append(out, finding.New("PGX006", "share/extension/"+name+".control",
				fmt.Sprintf("create lists %s, which has a control file but no install script for its default version", name),
				"remove it from create"))
		default:
			out = append(out, finding.New("PGX006", "",
				fmt.Sprintf("create lists %s, which no package of the image contains", name),
				"remove it from create, or add the package that contains it"))
		}
	}
	return out
}

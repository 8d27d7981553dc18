package probe

import (
	"encoding/json"

	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/layout"
)

// Input is what Find looks at: the packages of one extension, and what the
// other rooms made of them for one architecture.
type Input struct {
	// Name is the recipe's.
	Name string
	// Packages are those the recipe names, in order.
	Packages []string
	Distro   string
	Postgres int
	// Archs are the architectures that have the packages, Lacking the ones
	// among the default that have not.
	Archs   []string
	Lacking []Lack
	// Archives is the list the recipe needs; nil when the distribution's own
	// will do.
	Archives []recipe.Archive
	// Members are the extension's own packages, Arranged what layout made of
	// them.
	Members  []layout.Package
	Arranged layout.Result
	// Create is what a recipe that says nothing creates; empty when nothing
	// follows from the files.
	Create []string
	// Library returns the package, among those that are installed with the
	// extension, that has a shared library by its file name. It is asked only
	// about libraries that a module seems to open at run time.
	Library func(name string) (pkg string, ok bool, err error)
}

// Lack reports why an architecture is left out.
type Lack struct {
	Arch   string `json:"arch"`
	Reason string `json:"reason"`
}

// Item is one value of a field, with how it is known.
type Item struct {
	Value string `json:"value"`
	// How is a sentence without its full stop.
	How string `json:"how"`
	// Guess is true if a person should look at it.
	Guess bool `json:"guess"`
}

// Parameter is one entry of the recipe's parameters.
type Parameter struct {
	Name string `json:"name"`
	Item
}

// Facts are the settings of a recipe.
type Facts struct {
	Name     string `json:"name"`
	Distro   string `json:"distro"`
	Postgres int    `json:"postgres"`
	// Packages hold ${pg} in place of the major.
	Packages []string         `json:"packages"`
	Archs    []string         `json:"archs"`
	Lacking  []Lack           `json:"lacking"`
	Archives []recipe.Archive `json:"archives,omitempty"`

	// Libraries are those that a module opens at run time.
	Libraries              []Item      `json:"libraries"`
	Create                 []Item      `json:"create"`
	SharedPreloadLibraries []Item      `json:"sharedPreloadLibraries"`
	Parameters             []Parameter `json:"parameters"`
	OutputPlugins          []Item      `json:"outputPlugins"`
	// Requires are extensions, or "module:NAME", that another image has to
	// bring and that no build could derive.
	Requires []Item `json:"requires"`
}

// Find looks at the files of an extension. Only their bytes can make it fail.
func Find(in Input) (Facts, error) {
	f := Facts{
		Name: in.Name, Distro: in.Distro, Postgres: in.Postgres,
		Archs: in.Archs, Lacking: in.Lacking, Archives: in.Archives,
	}
	for _, pkg := range in.Packages {
		f.Packages = append(f.Packages, variable(pkg, in.Postgres))
	}
	modules, err := readModules(in)
	if err != nil {
		return Facts{}, err
	}
	manuals, err := readManuals(in)
	if err != nil {
		return Facts{}, err
	}
	f.Create = create(in)
	wanted := in.Create
	if len(f.Create) > 0 {
		wanted = values(f.Create)
	}
	preloaded := preload(modules, manuals, required(wanted, in.Arranged.Extensions))
	f.SharedPreloadLibraries, f.Parameters = operated(preloaded)
	f.Parameters = append(f.Parameters, relied(in, wanted, manuals, f)...)
	f.OutputPlugins = outputPlugins(modules)
	f.Libraries, err = opened(in, modules)
	return f, err
}

// MarshalJSON writes empty lists, never null.
func (f Facts) MarshalJSON() ([]byte, error) {
	type plain Facts
	f.Lacking = append([]Lack{}, f.Lacking...)
	f.Parameters = append([]Parameter{}, f.Parameters...)
	for _, list := range []*[]Item{&f.Libraries, &f.Create, &f.SharedPreloadLibraries, &f.OutputPlugins, &f.Requires} {
		*list = append([]Item{}, *list...)
	}
	return json.Marshal(plain(f))
}

func values(items []Item) []string {
	var out []string
	for _, i := range items {
		out = append(out, i.Value)
	}
	return out
}

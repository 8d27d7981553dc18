package probe

import (
	"fmt"
	"slices"

	"github.com/pgext/pgext/internal/cnpg"
	"github.com/pgext/pgext/internal/metadata"
)

// operated splits what has to be preloaded into what the recipe lists and what
// CloudNativePG does itself, for which a parameter is set.
func operated(preloaded []Item) (own []Item, parameters []Parameter) {
	for _, item := range preloaded {
		if p, ok := managedParameter(item.Value, item.How, item.Guess); ok {
			parameters = append(parameters, p)
		} else {
			own = append(own, item)
		}
	}
	return own, parameters
}

func managedParameter(library, how string, guess bool) (Parameter, bool) {
	name, value, ok := cnpg.Managed(library)
	if !ok {
		return Parameter{}, false
	}
	return Parameter{Name: name, Item: Item{Value: value, Guess: guess, How: fmt.Sprintf(
		"%s; CloudNativePG preloads %s as soon as a parameter begins with %s. and not before", how, library, library)}}, true
}

// relied are the parameters for libraries of the server that the extension
// relies on: a control file requires them, or documentation preloads them
// together with a module of the image.
func relied(in Input, created []string, manuals []advice, f Facts) []Parameter {
	wanted := required(created, in.Arranged.Extensions)
	var out []Parameter
	add := func(library, how string, guess bool) {
		p, ok := managedParameter(library, how, guess)
		same := func(other Parameter) bool { return other.Name == p.Name }
		if ok && !slices.ContainsFunc(f.Parameters, same) && !slices.ContainsFunc(out, same) && !slices.Contains(in.Arranged.Modules, library) {
			out = append(out, p)
		}
	}
	for _, e := range in.Arranged.Extensions {
		if !wanted[e.Name] {
			continue
		}
		for _, name := range e.Requires {
			if !isOwn(name, in.Arranged.Extensions) {
				add(name, fmt.Sprintf("share/extension/%s.control requires %s", e.Name, name), false)
			}
		}
	}
	for _, a := range manuals {
		for _, own := range values(f.SharedPreloadLibraries) {
			if slices.Contains(a.libraries, own) {
				for _, library := range a.libraries {
					add(library, a.String(), true)
				}
			}
		}
	}
	return out
}

func isOwn(name string, extensions []metadata.Extension) bool {
	return slices.ContainsFunc(extensions, func(e metadata.Extension) bool { return e.Name == name })
}

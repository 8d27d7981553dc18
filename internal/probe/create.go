package probe

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/text"
)

var versionDigits = regexp.MustCompile(`[-_]?[0-9.]+$`)

// create chooses among several extensions of which none is called like the
// recipe: for each package the one that is called like it but for punctuation
// or a version at its end; else those that no other one requires. It returns
// nothing when there is nothing to choose.
func create(in Input) []Item {
	extensions := in.Arranged.Extensions
	if len(in.Create) > 0 || len(extensions) < 2 {
		return nil
	}
	var out []Item
	for _, pkg := range in.Packages {
		name := Name(pkg, in.Postgres)
		if e, ok := likest(name, extensions); ok && !slices.Contains(values(out), e.Name) {
			out = append(out, Item{Value: e.Name, How: fmt.Sprintf("of %s, this one is called like the package", listed(extensions))})
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, e := range extensions {
		if !slices.ContainsFunc(extensions, func(other metadata.Extension) bool { return slices.Contains(other.Requires, e.Name) }) {
			out = append(out, Item{Value: e.Name, Guess: true, How: "none is called like the package, so all that no other one requires"})
		}
	}
	return out
}

// likest returns the extension that is called like name: the same but for
// punctuation, or but for a version at the end of name.
func likest(name string, extensions []metadata.Extension) (metadata.Extension, bool) {
	plain := strings.NewReplacer("-", "", "_", "", ".", "").Replace
	for _, want := range []string{name, versionDigits.ReplaceAllString(name, ""), "pg" + name, "pg" + versionDigits.ReplaceAllString(name, "")} {
		for _, e := range extensions {
			if plain(e.Name) == plain(want) {
				return e, true
			}
		}
	}
	return metadata.Extension{}, false
}

func listed(extensions []metadata.Extension) string {
	var names []string
	for _, e := range extensions {
		names = append(names, e.Name)
	}
	return text.List(names)
}

// required returns names and what they require among extensions.
func required(names []string, extensions []metadata.Extension) map[string]bool {
	out := map[string]bool{}
	queue := slices.Clone(names)
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		if out[name] {
			continue
		}
		for _, e := range extensions {
			if e.Name == name {
				out[name] = true
				queue = append(queue, e.Requires...)
			}
		}
	}
	return out
}

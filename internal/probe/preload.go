package probe

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/toposort"
)

// sayings are what modules tell users who did not preload them. The first
// group, where there is one, is the module that is meant.
var sayings = []*regexp.Regexp{
	regexp.MustCompile(`(?:(\w[\w-]*):? )?(?:must|can only) be loaded via ["']?shared_preload_libraries["']?`),
	regexp.MustCompile(`(\w[\w-]*) is not in shared_preload_libraries`),
	regexp.MustCompile(`[Aa]dd ['"]?(\w[\w-]*)['"]? to (?:the )?['"]?shared_preload_libraries`),
	regexp.MustCompile(`[Pp]lease preload the (\w[\w-]*) library via shared_preload_libraries`),
}

// purpose follows a saying that is about a part of the module only.
var purpose = regexp.MustCompile(`be loaded via ["']?shared_preload_libraries["']? (?:to|for) `)

// preload returns the modules that the server has to load at its start, those
// others need first: modules that say so themselves; that register a
// background worker, which only works then; or, where neither speaks, that
// their documentation tells to preload. Modules of extensions that are not
// created are left out, and libraries of other modules.
func preload(modules []module, manuals []advice, created map[string]bool) []Item {
	known := map[string]Item{}
	for _, m := range modules {
		if name, text, ok := saying(m, modules); ok {
			if _, before := known[name]; !before || m.name == name {
				known[name] = Item{Value: name, How: fmt.Sprintf("%s says: %s", m.path, text), Guess: purpose.MatchString(text)}
			}
		}
	}
	for _, m := range modules {
		if _, ok := known[m.name]; !ok && m.symbols[startWorker] == elf.Imported {
			known[m.name] = Item{Value: m.name, Guess: true, How: m.path + " registers a background worker, which PostgreSQL takes only at its start"}
		}
	}
	if len(known) == 0 {
		known = advised(modules, manuals)
	}
	var out []Item
	for _, m := range inOrder(modules) {
		if item, ok := known[m.name]; ok && m.loadable(modules, created) {
			out = append(out, item)
		}
	}
	return out
}

// saying returns what a module says about preloading, and which module it
// means.
func saying(m module, modules []module) (name, text string, ok bool) {
	for _, pattern := range sayings {
		for _, text := range m.preload {
			found := pattern.FindStringSubmatch(text)
			if found == nil {
				continue
			}
			name := m.name
			if slices.ContainsFunc(modules, func(other module) bool { return other.name == found[1] }) {
				name = found[1]
			}
			sentence, _, _ := strings.Cut(text, ". ")
			return name, strings.TrimSuffix(sentence, "."), true
		}
	}
	return "", "", false
}

// advised are the modules that documentation tells to preload. Output plugins
// work without, and so does a module that asks whether it is preloaded and does
// not insist.
func advised(modules []module, manuals []advice) map[string]Item {
	out := map[string]Item{}
	for _, a := range manuals {
		for _, m := range modules {
			_, before := out[m.name]
			if optional := m.symbols[outputPluginInit] == elf.Exported || m.symbols[preloadFlag] == elf.Imported; optional || before {
				continue
			}
			if slices.Contains(a.libraries, m.name) {
				out[m.name] = Item{Value: m.name, Guess: true, How: a.String()}
			}
		}
	}
	return out
}

func (a advice) String() string {
	return fmt.Sprintf("%s says: shared_preload_libraries = '%s'", a.file, strings.Join(a.libraries, ","))
}

// loadable reports whether a module is loaded for its own sake: an extension
// that is created has it, or no extension and no other module.
func (m module) loadable(modules []module, created map[string]bool) bool {
	if len(m.owners) > 0 {
		return slices.ContainsFunc(m.owners, func(name string) bool { return created[name] })
	}
	return !slices.ContainsFunc(modules, func(other module) bool { return other.name != m.name && other.needs(m) })
}

func (m module) needs(other module) bool { return slices.Contains(m.object.Needed, other.name+".so") }

// inOrder puts modules behind those that they need.
func inOrder(modules []module) []module {
	return toposort.Behind(modules, func(m module) string { return m.name }, func(m module) []module {
		return slices.DeleteFunc(slices.Clone(modules), func(other module) bool { return !m.needs(other) })
	})
}

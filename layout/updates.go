package layout

import (
	"maps"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/toposort"
)

// updates is the graph of an extension's versions: versions with an install script,
// and update scripts from one version to another.
type updates struct {
	installable map[string]bool
	to          map[string][]string
}

// readUpdates builds the graph of an extension from the file names in its script
// directory (get_ext_ver_list in src/backend/commands/extension.c).
func readUpdates(name string, files []string) updates {
	u := updates{installable: map[string]bool{}, to: map[string][]string{}}
	for _, f := range files {
		rest, ok := strings.CutPrefix(f, name+"--")
		if !ok {
			continue
		}
		versions, ok := strings.CutSuffix(rest, ".sql")
		if !ok {
			continue
		}
		from, to, update := strings.Cut(versions, "--")
		switch {
		case !update:
			u.installable[from] = true
		case !strings.Contains(to, "--"):
			u.to[from] = append(u.to[from], to)
		}
	}
	return u
}

// reaches reports whether CREATE EXTENSION can install a version, with its own
// install script or with another one and update scripts.
func (u updates) reaches(version string) bool {
	reachable := toposort.Behind(slices.Collect(maps.Keys(u.installable)), func(v string) string { return v }, func(v string) []string { return u.to[v] })
	return slices.Contains(reachable, version)
}

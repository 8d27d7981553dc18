package layout

import (
	"slices"
	"strings"
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
	if u.installable[version] {
		return true
	}
	seen := map[string]bool{}
	var open []string
	for v := range u.installable {
		seen[v] = true
		open = append(open, v)
	}
	for len(open) > 0 {
		v := open[len(open)-1]
		open = open[:len(open)-1]
		if slices.Contains(u.to[v], version) {
			return true
		}
		for _, next := range u.to[v] {
			if !seen[next] {
				seen[next] = true
				open = append(open, next)
			}
		}
	}
	return false
}

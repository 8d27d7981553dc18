package metadata

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/cnpg"
	"github.com/pgext/pgext/internal/toposort"
)

// Server is what a PostgreSQL server that mounts images must be told, as
// CloudNativePG 1.30 derives it from its list of extensions.
type Server struct {
	// ExtensionControlPath and DynamicLibraryPath are the parameters of those
	// names.
	ExtensionControlPath, DynamicLibraryPath string
	// LDLibraryPath and Path are folders, in the order of the images. Path
	// comes after the server's own (buildPostgresEnv in
	// pkg/management/postgres/instance.go).
	LDLibraryPath, Path []string
	// Env holds the images' variables, placeholders replaced. Where two images
	// differ the later one's value is used (SetEnvVars in
	// pkg/utils/extensions/extensions.go).
	Env []EnvVar
	// SharedPreloadLibraries are in dependency order, without duplicates.
	SharedPreloadLibraries []string
	Parameters             map[string]string
	OutputPlugins          []string
}

// Conflict is something that two images want differently. Of a parameter,
// which nobody but the user sets, the first one's value is used.
type Conflict struct {
	// Name is a parameter or, with Env set, a variable.
	Name   string
	Env    bool
	Images [2]string
	Values [2]string
}

func (c Conflict) String() string {
	kind := "parameter"
	if c.Env {
		kind = "variable"
	}
	return fmt.Sprintf("%s %s is %q for %s and %q for %s", kind, c.Name, c.Values[0], c.Images[0], c.Values[1], c.Images[1])
}

// Merge derives the server of images, which are listed in that order.
func Merge(images []Metadata) (Server, []Conflict) {
	s := Server{Parameters: map[string]string{}}
	control, library := []string{"$system"}, []string{"$libdir"}
	for _, m := range images {
		control = append(control, m.mounted(m.ExtensionControlPath, cnpg.ControlPath)...)
		library = append(library, m.mounted(m.DynamicLibraryPath, cnpg.LibraryPath)...)
		s.LDLibraryPath = append(s.LDLibraryPath, m.mounted(m.LDLibraryPath)...)
		s.Path = append(s.Path, m.mounted(m.BinPath)...)
		appendNew(&s.OutputPlugins, m.OutputPlugins)
	}
	s.ExtensionControlPath, s.DynamicLibraryPath = strings.Join(control, ":"), strings.Join(library, ":")
	conflicts := s.settings(images)
	s.SharedPreloadLibraries = cnpg.Preloaded(s.Parameters)
	for _, m := range InOrder(images) {
		appendNew(&s.SharedPreloadLibraries, m.SharedPreloadLibraries)
	}
	return s, conflicts
}

// settings unites parameters and variables.
func (s *Server) settings(images []Metadata) []Conflict {
	var conflicts []Conflict
	by := map[string]string{}
	for _, m := range images {
		for _, name := range slices.Sorted(maps.Keys(m.Parameters)) {
			value := m.Parameters[name]
			if first, ok := s.Parameters[name]; !ok {
				s.Parameters[name], by[name] = value, m.Name
			} else if first != value {
				conflicts = append(conflicts, Conflict{Name: name, Images: [2]string{by[name], m.Name}, Values: [2]string{first, value}})
			}
		}
	}
	by = map[string]string{}
	for _, m := range images {
		for _, v := range m.Env {
			value := cnpg.Expand(v.Value, cnpg.MountPath(m.Name))
			i := slices.IndexFunc(s.Env, func(e EnvVar) bool { return e.Name == v.Name })
			if i < 0 {
				s.Env, by[v.Name] = append(s.Env, EnvVar{v.Name, value}), m.Name
			} else if s.Env[i].Value != value {
				conflicts = append(conflicts, Conflict{Name: v.Name, Env: true, Images: [2]string{by[v.Name], m.Name}, Values: [2]string{s.Env[i].Value, value}})
				s.Env[i].Value, by[v.Name] = value, m.Name
			}
		}
	}
	return conflicts
}

// mounted returns paths of the image as the server sees them; those of
// otherwise when there are none.
func (m Metadata) mounted(paths []string, otherwise ...string) []string {
	if len(paths) == 0 {
		paths = otherwise
	}
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = cnpg.Mounted(m.Name, p)
	}
	return out
}

// InOrder returns images with those that others require before them, and
// otherwise in their own order.
func InOrder(images []Metadata) []Metadata {
	return toposort.Behind(images, func(m Metadata) string { return m.Name }, func(m Metadata) []Metadata {
		var needed []Metadata
		for _, r := range m.Requires {
			for _, other := range images {
				if other.Satisfies(r) {
					needed = append(needed, other)
				}
			}
		}
		return needed
	})
}

// Satisfies tells whether the image has what another one requires.
func (m Metadata) Satisfies(r Requirement) bool {
	if r.Module != "" {
		return slices.Contains(m.Modules, r.Module)
	}
	return slices.ContainsFunc(m.Extensions, func(e Extension) bool { return e.Name == r.Extension })
}

// String names what is required.
func (r Requirement) String() string {
	return cmp.Or(r.Extension, "module:"+r.Module)
}

// Needing returns the extensions of the image that need what it requires, by
// their control files or those of others in the image. Nobody knows who needs a
// module: then all do.
func (m Metadata) Needing(r Requirement) []string {
	need := map[string]bool{r.Extension: true}
	for range m.Extensions { // as often as a chain can be long
		for _, e := range m.Extensions {
			if r.Module != "" || slices.ContainsFunc(e.Requires, func(name string) bool { return need[name] }) {
				need[e.Name] = true
			}
		}
	}
	var out []string
	for _, e := range m.Extensions {
		if need[e.Name] {
			out = append(out, e.Name)
		}
	}
	return out
}

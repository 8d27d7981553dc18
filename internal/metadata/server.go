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

// Server holds the settings of a PostgreSQL server that mounts images, as
// CloudNativePG 1.30 computes them from a cluster's list of extensions.
type Server struct {
	// ExtensionControlPath and DynamicLibraryPath are the values of the
	// parameters extension_control_path and dynamic_library_path.
	ExtensionControlPath, DynamicLibraryPath string
	// LDLibraryPath and Path are absolute directories, in the order of the
	// images. Path is appended to the server's own (buildPostgresEnv in
	// pkg/management/postgres/instance.go).
	LDLibraryPath, Path []string
	// Env holds the images' variables with expanded placeholders. The value of
	// the last image that sets a variable is used (SetEnvVars in
	// pkg/utils/extensions/extensions.go).
	Env []EnvVar
	// SharedPreloadLibraries are in topological order, without duplicates.
	SharedPreloadLibraries []string
	Parameters             map[string]string
	OutputPlugins          []string
}

// Conflict is a parameter or variable that two images set to different values.
// For a parameter, which the operator does not set, Merge uses the first value.
type Conflict struct {
	// Name is the name of a parameter, or of a variable if Env is true.
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

// Merge computes the settings of a server that mounts images in this order.
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

// settings merges parameters and variables.
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

// mounted returns the absolute paths of the image on the server. It uses defaults
// if paths is empty.
func (m Metadata) mounted(paths []string, defaults ...string) []string {
	if len(paths) == 0 {
		paths = defaults
	}
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = cnpg.Mounted(m.Name, p)
	}
	return out
}

// InOrder returns images in topological order: an image comes after the images
// that it requires. Independent images keep their order.
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

// Satisfies reports whether the image contains the required extension or module.
func (m Metadata) Satisfies(r Requirement) bool {
	if r.Module != "" {
		return slices.Contains(m.Modules, r.Module)
	}
	return slices.ContainsFunc(m.Extensions, func(e Extension) bool { return e.Name == r.Extension })
}

// String returns the name of the extension, or "module:" and the module's name.
func (r Requirement) String() string {
	return cmp.Or(r.Extension, "module:"+r.Module)
}

// Needing returns the extensions of the image that depend on r, directly or
// through other extensions of the image. The metadata does not record which
// extension needs a module, so for a module it returns all of them.
func (m Metadata) Needing(r Requirement) []string {
	need := map[string]bool{r.Extension: true}
	for range m.Extensions { // the maximum length of a chain
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

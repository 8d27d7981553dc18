package metadata

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/pgext/pgext/internal/cnpg"
)

// Validate checks m against the rules of CloudNativePG and of the schema. It
// returns an errors.Join of all errors, each with the JSON name of the field and
// an index, such as "ld_library_path[1]: is empty".
func (m Metadata) Validate() error {
	var errs []error
	report := func(field string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", field, err))
		}
	}
	report("name", cnpg.CheckName(m.Name))
	for _, f := range []struct{ name, value string }{
		{"image", m.Image}, {"version", m.Version}, {"distro", m.Distro},
	} {
		if f.value == "" {
			report(f.name, errors.New("is empty"))
		}
	}
	if m.Postgres < 1 {
		report("postgres", fmt.Errorf("%d is not a major version", m.Postgres))
	}
	m.checkPaths(report)
	m.checkEnv(report)
	for _, name := range slices.Sorted(maps.Keys(m.Parameters)) {
		report("parameters", cnpg.CheckParameter(name))
	}
	m.checkExtensions(report)
	return errors.Join(errs...)
}

func (m Metadata) checkPaths(report func(string, error)) {
	for _, list := range m.pathLists() {
		seen := map[string]bool{}
		for i, p := range *list.paths {
			field := fmt.Sprintf("%s[%d]", list.name, i)
			clean, err := cnpg.NormalizePath(p)
			if err == nil && seen[clean] {
				err = fmt.Errorf("%q appears twice", p)
			}
			report(field, err)
			seen[clean] = true
		}
	}
}

func (m Metadata) checkEnv(report func(string, error)) {
	seen := map[string]bool{}
	for i, v := range m.Env {
		err := cnpg.CheckEnvName(v.Name)
		if bad := cnpg.CheckEnvValue(v.Value); err == nil && bad != nil {
			err = fmt.Errorf("the value of %s %w", v.Name, bad)
		}
		if err == nil && seen[v.Name] {
			err = fmt.Errorf("%s appears twice", v.Name)
		}
		report(fmt.Sprintf("env[%d]", i), err)
		seen[v.Name] = true
	}
}

// validName reports whether PostgreSQL accepts a name or version of an extension
// (check_valid_extension_name and check_valid_version_name in extension.c), and
// whether it has no control characters. It is part of file names.
func validName(name string) bool {
	return !strings.Contains(name, "--") && !strings.HasPrefix(name, "-") && !strings.HasSuffix(name, "-") &&
		!strings.ContainsFunc(name, func(r rune) bool { return r == '/' || r == '\\' || unicode.IsControl(r) })
}

func (m Metadata) checkExtensions(report func(string, error)) {
	known := map[string]bool{}
	for i, e := range m.Extensions {
		field := fmt.Sprintf("extensions[%d]", i)
		switch {
		case e.Name == "":
			report(field, errors.New("has no name"))
		case known[e.Name]:
			report(field, fmt.Errorf("%q appears twice", e.Name))
		case !validName(e.Name):
			report(field, fmt.Errorf("%q cannot be the name of an extension", e.Name))
		case !validName(e.Version):
			report(field, fmt.Errorf("%q cannot be the version of an extension", e.Version))
		}
		known[e.Name] = true
	}
	for i, name := range m.Create {
		if !known[name] {
			report(fmt.Sprintf("create[%d]", i), fmt.Errorf("%q is not among the extensions", name))
		}
	}
	for i, r := range m.Requires {
		if (r.Extension == "") == (r.Module == "") {
			report(fmt.Sprintf("requires[%d]", i), errors.New("needs either an extension or a module"))
		}
	}
}

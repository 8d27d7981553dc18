package metadata

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// FieldError is one thing in a Metadata that a consumer would refuse.
type FieldError struct {
	// Field is the JSON name, with an index or key: "ld_library_path[1]".
	Field string
	Text  string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Text }

// CloudNativePG 1.30: name of spec.postgresql.extensions[].
const maxName = 59

var (
	namePattern = regexp.MustCompile(`^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$`)
	// envPattern is what Kubernetes calls a C identifier.
	envPattern  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	placeholder = regexp.MustCompile(`\$?\$\{[^}]*\}?`)
)

// reservedEnv are the names CloudNativePG keeps for itself.
var reservedEnv = []string{"POD_NAME", "NAMESPACE", "CLUSTER_NAME", "PATH", "LD_LIBRARY_PATH"}

// CheckName says why name cannot name an extension in CloudNativePG.
func CheckName(name string) error {
	switch {
	case name == "":
		return errors.New("is empty")
	case len(name) > maxName:
		return fmt.Errorf("%q is longer than %d characters", name, maxName)
	case !namePattern.MatchString(name):
		return fmt.Errorf("%q does not match %s", name, namePattern)
	}
	return nil
}

// NormalizePath returns a path entry as CloudNativePG reads it: relative, no
// "./", no doubled slashes. An empty path, the root itself and one that leaves
// the image are errors.
func NormalizePath(p string) (string, error) {
	if p == "" {
		return "", errors.New("is empty")
	}
	for _, part := range strings.Split(p, "/") {
		if part == ".." {
			return "", fmt.Errorf("%q leaves the image", p)
		}
	}
	if strings.ContainsAny(p, ":,'\x00\n") {
		return "", fmt.Errorf("%q holds a character that separates or ends a path list", p)
	}
	clean := strings.TrimPrefix(path.Clean("/"+p), "/")
	if clean == "" {
		return "", fmt.Errorf("%q is the image's root", p)
	}
	return clean, nil
}

// CheckEnv says why CloudNativePG would refuse the variable; it compares
// reserved names without regard to case.
func CheckEnv(v EnvVar) error {
	upper := strings.ToUpper(v.Name)
	switch {
	case !envPattern.MatchString(v.Name):
		return fmt.Errorf("%q is not a variable name", v.Name)
	case strings.HasPrefix(upper, "PG"), strings.HasPrefix(upper, "CNPG_"), slices.Contains(reservedEnv, upper):
		return fmt.Errorf("%s is reserved by CloudNativePG", v.Name)
	case strings.ContainsRune(v.Value, 0):
		return fmt.Errorf("the value of %s holds a NUL", v.Name)
	}
	for _, p := range placeholder.FindAllString(v.Value, -1) {
		if p != "${image_root}" && !strings.HasPrefix(p, "$$") {
			return fmt.Errorf("the value of %s holds %s; the only placeholder is ${image_root}, and a literal ${x} is written $${x}", v.Name, p)
		}
	}
	return nil
}

// Validate reports everything in m that CloudNativePG would refuse or that
// makes it no document of this schema: an errors.Join of *FieldError.
func (m Metadata) Validate() error {
	var errs []error
	report := func(field string, err error) {
		if err != nil {
			errs = append(errs, &FieldError{Field: field, Text: err.Error()})
		}
	}
	report("name", CheckName(m.Name))
	for _, f := range []struct{ name, value string }{
		{"image", m.Image}, {"version", m.Version}, {"distro", m.Distro},
	} {
		if f.value == "" {
			report(f.name, errors.New("is empty"))
		}
	}
	if m.Postgres < 1 {
		report("postgres", fmt.Errorf("%d is no major version", m.Postgres))
	}
	m.checkPaths(report)
	m.checkEnv(report)
	m.checkExtensions(report)
	return errors.Join(errs...)
}

func (m Metadata) checkPaths(report func(string, error)) {
	for _, list := range m.pathLists() {
		seen := map[string]bool{}
		for i, p := range *list.paths {
			field := fmt.Sprintf("%s[%d]", list.name, i)
			clean, err := NormalizePath(p)
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
		err := CheckEnv(v)
		if err == nil && seen[v.Name] {
			err = fmt.Errorf("%s appears twice", v.Name)
		}
		report(fmt.Sprintf("env[%d]", i), err)
		seen[v.Name] = true
	}
}

// sound tells whether PostgreSQL takes a name or a version of an extension
// (check_valid_extension_name and check_valid_version_name in extension.c),
// which is a part of file names, and whether it is one line.
func sound(name string) bool {
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
		case !sound(e.Name):
			report(field, fmt.Errorf("%q cannot be the name of an extension", e.Name))
		case !sound(e.Version):
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
			report(fmt.Sprintf("requires[%d]", i), errors.New("needs an extension or a module, not both"))
		}
	}
}

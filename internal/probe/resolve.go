package probe

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pgext/pgext/internal/apt"
)

// UnknownError reports that no archive has a package.
type UnknownError struct {
	// Name is as it was typed.
	Name     string
	Distro   string
	Postgres int
	// Nearest are similar names that are there, best first.
	Nearest []string
	// Majors are those that the same archives have the extension for.
	Majors []int
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("no archive of %s has a package %s or %s", e.Distro, Prefix(e.Postgres)+e.Name, e.Name)
}

// Unwrap returns what an index says about the package.
func (e *UnknownError) Unwrap() error {
	return &apt.UnknownError{Name: Prefix(e.Postgres) + e.Name, Nearest: e.Nearest}
}

// Hint names what is there instead.
func (e *UnknownError) Hint() string {
	var lines []string
	for _, major := range e.Majors {
		lines = append(lines, fmt.Sprintf("%s has it for PostgreSQL %d: --pg %d", e.Distro, major, major))
	}
	if len(e.Nearest) > 0 && len(e.Majors) == 0 {
		lines = append(lines, "similar names: "+strings.Join(e.Nearest, ", "))
	}
	return strings.Join(append(lines, "--distro looks into another distribution, --archive into other archives"), "\n")
}

// ExitCode returns the exit code of "nothing in the archives satisfies it".
func (*UnknownError) ExitCode() int { return 12 }

// MajorError reports that a package is for another PostgreSQL than the one asked
// for.
type MajorError struct {
	Name                string
	Postgres, OfPackage int
}

func (e *MajorError) Error() string {
	return fmt.Sprintf("package %s is for PostgreSQL %d, not %d", e.Name, e.OfPackage, e.Postgres)
}

// Hint names both ways out.
func (e *MajorError) Hint() string {
	return fmt.Sprintf("--pg %d, or %s", e.OfPackage, Prefix(e.Postgres)+strings.TrimPrefix(e.Name, Prefix(e.OfPackage)))
}

// ExitCode returns the exit code of an invalid selection.
func (*MajorError) ExitCode() int { return 10 }

// Resolve returns the packages that names mean, each once: postgresql-NN-NAME
// where it exists, else NAME. The indexes are those of the architectures; one
// of them is enough.
func Resolve(indexes []*apt.Index, distro string, postgres int, names []string) ([]string, error) {
	var out []string
	for _, name := range names {
		pkg, err := resolve(indexes, distro, postgres, name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, pkg) {
			out = append(out, pkg)
		}
	}
	return out, nil
}

// NameError is about an argument that can be no package's name.
type NameError struct{ Name string }

func (e *NameError) Error() string {
	return fmt.Sprintf("%q is not the name of a Debian package: lower-case letters, digits, + - and .", e.Name)
}

// Hint returns where what is not the name belongs.
func (e *NameError) Hint() string {
	if lower := strings.ToLower(strings.TrimSpace(e.Name)); packageName.MatchString(lower) {
		return fmt.Sprintf("did you mean %q?", lower)
	}
	return "a version or an architecture is no part of it: the lock pins versions, build --arch and the recipe's archs name architectures"
}

// ExitCode returns the exit code of an invalid selection.
func (*NameError) ExitCode() int { return 10 }

// packageName is the form of a name (Debian Policy section 5.6.1), or of what
// is left of one without its prefix.
var packageName = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]*$`)

func resolve(indexes []*apt.Index, distro string, postgres int, name string) (string, error) {
	if !packageName.MatchString(name) {
		return "", &NameError{name}
	}
	if m := otherMajor.FindStringSubmatch(name); m != nil && m[1] != strconv.Itoa(postgres) {
		major, _ := strconv.Atoi(m[1])
		return "", &MajorError{name, postgres, major}
	}
	for _, candidate := range []string{Prefix(postgres) + name, name} {
		for _, ix := range indexes {
			if _, ok := ix.Candidate(candidate); ok {
				return candidate, nil
			}
		}
	}
	short := strings.TrimPrefix(name, Prefix(postgres))
	e := &UnknownError{Name: short, Distro: distro, Postgres: postgres}
	for _, ix := range indexes {
		e.Nearest = append(e.Nearest, ix.Nearest(Prefix(postgres)+short, 5)...)
		e.Majors = append(e.Majors, majors(ix, short)...)
	}
	e.Nearest = ordered(e.Nearest, postgres)
	slices.Sort(e.Majors)
	e.Majors = slices.Compact(e.Majors)
	return "", e
}

// ordered drops repetitions, and what is not for the major unless nothing is.
func ordered(names []string, postgres int) []string {
	var own, all []string
	for _, n := range names {
		if strings.HasPrefix(n, Prefix(postgres)) && !slices.Contains(own, n) {
			own = append(own, n)
		}
		if !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	if len(own) > 0 {
		return own
	}
	return all
}

// majors returns the PostgreSQL majors that an index has an extension for.
func majors(ix *apt.Index, name string) []int {
	exact := regexp.MustCompile(`^postgresql-(\d+)-` + regexp.QuoteMeta(name) + `$`)
	var out []int
	for _, p := range ix.Matching("postgresql-") {
		if m := exact.FindStringSubmatch(p.Name); m != nil {
			major, err := strconv.Atoi(m[1])
			if err == nil {
				out = append(out, major)
			}
		}
	}
	return out
}

package cnpg

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// EnvPattern is the syntax of the name of a variable, without anchors
// (ExtensionEnvVar.Name).
const EnvPattern = `[A-Za-z_][A-Za-z0-9_]*`

var envName = regexp.MustCompile("^" + EnvPattern + "$")

// reservedEnv are the variables that the operator sets itself, in any case, as
// all that begin with PG or CNPG_ are (IsReservedEnvironmentVariable in
// pkg/postgres/environment.go). The path lists of an extension set the two of
// dedicatedEnv, which are refused in these letters alone
// (validateExtensionEnvVars in the webhook).
var (
	reservedEnv  = []string{"POD_NAME", "NAMESPACE", "CLUSTER_NAME"}
	dedicatedEnv = []string{"PATH", "LD_LIBRARY_PATH"}
)

// CheckEnvName says why name cannot be that of a variable.
func CheckEnvName(name string) error {
	upper := strings.ToUpper(name)
	switch {
	case !envName.MatchString(name):
		return fmt.Errorf("%q is not the name of an environment variable", name)
	case strings.HasPrefix(upper, "PG"), strings.HasPrefix(upper, "CNPG_"),
		slices.Contains(reservedEnv, upper), slices.Contains(dedicatedEnv, name):
		return fmt.Errorf("CloudNativePG refuses %s: it reserves PG*, CNPG_*, %s", name, strings.Join(slices.Concat(reservedEnv, dedicatedEnv), ", "))
	}
	return nil
}

// ImageRoot is the one placeholder in the value of a variable: ${image_root}
// stands for the mount path.
const ImageRoot = "image_root"

// placeholder is a name in braces after dollars, of which each two stand for
// one: an odd one out begins a placeholder (envPlaceholderRegexp in
// pkg/postgres/environment.go).
var placeholder = regexp.MustCompile(`(\$+)\{([^}]+)\}`)

// PlaceholderError says that a value holds a placeholder that is not known.
type PlaceholderError struct {
	// Name stands between the braces.
	Name string
}

func (e *PlaceholderError) Error() string {
	return fmt.Sprintf("holds ${%s}; CloudNativePG knows only ${%s}, and $${ is a literal ${", e.Name, ImageRoot)
}

// CheckEnvValue says why value cannot be that of a variable: it is empty
// (ExtensionEnvVar.Value), or has a placeholder that is not known: a
// *PlaceholderError (FindUnknownPlaceholders in pkg/postgres/environment.go).
// The operator takes a ${ that does not end, for text; no process can have a
// variable with a NUL.
func CheckEnvValue(value string) error {
	switch {
	case value == "":
		return errors.New("is empty")
	case strings.ContainsRune(value, 0):
		return errors.New("holds a NUL")
	}
	for _, m := range placeholder.FindAllStringSubmatch(value, -1) {
		if len(m[1])%2 == 1 && m[2] != ImageRoot {
			return &PlaceholderError{m[2]}
		}
	}
	if strings.Contains(placeholder.ReplaceAllLiteralString(value, ""), "${") {
		return errors.New("begins a placeholder with ${ and does not end it")
	}
	return nil
}

// Expand returns a value as a process sees it whose image is mounted at root
// (ExpandEnvPlaceholders in pkg/postgres/environment.go).
func Expand(value, root string) string {
	return placeholder.ReplaceAllStringFunc(value, func(match string) string {
		dollars := strings.IndexByte(match, '{')
		pairs, name := strings.Repeat("$", dollars/2), match[dollars:]
		switch {
		case dollars%2 == 0:
			return pairs + name
		case name == "{"+ImageRoot+"}":
			return pairs + root
		}
		return match
	})
}

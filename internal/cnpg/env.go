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

// reservedEnv are variables that the operator sets itself; like every name with
// the prefix PG or CNPG_, they are reserved in upper and lower case
// (IsReservedEnvironmentVariable in pkg/postgres/environment.go). dedicatedEnv
// are set from the path lists of an extension; only these exact spellings are
// refused (validateExtensionEnvVars in the webhook).
var (
	reservedEnv  = []string{"POD_NAME", "NAMESPACE", "CLUSTER_NAME"}
	dedicatedEnv = []string{"PATH", "LD_LIBRARY_PATH"}
)

// CheckEnvName returns an error if name is not a valid variable name or is
// reserved by the operator.
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

// ImageRoot is the only placeholder that a value may contain: ${image_root} is
// replaced by the mount path of the image.
const ImageRoot = "image_root"

// placeholder matches dollar signs followed by a name in braces. Two dollar
// signs stand for a literal one; after an odd number of them the name is a
// placeholder (envPlaceholderRegexp in pkg/postgres/environment.go).
var placeholder = regexp.MustCompile(`(\$+)\{([^}]+)\}`)

// UnknownPlaceholder returns the name of the first placeholder in value other
// than ImageRoot, "" if there is none (FindUnknownPlaceholders in
// pkg/postgres/environment.go).
func UnknownPlaceholder(value string) string {
	for _, m := range placeholder.FindAllStringSubmatch(value, -1) {
		if len(m[1])%2 == 1 && m[2] != ImageRoot {
			return m[2]
		}
	}
	return ""
}

// CheckEnvValue returns an error if a variable cannot have the value: if it is
// empty (ExtensionEnvVar.Value), has an unknown or unterminated placeholder, or
// contains a NUL, which no process environment can hold. The operator itself
// accepts an unterminated placeholder as text.
func CheckEnvValue(value string) error {
	unknown := UnknownPlaceholder(value)
	switch {
	case value == "":
		return errors.New("is empty")
	case strings.ContainsRune(value, 0):
		return errors.New("contains a NUL")
	case unknown != "":
		return fmt.Errorf("contains the unknown placeholder ${%s}: CloudNativePG supports only ${%s}; write $${ for a literal ${", unknown, ImageRoot)
	case strings.Contains(placeholder.ReplaceAllLiteralString(value, ""), "${"):
		return errors.New("contains an unterminated placeholder: ${ without }")
	}
	return nil
}

// Expand replaces the placeholders in value for an image mounted at root
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

package cnpg

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// MaxName is the maximum length of an extension's name in bytes
// (ExtensionConfiguration.Name): a volume name has at most 63, and the prefix
// "ext-" takes four of them.
const MaxName = 59

// NamePattern is the syntax of the name of an extension, without anchors
// (ExtensionConfiguration.Name).
const NamePattern = `[a-z0-9]([-a-z0-9_]*[a-z0-9])?`

var name = regexp.MustCompile("^" + NamePattern + "$")

// CheckName returns an error if text is not a valid name of an extension.
func CheckName(text string) error {
	switch {
	case text == "":
		return errors.New("is empty")
	case len(text) > MaxName:
		return fmt.Errorf("%q is longer than %d characters", text, MaxName)
	case !name.MatchString(text):
		return fmt.Errorf("%q does not match %s", text, name)
	}
	return nil
}

// Volume returns the name of the volume that holds the image of an extension
// (SanitizeExtensionNameForVolume in pkg/specs/volumes.go). The operator refuses
// a cluster with two extensions of the same volume name, such as a_b and a-b.
func Volume(extension string) string { return "ext-" + strings.ReplaceAll(extension, "_", "-") }

// MountPath returns the path at which the operator mounts the image of an
// extension (ExtensionsBaseDirectory in pkg/postgres).
func MountPath(extension string) string { return "/extensions/" + extension }

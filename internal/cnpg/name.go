package cnpg

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// MaxName is the longest name of an extension, in bytes
// (ExtensionConfiguration.Name): a volume's name has 63, four of them taken.
const MaxName = 59

// NamePattern is the syntax of the name of an extension, without anchors
// (ExtensionConfiguration.Name).
const NamePattern = `[a-z0-9]([-a-z0-9_]*[a-z0-9])?`

var name = regexp.MustCompile("^" + NamePattern + "$")

// CheckName says why text cannot name an extension.
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

// Volume returns the name of the volume that holds the image of an extension.
// A cluster whose extensions would have one volume's name twice is refused
// (SanitizeExtensionNameForVolume in pkg/specs/volumes.go): the names a_b and
// a-b clash.
func Volume(extension string) string { return "ext-" + strings.ReplaceAll(extension, "_", "-") }

// mounts is the folder of all mounts (ExtensionsBaseDirectory in pkg/postgres).
const mounts = "/extensions"

// MountPath returns where the image of an extension is mounted.
func MountPath(extension string) string { return mounts + "/" + extension }

package layout

import (
	"fmt"
	"slices"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
)

// Role is the role of a package in an image.
type Role uint8

const (
	// Extension is the role of packages in the recipe and packages that they
	// include: every file is placed or dropped with a reason.
	Extension Role = iota
	// Library is the role of packages with bundled libraries.
	Library
	// Data is the role of packages with files of bundle.data.
	Data
)

var roleNames = [...]string{"extension", "library", "data"}

// String returns extension, library or data.
func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return fmt.Sprintf("Role(%d)", uint8(r))
}

// MarshalText implements encoding.TextMarshaler.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Role) UnmarshalText(text []byte) error {
	i := slices.Index(roleNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown role %q", text)
	}
	*r = Role(i)
	return nil
}

// Package is an unpacked Debian package.
type Package struct {
	// Name is the name of the binary package. It is unique in an Input.
	Name, Version string
	// Source is the source package.
	Source string
	// Arch is a Debian architecture, or all.
	Arch string
	Role Role
	// Control is the control paragraph.
	Control debian.Paragraph
	// Scripts are the members of the control archive by name. Arrange reads
	// postinst and md5sums.
	Scripts map[string]string
	// Tree holds all entries of the package. Files for which Input.Wants returns
	// true have a Content.
	Tree filetree.Tree
	// Objects are the ELF files of Tree, by path.
	Objects map[string]elf.Object
}

// DataMapping places data files of a package.
type DataMapping struct {
	Package string
	// From is a file or directory of the package, relative to the root.
	From string
	// To is its path in the image.
	To string
	// Reason is the reason in the report; "" stands for bundle.data of the
	// recipe.
	Reason string
	// NeededBy are the files of the image that read the data, for the report.
	NeededBy []string
}

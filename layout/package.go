package layout

import (
	"fmt"
	"slices"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
)

// Role says what a package is for.
type Role uint8

const (
	// Extension packages are named by the recipe or joined to such a one:
	// every file is placed or dropped with a reason.
	Extension Role = iota
	// Library packages give the libraries that modules need.
	Library
	// Data packages give what the recipe maps out of them.
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

// Package is one unpacked .deb.
type Package struct {
	// Name is the binary package; a name stands for one package.
	Name, Version string
	// Source and SourceVersion name what it was built from.
	Source, SourceVersion string
	// Arch is the package's architecture; "all" too.
	Arch string
	Role Role
	// Control is its control paragraph.
	Control debian.Paragraph
	// Scripts holds the maintainer scripts by name. Only postinst is read.
	Scripts map[string]string
	// Tree holds every entry, paths as in the package. The files that
	// Input.Wants accepts have a Content.
	Tree filetree.Tree
	// Objects are the ELF files among them, by path.
	Objects map[string]elf.Object
}

// DataMapping places files of a package that no ELF file asks for.
type DataMapping struct {
	Package string
	// From is a file or directory of the package, relative to the root.
	From string
	// To is the path in the image that takes its place.
	To string
	// Reason says in the report why it is taken; "" means that the recipe
	// asks for it.
	Reason string
	// NeededBy tells, for the report, which files of the image read it.
	NeededBy []string
}

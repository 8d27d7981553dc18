package layout

import (
	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/lock"
)

// Package is an unpacked Debian package.
type Package struct {
	// Name is the name of the binary package. It is unique in an Input.
	Name, Version string
	// Source is the source package.
	Source string
	// Arch is a Debian architecture, or all.
	Arch string
	// Role determines which files are placed: of an Extension package every file is
	// placed or dropped with a reason, of others only the files in Input.Libraries
	// and Input.Data.
	Role lock.Role
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

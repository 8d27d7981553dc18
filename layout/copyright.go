package layout

import (
	"path"
	"strings"

	"github.com/pgext/pgext/internal/filetree"
)

// CopyrightOwner returns the name of the package with the copyright file of p: p
// itself, or another package if the documentation directory of p is a link to its
// directory (Debian Policy 12.5).
func CopyrightOwner(p Package) string {
	const docs = "usr/share/doc/"
	e, ok := p.Tree.Get(docs + p.Name)
	if !ok || e.Kind != filetree.Symlink {
		return p.Name
	}
	target := path.Join("/"+docs, e.Link)
	if path.IsAbs(e.Link) {
		target = path.Clean(e.Link)
	}
	owner, ok := strings.CutPrefix(target, "/"+docs)
	if !ok || strings.Contains(owner, "/") {
		return p.Name
	}
	return owner
}

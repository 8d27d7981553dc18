package layout

import (
	"path"
	"strings"

	"github.com/pgext/pgext/internal/filetree"
)

// CopyrightOwner returns the package that has the copyright file of p: p
// itself, or the one whose documentation folder p's own is a link to (Debian
// Policy 12.5).
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

package inspect

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/text"
	"github.com/pgext/pgext/layout"
)

// serverUID is the user ID with which CloudNativePG runs PostgreSQL.
const serverUID = 26

// checkEntries checks modes, owners, links and special files.
func (x *inspector) checkEntries() {
	owners := map[string]image.Owned{}
	for _, o := range x.flat.Owned {
		owners[o.Path] = o
	}
	x.checkOwners()
	for e := range x.Tree.All() {
		if text := permissionText(e, owners[e.Path]); text != "" {
			x.report("PGX041", e.Path, text, "")
		}
		if e.Mode&(fs.ModeSetuid|fs.ModeSetgid) != 0 && e.Kind == filetree.File {
			x.report("PGX043", e.Path, fmt.Sprintf("has mode %s", octal(e.Mode)), "")
		}
		if e.Kind == filetree.Symlink {
			x.checkLink(e)
		}
	}
	for _, s := range x.flat.Special {
		x.report("PGX043", s.Path, "is "+specials[s.Type], "")
	}
	for _, w := range x.flat.Whiteouts {
		x.report("PGX051", w, "hides a file of a lower layer", "build the image in a single stage")
	}
}

// specials are the tar entry types of special files.
var specials = map[byte]string{'3': "a character device", '4': "a block device", '6': "a pipe"}

// octal formats a mode for chmod(1).
func octal(m fs.FileMode) string {
	bits := m.Perm()
	for _, special := range []struct{ mode, bit fs.FileMode }{
		{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000},
	} {
		if m&special.mode != 0 {
			bits |= special.bit
		}
	}
	return fmt.Sprintf("%04o", uint32(bits))
}

// permissionText returns the reason why the server cannot read an entry, "" if it
// can.
func permissionText(e filetree.Entry, owner image.Owned) string {
	read, search := fs.FileMode(0o004), fs.FileMode(0o001)
	if owner.UID == serverUID {
		read, search = 0o400, 0o100
	}
	switch {
	case e.Kind == filetree.File && e.Mode&read == 0:
		return fmt.Sprintf("has mode %s, so PostgreSQL cannot read it", octal(e.Mode))
	case e.Kind == filetree.Dir && e.Mode&(read|search) != read|search:
		return fmt.Sprintf("has mode %s, so PostgreSQL cannot list or enter it", octal(e.Mode))
	}
	return ""
}

// checkOwners reports one finding for each owner other than root.
func (x *inspector) checkOwners() {
	type owner struct{ uid, gid int }
	paths := map[owner][]string{}
	for _, o := range x.flat.Owned {
		id := owner{o.UID, o.GID}
		paths[id] = append(paths[id], o.Path)
	}
	for id, list := range paths {
		x.report("PGX052", "", fmt.Sprintf("%s to %d:%d, such as %s", text.Plural(len(list), "entry belongs", "entries belong"), id.uid, id.gid, list[0]), "")
	}
}

// checkLink checks the target of a symbolic link.
func (x *inspector) checkLink(e filetree.Entry) {
	text := "-> " + e.Link
	switch {
	case path.IsAbs(e.Link):
		x.report("PGX044", e.Path, text, "make the target relative")
	case leaves(e):
		x.report("PGX005", e.Path, text, "")
	default:
		if _, ok := x.Tree.Resolve(e.Path); !ok {
			x.report("PGX055", e.Path, text, "")
		}
	}
}

// leaves reports whether any prefix of a relative link's target is above the root.
func leaves(e filetree.Entry) bool {
	depth := strings.Count(e.Path, "/")
	for part := range strings.SplitSeq(e.Link, "/") {
		switch part {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return true
			}
		default:
			depth++
		}
	}
	return false
}

// directories are the directories and files of an extension image that
// PostgreSQL, CloudNativePG or scanners use.
var directories = []string{"lib", "share", "system", "bin", "licenses", layout.DatabaseDir, layout.OSRelease}

// checkPlaces reports files that nothing uses, and an image without modules and
// control files on PostgreSQL's search path.
func (x *inspector) checkPlaces() {
	control, modules := "", ""
	stray := map[string][]filetree.Entry{}
	for e := range x.Tree.All() {
		if e.Kind == filetree.Dir {
			continue
		}
		if path.Ext(e.Path) == ".control" && path.Base(path.Dir(e.Path)) == "extension" {
			control = path.Dir(path.Dir(e.Path))
		}
		if o, ok := x.object(e); ok && o.Type == "dyn" && path.Ext(e.Path) == ".so" {
			modules = path.Dir(e.Path)
		}
		if !x.isSearched(e.Path) {
			top := top(e.Path)
			stray[top] = append(stray[top], e)
		}
	}
	if len(x.Extensions)+len(x.Unscripted)+len(x.Modules) == 0 {
		x.report("PGX046", "", "no control file in share/extension and no module in lib", searchPathText(control, modules))
	}
	for top, entries := range stray {
		var size int64
		for _, e := range entries {
			size += e.Size
		}
		x.report("PGX047", top, fmt.Sprintf("%s with %d bytes, such as %s", text.Plural(len(entries), "file", "files"), size, entries[0].Path), "")
	}
}

// isSearched reports whether p is in a known directory or a path list of the
// label.
func (x *inspector) isSearched(p string) bool {
	known := directories
	if m := x.Metadata; m != nil {
		known = slices.Concat(known, m.ExtensionControlPath, m.DynamicLibraryPath, m.LDLibraryPath, m.BinPath)
	}
	return slices.ContainsFunc(known, func(dir string) bool {
		dir = strings.TrimSuffix(dir, "/")
		return p == dir || strings.HasPrefix(p, dir+"/")
	})
}

// top returns the first two elements of a path.
func top(p string) string {
	parts := strings.SplitN(p, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}

// searchPathText returns a hint with the path lists that a cluster would need.
func searchPathText(control, modules string) string {
	var parts []string
	if control != "" {
		parts = append(parts, "extension_control_path: ["+control+"]")
	}
	if modules != "" {
		parts = append(parts, "dynamic_library_path: ["+modules+"]")
	}
	if len(parts) == 0 {
		return ""
	}
	return "set in the cluster: " + strings.Join(parts, " and ")
}

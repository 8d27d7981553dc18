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
)

// server is the user that CloudNativePG runs PostgreSQL as.
const server = 26

// judgeEntries looks at modes, owners, links and what is no file at all.
func (x *examination) judgeEntries() {
	owners := map[string]image.Owned{}
	for _, o := range x.flat.Owned {
		owners[o.Path] = o
	}
	x.findOwners()
	for e := range x.Tree.All() {
		if text := unreadable(e, owners[e.Path]); text != "" {
			x.find("PGX041", e.Path, text, "")
		}
		if e.Mode&(fs.ModeSetuid|fs.ModeSetgid) != 0 && e.Kind == filetree.File {
			x.find("PGX043", e.Path, fmt.Sprintf("has mode %s", octal(e.Mode)), "")
		}
		if e.Kind == filetree.Symlink {
			x.judgeLink(e)
		}
	}
	for _, s := range x.flat.Special {
		x.find("PGX043", s.Path, "is "+specials[s.Type], "")
	}
	for _, w := range x.flat.Whiteouts {
		x.find("PGX051", w, "hides what a lower layer has", "make the image in one stage")
	}
}

// specials name the types of tar entries that are no files.
var specials = map[byte]string{'3': "a character device", '4': "a block device", '6': "a pipe"}

// octal is a mode as chmod(1) takes it.
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

// unreadable says why the server cannot read an entry; "" when it can.
func unreadable(e filetree.Entry, owner image.Owned) string {
	read, search := fs.FileMode(0o004), fs.FileMode(0o001)
	if owner.UID == server {
		read, search = 0o400, 0o100
	}
	switch {
	case e.Kind == filetree.File && e.Mode&read == 0:
		return fmt.Sprintf("has mode %s, so PostgreSQL cannot read it", octal(e.Mode))
	case e.Kind == filetree.Dir && e.Mode&(read|search) != read|search:
		return fmt.Sprintf("has mode %s, so PostgreSQL cannot look into it", octal(e.Mode))
	}
	return ""
}

// findOwners makes one finding for each owner.
func (x *examination) findOwners() {
	type owner struct{ uid, gid int }
	paths := map[owner][]string{}
	for _, o := range x.flat.Owned {
		id := owner{o.UID, o.GID}
		paths[id] = append(paths[id], o.Path)
	}
	for id, list := range paths {
		x.find("PGX052", "", fmt.Sprintf("%s to %d:%d, such as %s", text.Plural(len(list), "entry belongs", "entries belong"), id.uid, id.gid, list[0]), "")
	}
}

// judgeLink looks at where a symbolic link leads.
func (x *examination) judgeLink(e filetree.Entry) {
	text := "-> " + e.Link
	switch {
	case path.IsAbs(e.Link):
		x.find("PGX044", e.Path, text, "make it relative")
	case leaves(e):
		x.find("PGX005", e.Path, text, "")
	default:
		if _, ok := x.Tree.Resolve(e.Path); !ok {
			x.find("PGX055", e.Path, text, "")
		}
	}
}

// leaves reports whether a relative link, followed word by word, is above the
// root at any point.
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

// folders are where an image's files are of use.
var folders = []string{"lib", "share", "system", "bin", "licenses", databaseDir, osRelease}

// judgePlaces tells what is where nothing looks for it. Without any module or
// control file where PostgreSQL looks, the image is of no use as it is.
func (x *examination) judgePlaces() {
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
		if !x.looksInto(e.Path) {
			top := top(e.Path)
			stray[top] = append(stray[top], e)
		}
	}
	if len(x.Extensions)+len(x.Unscripted)+len(x.Modules) == 0 {
		x.find("PGX046", "", "no control file in share/extension and no module in lib", whereInstead(control, modules))
	}
	for top, entries := range stray {
		var size int64
		for _, e := range entries {
			size += e.Size
		}
		x.find("PGX047", top, fmt.Sprintf("%s with %d bytes, such as %s", text.Plural(len(entries), "file", "files"), size, entries[0].Path), "")
	}
}

// looksInto reports whether somebody looks for files like that.
func (x *examination) looksInto(p string) bool {
	known := folders
	if m := x.Metadata; m != nil {
		known = slices.Concat(known, m.ExtensionControlPath, m.DynamicLibraryPath, m.LDLibraryPath, m.BinPath)
	}
	return slices.ContainsFunc(known, func(dir string) bool {
		dir = strings.TrimSuffix(dir, "/")
		return p == dir || strings.HasPrefix(p, dir+"/")
	})
}

// top is the first two parts of a path.
func top(p string) string {
	parts := strings.SplitN(p, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}

func whereInstead(control, modules string) string {
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
	return "the cluster would have to say " + strings.Join(parts, " and ")
}

package layout

import (
	"bytes"
	"fmt"
	"path"
	"strings"
)

// relocation rewrites scripts and control files for an image mounted at mount.
type relocation struct {
	mount string
	// places has every path of the image, including directories.
	places map[string]bool
	// sharedir and pkglibdir are absolute paths of the default location.
	sharedir, pkglibdir string
}

// changes is the result of rewriting a text.
type changes struct {
	text []byte
	// libdir and paths are the numbers of rewritten $libdir/ and paths.
	libdir, paths int
	left          []leftover
}

// leftover is a finding about text that cannot be rewritten and does not work at
// the mount.
type leftover struct{ code, text string }

// String describes the changes. The SBOM and the provenance contain this text.
func (c changes) String() string {
	var parts []string
	if c.libdir > 0 {
		parts = append(parts, fmt.Sprintf("%d × $libdir/", c.libdir))
	}
	if c.paths > 0 {
		parts = append(parts, fmt.Sprintf("%d × absolute path", c.paths))
	}
	return strings.Join(parts, ", ")
}

var libdir = []byte("$libdir/")

// script rewrites an SQL script: '$libdir/x' to 'x', also in LOAD and in nested
// quotes, and absolute paths of the default location to paths at the mount. It keeps
// the name of a module in a subdirectory, because PostgreSQL does not search
// dynamic_library_path for it.
func (r relocation) script(text []byte) changes {
	c := r.paths(text)
	text = c.text
	if !bytes.Contains(text, libdir) {
		return c
	}
	out := make([]byte, 0, len(text))
	nested := map[string]bool{}
	for {
		i := bytes.Index(text, libdir)
		if i < 0 {
			break
		}
		name, closed := quotedName(text[i+len(libdir):])
		opened := i > 0 && text[i-1] == '\''
		out = append(out, text[:i]...)
		text = text[i+len(libdir):]
		if opened && closed && isModule(name) {
			c.libdir++
			continue
		}
		out = append(out, libdir...)
		if opened && !nested[name] {
			nested[name] = true
			c.left = append(c.left, leftover{"PGX023", fmt.Sprintf("refers to the module %s%s, which PostgreSQL searches in its own library directory only", libdir, name)})
		}
	}
	c.text = append(out, text...)
	return c
}

// quotedName returns the text before the next single quote or the end of the line,
// and whether it ends at a quote.
func quotedName(text []byte) (string, bool) {
	end := bytes.IndexAny(text[:min(len(text), 200)], "'\n")
	if end < 0 {
		return "", false
	}
	return string(text[:end]), text[end] == '\''
}

// isModule reports whether PostgreSQL searches dynamic_library_path for name: it
// must be a simple file name.
func isModule(name string) bool {
	return name != "" && !strings.ContainsAny(name, "/\\ \t%|")
}

// pathBytes are the bytes of a path in a script.
const pathBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-~/"

// paths rewrites absolute paths of the default location to files of the image. It
// keeps other paths, which may exist in the base.
func (r relocation) paths(text []byte) changes {
	c := changes{text: text}
	r.move(&c, r.sharedir, "share")
	r.move(&c, r.pkglibdir, "lib")
	return c
}

// move rewrites the paths of one directory.
func (r relocation) move(c *changes, dir, to string) {
	from := []byte(dir)
	if !bytes.Contains(c.text, from) {
		return
	}
	rest, out := c.text, make([]byte, 0, len(c.text))
	for {
		i := bytes.Index(rest, from)
		if i < 0 {
			break
		}
		end := i + len(from)
		for end < len(rest) && strings.IndexByte(pathBytes, rest[end]) >= 0 {
			end++
		}
		tail := string(rest[i+len(from) : end])
		place := path.Join(to, path.Clean("/"+tail))
		out = append(out, rest[:i]...)
		whole := tail == "" || tail[0] == '/'
		if whole && (r.places[place] || r.places[place+".so"]) {
			out = append(out, r.mount+"/"+to+tail...)
			c.paths++
		} else {
			out = append(out, rest[i:end]...)
			if whole {
				c.left = append(c.left, leftover{"PGX024", fmt.Sprintf("refers to %s, which the image does not contain", rest[i:end])})
			}
		}
		rest = rest[end:]
	}
	c.text = append(out, rest...)
}

// control rewrites module_pathname in a control file. It returns text with a syntax
// error unchanged.
func (r relocation) control(text []byte) changes {
	c := changes{text: text}
	settings, err := parseControl(string(text))
	if err != nil {
		return c
	}
	for i := len(settings) - 1; i >= 0; i-- {
		s := settings[i]
		name, ok := strings.CutPrefix(s.value, string(libdir))
		switch {
		case s.name == "directory" && path.IsAbs(s.value):
			c.left = append(c.left, leftover{"PGX024", fmt.Sprintf("line %d: PostgreSQL searches the scripts in the absolute directory %s", s.line, s.value)})
		case s.name != "module_pathname" || !ok:
		case !isModule(name):
			c.left = append(c.left, leftover{"PGX023", fmt.Sprintf("line %d: refers to the module %s, which PostgreSQL searches in its own library directory only", s.line, s.value)})
		default:
			quoted := "'" + strings.ReplaceAll(name, "'", "''") + "'"
			c.text = bytes.Join([][]byte{c.text[:s.start], []byte(quoted), c.text[s.end:]}, nil)
			c.libdir++
		}
	}
	return c
}

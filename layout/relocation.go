package layout

import (
	"bytes"
	"fmt"
	"path"
	"strings"
)

// relocation rewrites texts for an image that is mounted at mount.
type relocation struct {
	mount string
	// places has every path of the image, directories too.
	places map[string]bool
	// sharedir and pkglibdir are the default location, absolute.
	sharedir, pkglibdir string
}

// changes are what a rewrite did to a text.
type changes struct {
	text []byte
	// libdir and paths count what was rewritten.
	libdir, paths int
	left          []leftover
}

// leftover is something in a text that will not work at the mount.
type leftover struct{ code, text string }

// String says what was done.
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

// script rewrites an SQL script: '$libdir/x' to 'x', for LOAD and for nested
// quotes too, and absolute paths of the default location to those at the
// mount. A module in a subdirectory is not searched for, so it stays.
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
			c.left = append(c.left, leftover{"PGX023", fmt.Sprintf("names the module %s%s, which PostgreSQL looks for in its own directory only", libdir, name)})
		}
	}
	c.text = append(out, text...)
	return c
}

// quotedName returns what stands before the next single quote of the line,
// and whether there is one.
func quotedName(text []byte) (string, bool) {
	end := bytes.IndexAny(text[:min(len(text), 200)], "'\n")
	if end < 0 {
		return "", false
	}
	return string(text[:end]), text[end] == '\''
}

// isModule reports whether name is searched for in dynamic_library_path: a
// simple file name.
func isModule(name string) bool {
	return name != "" && !strings.ContainsAny(name, "/\\ \t%|")
}

// pathBytes are those that continue a path in a script.
const pathBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-~/"

// paths rewrites absolute paths of the default location to what the image
// has; others may be the base's and stay.
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
				c.left = append(c.left, leftover{"PGX024", fmt.Sprintf("names %s, which the image does not have", rest[i:end])})
			}
		}
		rest = rest[end:]
	}
	c.text = append(out, rest...)
}

// control rewrites the module_pathname of a control file. A text that is no
// control file stays.
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
			c.left = append(c.left, leftover{"PGX024", fmt.Sprintf("line %d: directory %s is absolute, so PostgreSQL looks for the scripts there", s.line, s.value)})
		case s.name != "module_pathname" || !ok:
		case !isModule(name):
			c.left = append(c.left, leftover{"PGX023", fmt.Sprintf("line %d: names the module %s, which PostgreSQL looks for in its own directory only", s.line, s.value)})
		default:
			quoted := "'" + strings.ReplaceAll(name, "'", "''") + "'"
			c.text = bytes.Join([][]byte{c.text[:s.start], []byte(quoted), c.text[s.end:]}, nil)
			c.libdir++
		}
	}
	return c
}

package pgtest

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/cnpg"
	"github.com/pgext/pgext/internal/elf"
)

// Messages about files that exist and cannot be used.
var (
	unusableLibrary = regexp.MustCompile(`could not load library "[^"]+": (/extensions/[^:\n]+): ([^\n]+)`)
	unusableControl = regexp.MustCompile(`in file "(/extensions/[^"]+\.control)"( line \d+)?`)
	connectionLost  = regexp.MustCompile(`server closed the connection unexpectedly`)
	missingScript   = regexp.MustCompile(`extension "([^"]+)" has no installation script nor update path for version "([^"]+)"`)
	noScript        = regexp.MustCompile(`(?m)^(\S+) is not among pg_available_extensions with an install script$`)
)

// diagnoseDamage adds advice about damaged files of the image, and reports whether
// one of them is a library.
func (r *run) diagnoseDamage(text, log string) (damaged bool) {
	var suspects []string
	if m := unusableLibrary.FindStringSubmatch(text); m != nil {
		suspects = append(suspects, m[1])
	}
	if crashed(text, log) {
		suspects = append(suspects, r.in.modules()...)
	}
	for _, file := range suspects {
		damaged = r.adviseObject(file) || damaged
	}
	if m := unusableControl.FindStringSubmatch(text); m != nil {
		r.explain("PostgreSQL cannot read%s of the control file %s", cmp.Or(m[2], " all"), m[1])
	}
	for _, pattern := range []*regexp.Regexp{missingScript, noScript} {
		if m := pattern.FindStringSubmatch(text); m != nil {
			r.adviseScript(m[1])
		}
	}
	return damaged
}

// crashed reports whether a process of the server crashed, by the server's log or
// by the error of a session.
func crashed(text, log string) bool {
	return crash.MatchString(log) || connectionLost.MatchString(text)
}

// adviseObject explains why a file is not a valid ELF file, if its headers are not
// valid.
func (r *run) adviseObject(file string) (damaged bool) {
	_, err := r.in.object(file)
	var malformed *elf.FormatError
	switch {
	case errors.As(err, &malformed):
		r.explain("%s is damaged: %v", file, malformed)
	case errors.Is(err, elf.ErrNotELF):
		r.explain("%s is not an ELF file", file)
	default:
		return false
	}
	return true
}

// adviseScript explains why the default version of one of the image's extensions
// has no install script.
func (r *run) adviseScript(name string) {
	m := r.in.Image.Metadata
	for _, e := range m.Extensions {
		if e.Name != name {
			continue
		}
		control := "extension/" + name + ".control"
		if !slices.ContainsFunc(m.ExtensionControlPath, func(dir string) bool { return r.in.has(path.Join(dir, control)) }) {
			r.explain("the image lacks %s of the extension that its label names", control)
			continue
		}
		r.explain("the image has no script that installs version %s of %s, such as %s--%s.sql", e.Version, name, name, e.Version)
	}
}

// has reports whether the image under test has a file.
func (in Input) has(file string) bool {
	dir, err := os.OpenRoot(in.Image.Dir)
	if err != nil {
		return false
	}
	defer dir.Close() //nolint:errcheck // nothing is written
	_, err = dir.Stat(file)
	return err == nil
}

// modules returns the mounted paths of the image's modules.
func (in Input) modules() []string {
	m := in.Image.Metadata
	var out []string
	for _, name := range m.Modules {
		out = append(out, path.Join(cnpg.MountPath(m.Name), "lib", name+".so"))
	}
	return out
}

// object reads the ELF headers of a file at its mounted path.
func (in Input) object(file string) (elf.Object, error) {
	for _, i := range in.images() {
		rest, ok := strings.CutPrefix(file, cnpg.MountPath(i.Metadata.Name)+"/")
		if !ok {
			continue
		}
		f, err := os.OpenInRoot(i.Dir, rest)
		if err != nil {
			return elf.Object{}, err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return elf.Object{}, err
		}
		return elf.Read(f, info.Size())
	}
	return elf.Object{}, fs.ErrNotExist
}

package pgtest

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/cnpg"
	"github.com/pgext/pgext/internal/elf"
)

// What servers say of files that are there and of no use, with what they are.
var (
	unusableLibrary = regexp.MustCompile(`could not load library "[^"]+": (/extensions/[^:\n]+): ([^\n]+)`)
	unusableControl = regexp.MustCompile(`in file "(/extensions/[^"]+\.control)"( line \d+)?`)
	connectionLost  = regexp.MustCompile(`server closed the connection unexpectedly`)
	missingScript   = regexp.MustCompile(`extension "([^"]+)" has no installation script nor update path for version "([^"]+)"`)
	noScript        = regexp.MustCompile(`(?m)^(\S+) is not among pg_available_extensions with an install script$`)
)

// learnDamage explains files of the image that do not hold together, and tells
// whether there is an ELF file among them.
func (r *run) learnDamage(text, log string) (damaged bool) {
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
		r.explain(fmt.Sprintf("PostgreSQL cannot read%s of the control file %s", cmp.Or(m[2], " all"), m[1]))
	}
	for _, pattern := range []*regexp.Regexp{missingScript, noScript} {
		if m := pattern.FindStringSubmatch(text); m != nil {
			r.adviseScript(m[1])
		}
	}
	return damaged
}

// crashed tells of a session that took the server down, of which it may hear
// before the server's log does.
func crashed(text, log string) bool {
	return crash.MatchString(log) || connectionLost.MatchString(text)
}

// adviseObject says what is wrong with an ELF file of an image, if its headers
// show it.
func (r *run) adviseObject(file string) (damaged bool) {
	_, err := r.in.object(file)
	var malformed *elf.FormatError
	switch {
	case errors.As(err, &malformed):
		r.explain(fmt.Sprintf("%s is damaged: %v", file, malformed))
	case errors.Is(err, elf.ErrNotELF):
		r.explain(file + " is no ELF file")
	default:
		return false
	}
	return true
}

// adviseScript says why the default version of one of the image's extensions
// cannot be installed.
func (r *run) adviseScript(name string) {
	m := r.in.Image.Metadata
	for _, e := range m.Extensions {
		if e.Name != name {
			continue
		}
		control := "extension/" + name + ".control"
		if !slices.ContainsFunc(m.ExtensionControlPath, func(dir string) bool { return r.in.has(path.Join(dir, control)) }) {
			r.explain(fmt.Sprintf("the image lacks %s of the extension that its label names", control))
			continue
		}
		r.explain(fmt.Sprintf("the image has no script that installs version %s of %s, such as %s--%s.sql", e.Version, name, name, e.Version))
	}
}

// has tells whether the image under test has a file.
func (in Input) has(file string) bool {
	dir, err := os.OpenRoot(in.Image.Dir)
	if err != nil {
		return false
	}
	defer dir.Close() //nolint:errcheck // nothing is written
	_, err = dir.Stat(file)
	return err == nil
}

// modules are the mounted paths of the image's modules.
func (in Input) modules() []string {
	m := in.Image.Metadata
	var out []string
	for _, name := range m.Modules {
		out = append(out, path.Join(cnpg.MountPath(m.Name), "lib", name+".so"))
	}
	return out
}

// object reads the ELF headers of a file of an image, by its mounted path.
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

package base

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/image"
)

// Where dpkg keeps what is installed (dpkg(1)); images without dpkg have the
// second.
const (
	statusFile   = "var/lib/dpkg/status"
	statusDir    = "var/lib/dpkg/status.d/"
	infoDir      = "var/lib/dpkg/info/"
	loaderConfig = "etc/ld.so.conf"
)

const (
	// maxText bounds one file of the database, in bytes.
	maxText = 64 << 20
	// maxTexts bounds all of them together.
	maxTexts = 512 << 20
)

// imageReader learns what an operand image holds on the way through its
// layers. Facts are kept by the SHA-256 of contents: which of two files at one
// path counts, the tree says in the end.
type imageReader struct {
	arch    string
	flat    image.Flat
	objects map[string]elf.Object
	texts   map[string]string
	size    int64
}

func newImageReader(arch string) *imageReader {
	return &imageReader{arch: arch, objects: map[string]elf.Object{}, texts: map[string]string{}}
}

// wanted accepts what look has to see.
func wanted(e filetree.Entry) bool { return isText(e.Path) || isLibrary(e.Path) }

func isText(p string) bool {
	return p == statusFile || strings.HasPrefix(p, statusDir) ||
		strings.HasPrefix(p, infoDir) && path.Ext(p) == ".list" ||
		p == loaderConfig || strings.HasPrefix(p, loaderConfig+".d/")
}

// isLibrary accepts the names of shared libraries.
func isLibrary(p string) bool {
	name := path.Base(p)
	return strings.HasSuffix(name, ".so") || strings.Contains(name, ".so.")
}

func (r *imageReader) look(e filetree.Entry, content io.ReaderAt) (keep bool, err error) {
	if isText(e.Path) {
		if r.size += e.Size; e.Size > maxText || r.size > maxTexts {
			return false, fmt.Errorf("%s: %d bytes, more than is read", e.Path, e.Size)
		}
		text, err := io.ReadAll(io.NewSectionReader(content, 0, e.Size))
		r.texts[e.SHA256] = string(text)
		return false, err
	}
	o, err := elf.Read(content, e.Size)
	var malformed *elf.FormatError
	if err == nil {
		r.objects[e.SHA256] = o
	} else if !errors.Is(err, elf.ErrNotELF) && !errors.As(err, &malformed) {
		return false, err
	}
	return false, nil
}

func (r *imageReader) text(p string) string {
	e, ok := r.flat.Tree.Resolve(p)
	if !ok {
		return ""
	}
	return r.texts[e.SHA256]
}

// contents puts together what the files amount to.
func (r *imageReader) contents() (contents, error) {
	packages, err := r.packages()
	if err != nil {
		return contents{}, err
	}
	owners := r.owners()
	owner := func(p string) string {
		if pkg, ok := owners[p]; ok {
			return pkg
		}
		return Unpackaged
	}
	found := contents{
		Packages: packages, Libraries: r.libraries(owner), Programs: r.programs(owner),
		Extensions: map[string][]string{}, Servers: map[string]bool{},
	}
	for e := range r.flat.Tree.Under("usr").All() {
		parts := strings.Split(e.Path, "/")
		if len(parts) < 6 || parts[2] != "postgresql" {
			continue
		}
		name := parts[5]
		switch {
		case len(parts) == 6 && parts[1] == "share" && parts[4] == "extension" && strings.HasSuffix(name, ".control") && !strings.Contains(name, "--"):
			found.Extensions[parts[3]] = append(found.Extensions[parts[3]], strings.TrimSuffix(name, ".control"))
		case e.Path == "usr/lib/postgresql/"+parts[3]+"/bin/postgres":
			found.Servers[parts[3]] = true
		}
	}
	return found, nil
}

package base

import (
	"path"
	"strings"

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

// imageReader reads the packages, libraries, programs and extensions of an operand
// image.
type imageReader struct {
	arch  string
	flat  image.Flat
	files image.FileReader
}

func newImageReader(arch string) *imageReader {
	return &imageReader{arch: arch, files: image.FileReader{IsText: isText, MaxText: 64 << 20, MaxTexts: 512 << 20}}
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

// text returns the text at a path of the image, "" if there is none.
func (r *imageReader) text(p string) string {
	text, _ := r.files.Text(r.flat.Tree, p)
	return text
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

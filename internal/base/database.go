package base

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/filetree"
)

// packages returns the packages that dpkg has installed, sorted by name: those whose
// Status ends in "installed" (dpkg(1)), of the image's architecture.
func (r *imageReader) packages() ([]apt.Package, error) {
	texts := map[string]string{statusFile: r.text(statusFile)}
	for e := range r.flat.Tree.Under(strings.TrimSuffix(statusDir, "/")).All() {
		if e.Kind == filetree.File && path.Ext(e.Path) != ".md5sums" {
			texts[e.Path] = r.text(e.Path)
		}
	}
	byName := map[string]apt.Package{}
	for _, file := range slices.Sorted(maps.Keys(texts)) { // the last paragraph of a name counts
		scanner := debian.NewScanner(strings.NewReader(texts[file]))
		for scanner.Scan() {
			p := scanner.Paragraph()
			if status := p.Get("Status"); status != "" && !strings.HasSuffix(status, " installed") {
				continue
			}
			pkg := apt.FromControl(p)
			if pkg.Name != "" && (pkg.Arch == r.arch || pkg.Arch == "all") {
				byName[pkg.Name] = pkg
			}
		}
		if err := scanner.Err(); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	out := make([]apt.Package, 0, len(byName))
	for _, p := range byName {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b apt.Package) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// owners maps the resolved paths of files to their packages: packages older than the
// merged /usr list paths below /lib.
func (r *imageReader) owners() map[string]string {
	out := map[string]string{}
	add := func(file, pkg string) {
		file = strings.TrimPrefix(path.Clean("/"+file), "/")
		if file != "" {
			out[r.real(file)] = pkg
		}
	}
	for e := range r.flat.Tree.Under(strings.TrimSuffix(infoDir, "/")).All() {
		name, ok := strings.CutSuffix(path.Base(e.Path), ".list")
		if !ok {
			continue
		}
		name, _, _ = strings.Cut(name, ":")
		for line := range strings.Lines(r.text(e.Path)) {
			add(strings.TrimSpace(line), name)
		}
	}
	for e := range r.flat.Tree.Under(strings.TrimSuffix(statusDir, "/")).All() {
		name, ok := strings.CutSuffix(path.Base(e.Path), ".md5sums")
		if !ok {
			continue
		}
		for line := range strings.Lines(r.text(e.Path)) {
			if _, file, ok := strings.Cut(strings.TrimSpace(line), "  "); ok {
				add(file, name)
			}
		}
	}
	return out
}

// real returns the path of a file with every link in its folder followed.
func (r *imageReader) real(file string) string {
	dir, ok := r.flat.Tree.Resolve(path.Dir(file))
	if !ok {
		return file
	}
	return path.Join(dir.Path, path.Base(file))
}

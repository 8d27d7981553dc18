package layout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/license"
	"github.com/pgext/pgext/internal/lock"
)

// maxCopyright limits the size of a copyright file, in bytes. The largest ones in
// Debian have a few megabytes.
const maxCopyright = 32 << 20

// PackageLicense is the licence of all upstream files of a package, from its
// copyright file.
type PackageLicense struct {
	Package string    `json:"package"`
	Role    lock.Role `json:"role"`
	// License is empty if the file is not machine-readable; Reason is the error.
	license.License
	Reason string `json:"reason,omitempty"`
	// Text is the whole file, Notices are its copyright notices.
	Text    string   `json:"-"`
	Notices []string `json:"-"`
}

// copyrights places the copyright file of every package with a file in the image
// (Debian Policy 12.5). The directory of the copyright file may be a link into
// another package.
func (a *arrangement) copyrights(placed []placement) []placement {
	sources := sourcePackages(placed)
	var out []placement
	for i := range a.packages {
		pkg := &a.packages[i]
		if !sources[pkg.Name] {
			continue
		}
		name := "usr/share/doc/" + pkg.Name + "/copyright"
		e, ok := a.installed.Resolve(name)
		if !ok || e.Kind != filetree.File || e.Content == nil {
			a.find("PGX026", name, "", "copyright file of %s not found in the packages", pkg.Name)
			continue
		}
		p := placement{pkg: pkg, source: e, to: copyrightPath(pkg.Name), action: Placed, reason: "copyright"}
		if e.Origin.Package != pkg.Name {
			p.via, p.reason = name, "copyright, as in "+e.Origin.Package
		}
		out = append(out, p)
	}
	return out
}

// copyrightPath returns the path of a package's copyright file in an image.
func copyrightPath(pkg string) string { return "licenses/" + pkg + "/copyright" }

// sourcePackages returns the packages of the placements and of their files.
func sourcePackages(placed []placement) map[string]bool {
	sources := map[string]bool{}
	for _, p := range placed {
		sources[p.pkg.Name], sources[p.source.Origin.Package] = true, true
	}
	return sources
}

// licenses reads the copyright files among the placements. Packages of one source
// have equal files, so it reads each distinct file once.
func (a *arrangement) licenses(placed []placement) ([]PackageLicense, error) {
	known := map[string]PackageLicense{}
	var out []PackageLicense
	for _, p := range placed {
		if p.to != copyrightPath(p.pkg.Name) {
			continue
		}
		l, ok := known[p.source.SHA256]
		if !ok || p.source.SHA256 == "" {
			text, err := p.source.ReadAll(maxCopyright)
			if err != nil {
				return nil, fmt.Errorf("arranging %s: package %s: %w", a.in.Name, p.pkg.Name, err)
			}
			l = readLicense(string(text))
			known[p.source.SHA256] = l
		}
		l.Package, l.Role = p.pkg.Name, p.pkg.Role
		out = append(out, l)
	}
	slices.SortFunc(out, func(x, y PackageLicense) int { return strings.Compare(x.Package, y.Package) })
	return out, nil
}

func readLicense(text string) PackageLicense {
	c, err := license.Read(text)
	if err != nil {
		return PackageLicense{Reason: err.Error(), Text: text, Notices: license.ProseNotices(text)}
	}
	out := PackageLicense{Text: text, Notices: c.Notices()}
	if out.License, err = c.Upstream(); err != nil {
		out.License, out.Reason = license.License{}, err.Error()
	}
	return out
}

// Statements returns the licences by package. For a package without a placed
// copyright file of its own it returns the licence of another package whose
// copyright file it contains (Debian Policy 12.5).
func (r Result) Statements() map[string]PackageLicense {
	out := map[string]PackageLicense{}
	for _, l := range r.Licenses {
		for _, layer := range []filetree.Tree{r.Extension, r.Libraries} {
			if e, ok := layer.Get(copyrightPath(l.Package)); ok {
				if _, own := out[e.Origin.Package]; !own {
					out[e.Origin.Package] = l
				}
			}
		}
	}
	for _, l := range r.Licenses {
		out[l.Package] = l
	}
	return out
}

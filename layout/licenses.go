package layout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/license"
)

// maxCopyright bounds a copyright file, in bytes. The largest of Debian have
// some megabytes.
const maxCopyright = 32 << 20

// PackageLicense is what the copyright file of a package says about all of
// upstream's files.
type PackageLicense struct {
	Package string `json:"package"`
	Role    Role   `json:"role"`
	// License is empty when the file is not machine-readable; then Reason
	// says what it is instead.
	license.License
	Reason string `json:"reason,omitempty"`
	// Text is the whole file, Notices are the claims of copyright in it.
	Text    string   `json:"-"`
	Notices []string `json:"-"`
}

// copyrights places the copyright file of every package that gave a file
// (Policy 12.5), through the link to another package's directory that it may
// have instead of its own.
func (a *arrangement) copyrights(placed []placement) []placement {
	gave := givers(placed)
	var out []placement
	for i := range a.packages {
		pkg := &a.packages[i]
		if !gave[pkg.Name] {
			continue
		}
		name := "usr/share/doc/" + pkg.Name + "/copyright"
		e, ok := a.world.Resolve(name)
		if !ok || e.Kind != filetree.File || e.Content == nil {
			a.find("PGX026", name, "", "%s: its copyright file is not among the packages", pkg.Name)
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

// copyrightPath is where an image has the copyright file of a package.
func copyrightPath(pkg string) string { return "licenses/" + pkg + "/copyright" }

// givers returns the packages that the files of placements come from.
func givers(placed []placement) map[string]bool {
	gave := map[string]bool{}
	for _, p := range placed {
		gave[p.pkg.Name], gave[p.source.Origin.Package] = true, true
	}
	return gave
}

// licenses reads the copyright files among the placements. Packages of one
// source share theirs, so each is read once.
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

// Statements are what copyright files say, by package: of one that has none of
// its own what the file it gave says about others (Policy 12.5).
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

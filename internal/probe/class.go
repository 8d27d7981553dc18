package probe

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/layout"
)

// Kind is the kind of a package.
type Kind string

// The kinds. Every package of an archive is of exactly one.
const (
	// Image packages get a recipe of their own.
	Image Kind = "image"
	// Half packages join the image of another package.
	Half Kind = "half"
	// None is no extension, or cannot be one.
	None Kind = "none"
)

// Class describes what a package is.
type Class struct {
	Package string `json:"package"`
	Kind    Kind   `json:"class"`
	// Recipe is the name of an image's recipe; of a half, that of the image it
	// joins.
	Recipe string `json:"recipe,omitempty"`
	// Of is the package whose image a half joins.
	Of string `json:"of,omitempty"`
	// Reason says why.
	Reason string `json:"reason"`
}

// Member is a package with what is known before anything is fetched.
type Member struct {
	Package apt.Package
	// Extension names the packages that its image would be made of.
	Extension []string
}

// NoExtension reports why a package cannot be an extension, where its stanza in
// the index tells.
func NoExtension(p apt.Package, postgres int) (reason string, ok bool) {
	switch {
	case p.Source == fmt.Sprintf("postgresql-%d", postgres):
		return "a part of the server: it comes from the source " + p.Source, true
	case strings.HasSuffix(p.Name, "-dbgsym"):
		return "debugging symbols", true
	case path.Base(p.Section) == "doc":
		return "documentation", true
	case path.Base(p.Section) == "oldlibs":
		return "a transitional package", true
	}
	return "", false
}

// Halves maps packages to the one whose image they join: it comes from the
// same source and depends on them. Of two that depend on each other the one
// with the shorter name is the image.
func Halves(members []Member) map[string]string {
	byName := map[string]Member{}
	for _, m := range members {
		byName[m.Package.Name] = m
	}
	out := map[string]string{}
	for _, m := range members {
		for _, name := range m.Extension {
			half, ok := byName[name]
			if !ok || name == m.Package.Name || half.Package.Source != m.Package.Source {
				continue
			}
			if slices.Contains(half.Extension, m.Package.Name) && !before(m.Package.Name, name) {
				continue
			}
			if of, taken := out[name]; !taken || before(m.Package.Name, of) {
				out[name] = m.Package.Name
			}
		}
	}
	for range out { // a half of a half joins the whole
		for name, of := range out {
			if whole, ok := out[of]; ok && whole != name {
				out[name] = whole
			}
		}
	}
	return out
}

func before(a, b string) bool {
	return len(a) < len(b) || len(a) == len(b) && a < b
}

// Judge reports whether arranged packages are an extension at all: they need a
// control file or a module. Otherwise the reason tells what they have.
func Judge(members []layout.Package, arranged layout.Result) (kind Kind, reason string) {
	switch {
	case len(arranged.Extensions) > 0:
		return Image, "extension " + listed(arranged.Extensions)
	case len(arranged.Modules) > 0:
		return Image, "module " + strings.Join(arranged.Modules, ", ")
	}
	var programs []string
	for e := range arranged.Extension.Under("bin").All() {
		if e.Kind != filetree.Dir {
			programs = append(programs, path.Base(e.Path))
		}
	}
	switch {
	case len(programs) > 0:
		return None, "neither control file nor module, only programs: " + strings.Join(programs, ", ")
	case len(arranged.Unscripted) > 0:
		return None, "a control file without install script, no module: " + strings.Join(arranged.Unscripted, ", ")
	case !slices.ContainsFunc(members, func(p layout.Package) bool { return !Empty(p) }):
		return None, EmptyReason
	}
	return None, "neither control file nor module"
}

// EmptyReason is why an empty package is no extension.
const EmptyReason = "no files but documentation: a metapackage or a transitional one"

// Empty reports whether a package has nothing but documentation: whatever it
// depends on is an image without it.
func Empty(p layout.Package) bool {
	for e := range p.Tree.All() {
		if e.Kind != filetree.Dir && !strings.HasPrefix(e.Path, "usr/share/doc/") {
			return false
		}
	}
	return true
}

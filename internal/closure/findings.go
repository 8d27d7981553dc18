package closure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/finding"
)

// Findings returns the reasons why the image cannot be loaded on arch. ix, if not
// nil, is searched for packages whose names match a missing library.
func (r Result) Findings(arch string, ix *apt.Index) []finding.Finding {
	var out []finding.Finding
	add := func(f finding.Finding) {
		f.Arch = arch
		out = append(out, f)
	}
	for _, m := range r.Missing {
		text := fmt.Sprintf("needs %s, which neither the base nor the image has", m.Library)
		if m.Reason != elf.NotProvided {
			text += ": " + string(m.Reason)
		}
		for _, path := range m.NeededBy {
			add(finding.New("PGX001", path, text, missingHint(m, ix)))
		}
	}
	for _, g := range r.VersionGaps {
		for _, path := range g.NeededBy {
			add(gapFinding(g, path))
		}
	}
	for _, w := range r.WrongArch {
		if w.Library == "" {
			add(finding.New("PGX003", w.Path, fmt.Sprintf("is an ELF file for %s in an image for %s", elf.Machine(w.Arch), arch),
				"use the package of the right architecture"))
		}
	}
	return finding.Sort(out)
}

func missingHint(m elf.Missing, ix *apt.Index) string {
	var names []string
	if ix != nil {
		names = holders(ix, m.Library)
	}
	if len(names) == 0 {
		return "no package of the archives is named after " + m.Library + "; add the package that contains it to bundle.packages"
	}
	return "the name of " + strings.Join(names, " or ") + " matches it: add the package to bundle.packages"
}

// holders returns the packages of the index that are named after a SONAME.
func holders(ix *apt.Index, soname string) []string {
	var out []string
	for _, name := range conventionalNames(soname) {
		for _, p := range ix.Matching(name + "*") {
			if namedFor(p.Name, soname) {
				out = append(out, p.Name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func gapFinding(g elf.Gap, path string) finding.Finding {
	text := fmt.Sprintf("needs %s of %s", g.Version, g.Library)
	switch {
	case g.Provider.Path == "":
		text += ", which it does not load"
	case g.Highest == "":
		text += fmt.Sprintf(", and that of %s defines no such version", g.Provider.Package)
	default:
		text += fmt.Sprintf(", and that of %s goes up to %s", g.Provider.Package, g.Highest)
	}
	return finding.New("PGX002", path, text, "use the package of the distribution that the base is built from")
}

package apt

import (
	"strings"

	"github.com/pgext/pgext/internal/debian"
)

// FromControl is the package that the control paragraph of a .deb describes. It
// is in no archive.
func FromControl(c debian.Paragraph) Package {
	p := Package{
		Name: c.Get("Package"), Version: c.Get("Version"), Arch: c.Get("Architecture"),
		Section: c.Get("Section"), Priority: c.Get("Priority"), MultiArch: c.Get("Multi-Arch"),
		PreDepends: c.Get("Pre-Depends"), Depends: c.Get("Depends"), Recommends: c.Get("Recommends"),
		Suggests: c.Get("Suggests"), Provides: c.Get("Provides"), Conflicts: c.Get("Conflicts"), Breaks: c.Get("Breaks"),
	}
	for _, relations := range []*string{&p.PreDepends, &p.Depends, &p.Recommends, &p.Suggests, &p.Provides, &p.Conflicts, &p.Breaks} {
		*relations = strings.Join(strings.Fields(*relations), " ") // as an index has them
	}
	p.Source, p.SourceVersion = debian.SplitSource(c.Get("Source"), p.Name, p.Version)
	return p
}

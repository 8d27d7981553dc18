package recipe

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Target is one image of a recipe: a distribution and a PostgreSQL major, with
// everything resolution needs. Its values are as written; Expand, Packages and
// the like fill in the variables.
type Target struct {
	Distro   string
	Postgres int
	// Archs are Debian names, sorted, at least one.
	Archs []string
	// Base is BaseMinimal or BaseImagePrefix with a reference.
	Base   string
	Source Source
	// Archives replace the default list of the distribution; nil keeps it.
	Archives []Archive
	Bundle   Bundle
	Requires []string
}

// String returns DISTRO/MAJOR.
func (t Target) String() string { return fmt.Sprintf("%s/%d", t.Distro, t.Postgres) }

// Expand replaces the variables in s for one architecture of the target.
func (t Target) Expand(s, arch string) string { return expand(s, t.Postgres, t.Distro, arch) }

// expandAll replaces the variables in each of list.
func (t Target) expandAll(list []string, arch string) []string {
	var out []string
	for _, s := range list {
		out = append(out, t.Expand(s, arch))
	}
	return out
}

// BaseFor returns Base with its variables replaced.
func (t Target) BaseFor(arch string) string { return t.Expand(t.Base, arch) }

// Packages returns the packages that are the extension, variables replaced, in
// the order of the recipe; nil when the source is not deb.
func (t Target) Packages(arch string) []string {
	if t.Source.Deb == nil {
		return nil
	}
	return t.expandAll(t.Source.Deb.Packages, arch)
}

// DebFiles returns the vendor's packages that fit the target and architecture,
// variables replaced.
func (t Target) DebFiles(arch string) []DebFile {
	var out []DebFile
	if t.Source.Deb == nil {
		return nil
	}
	for _, f := range t.Source.Deb.Files {
		if t.fits(f.Distro, f.Postgres, f.Arch, arch) {
			f.URL, f.Path = t.Expand(f.URL, arch), t.Expand(f.Path, arch)
			out = append(out, f)
		}
	}
	return out
}

// Trees returns the paths of the staged trees that fit the target and
// architecture, variables replaced.
func (t Target) Trees(arch string) []string {
	var out []string
	for _, tree := range t.Source.Tree {
		if t.fits(tree.Distro, tree.Postgres, tree.Arch, arch) {
			out = append(out, t.Expand(tree.Path, arch))
		}
	}
	return out
}

// PGXSFor returns the source that is built, variables replaced; nil when the
// source is not pgxs.
func (t Target) PGXSFor(arch string) *PGXS {
	if t.Source.PGXS == nil {
		return nil
	}
	p := *t.Source.PGXS
	p.URL, p.Path, p.Subdir = t.Expand(p.URL, arch), t.Expand(p.Path, arch), t.Expand(p.Subdir, arch)
	for _, list := range []*[]string{&p.BuildDepends, &p.Patches, &p.Configure, &p.MakeArgs, &p.InstallArgs} {
		*list = t.expandAll(*list, arch)
	}
	return &p
}

// ArchivesFor returns Archives, variables replaced.
func (t Target) ArchivesFor(arch string) []Archive {
	var out []Archive
	for _, a := range t.Archives {
		a.URL, a.Suite, a.Components = t.Expand(a.URL, arch), t.Expand(a.Suite, arch), t.expandAll(a.Components, arch)
		if !strings.Contains(a.SignedBy, "\n") { // not inline armor
			a.SignedBy = t.Expand(a.SignedBy, arch)
		}
		out = append(out, a)
	}
	return out
}

// BundleFor returns Bundle, variables replaced.
func (t Target) BundleFor(arch string) Bundle {
	b := Bundle{Packages: t.expandAll(t.Bundle.Packages, arch), Libraries: slices.Clone(t.Bundle.Libraries)}
	for _, d := range t.Bundle.Data {
		d.Package, d.From, d.To = t.Expand(d.Package, arch), t.Expand(d.From, arch), t.Expand(d.To, arch)
		b.Data = append(b.Data, d)
	}
	return b
}

// fits reports whether filters that are set fit the target and architecture.
func (t Target) fits(distro string, postgres int, filter, arch string) bool {
	return (distro == "" || distro == t.Distro) && (postgres == 0 || postgres == t.Postgres) && (filter == "" || filter == arch)
}

// complete returns the row with its defaults.
func (row Row) complete() Row {
	row.Distro = cmp.Or(row.Distro, DefaultDistro)
	row.Base = cmp.Or(row.Base, BaseMinimal)
	if len(row.Postgres) == 0 {
		row.Postgres = slices.Clone(defaultPostgres)
	}
	if len(row.Archs) == 0 {
		row.Archs = slices.Clone(defaultArchs)
	}
	return row
}

// sameMake reports whether two rows have the same base and source.
func sameMake(a, b Row) bool {
	return a.complete().Base == b.complete().Base && reflect.DeepEqual(a.Source, b.Source)
}

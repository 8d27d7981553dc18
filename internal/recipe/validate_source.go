package recipe

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/text"
)

// source judges where files come from: exactly one of deb, pgxs, tree.
func (v validator) source(field string, s *Source) {
	var given []string
	for _, kind := range []string{"deb", "pgxs", "tree"} {
		if v.given(field + "." + kind) {
			given = append(given, kind)
		}
	}
	switch {
	case len(given) == 0:
		v.missing(field, "needs one of deb, pgxs, tree")
	case len(given) > 1:
		v.wrong(field+"."+given[1], "", "only one of deb, pgxs, tree can be given, and %s is", given[0])
	}
	if s.Deb != nil {
		v.deb(field+".deb", s.Deb)
	}
	if s.PGXS != nil {
		v.pgxs(field+".pgxs", s.PGXS)
	}
	if v.given(field+".tree") && len(s.Tree) == 0 {
		v.wrong(field+".tree", "", "is an empty list; name at least one folder")
	}
	for i, tree := range s.Tree {
		at := index(field+".tree", i)
		v.localPath(at+".path", tree.Path, true)
		v.filter(at, tree.Distro, tree.Postgres, tree.Arch)
	}
	v.unique(field+".tree", len(s.Tree), func(i int) string { return fmt.Sprint(s.Tree[i]) })
}

// deb judges the packages that are the extension.
func (v validator) deb(field string, d *Deb) {
	v.packages(field+".packages", d.Packages)
	for i, f := range d.Files {
		at := index(field+".files", i)
		v.place(at, f.URL, f.Path, f.SHA256, true)
		v.filter(at, f.Distro, f.Postgres, f.Arch)
	}
	v.unique(field+".files", len(d.Files), func(i int) string { return fmt.Sprint(d.Files[i]) })
	switch {
	case len(d.Packages)+len(d.Files) > 0:
	case v.given(field + ".packages"):
		v.wrong(field+".packages", "", "is an empty list; name at least one package")
	default:
		v.missing(field, "names no package; give packages or files")
	}
}

// pgxs judges a source that is built.
func (v validator) pgxs(field string, p *PGXS) {
	v.place(field, p.URL, p.Path, p.SHA256, false)
	if p.Strip != nil && (*p.Strip < 0 || *p.Strip > 100) {
		v.wrong(field+".strip", "", "%d is not a number of path components", *p.Strip)
	}
	if v.given(field + ".subdir") {
		v.imagePath(field+".subdir", p.Subdir)
	}
	v.packages(field+".build_depends", p.BuildDepends)
	for i, patch := range p.Patches {
		v.localPath(index(field+".patches", i), patch, true)
	}
	v.unique(field+".patches", len(p.Patches), func(i int) string { return p.Patches[i] })
	for _, arguments := range []struct {
		name   string
		values []string
	}{{"configure", p.Configure}, {"make_args", p.MakeArgs}, {"install_args", p.InstallArgs}} {
		for i, value := range arguments.values {
			v.expand(index(field+"."+arguments.name, i), value)
		}
	}
	if len(p.Configure) > 0 && p.Configure[0] == "" {
		v.wrong(field+".configure[0]", "", "is empty; it is the program that runs")
	}
}

// filter judges which targets an element of a source is for.
func (v validator) filter(field, distro string, postgres int, arch string) {
	v.optional(field+".distro", distro, distroPattern)
	if v.given(field + ".postgres") {
		v.postgres(field+".postgres", postgres)
	}
	if v.given(field + ".arch") {
		v.arch(field+".arch", arch)
	}
}

// packages judges a list of package names with variables.
func (v validator) packages(field string, names []string) {
	for i, name := range names {
		if v.required(index(field, i), name) {
			v.packageName(index(field, i), name)
		}
	}
	v.unique(field, len(names), func(i int) string { return names[i] })
}

func (v validator) packageName(field, name string) {
	if expanded, ok := v.expand(field, name); ok && !packagePattern.matches(expanded) {
		v.wrong(field, packagePattern.near(name), "%q is not %s", name, packagePattern.is)
	}
}

// archive judges one archive of the list.
func (v validator) archive(field string, a *Archive) {
	builtIn := slices.Contains(builtinArchives, a.Name)
	if v.required(field+".name", a.Name) {
		v.match(v.nameField(field), a.Name, imagePattern)
	}
	switch {
	case v.given(field + ".url"):
		v.url(field+".url", a.URL, "http", "https", "file")
		if !builtIn && !v.given(field+".signed_by") {
			v.missing(field+".signed_by", "is required: the keys of an archive that is not built in")
		}
	case !builtIn && a.Name != "":
		v.wrong(v.nameField(field), text.Nearest(a.Name, builtinArchives),
			"%q is not a built-in archive (%s); any other needs url, suite and signed_by", a.Name, strings.Join(builtinArchives, ", "))
	}
	if v.given(field+".url") && !builtIn || v.given(field+".suite") {
		v.suite(field+".suite", a.Suite)
	}
	for i, component := range a.Components {
		v.suite(index(field+".components", i), component)
	}
	v.unique(field+".components", len(a.Components), func(i int) string { return a.Components[i] })
	v.notEmpty(field+".components", len(a.Components))
	v.keys(field, a)
	if v.given(field + ".snapshot") {
		if _, err := time.Parse(time.RFC3339, a.Snapshot); err != nil {
			v.wrong(field+".snapshot", "", "%q is not a time as in 2026-10-30T08:00:00Z (RFC 3339)", a.Snapshot)
		}
	}
}

// suite judges the name of a suite or component with variables.
func (v validator) suite(field, name string) {
	if !v.required(field, name) {
		return
	}
	if expanded, ok := v.expand(field, name); ok && !suitePattern.matches(expanded) {
		v.wrong(field, "", "%q is not %s", name, suitePattern.is)
	}
}

// keys judges what an archive's signature is checked with.
func (v validator) keys(field string, a *Archive) {
	if !strings.Contains(a.SignedBy, "-----BEGIN PGP PUBLIC KEY BLOCK-----") {
		v.localPath(field+".signed_by", a.SignedBy, false)
	}
	v.each(field+".fingerprints", a.Fingerprints, fingerprintPattern)
	v.notEmpty(field+".fingerprints", len(a.Fingerprints))
}

// nameField returns where an archive's name is: it may be all that is written.
func (v validator) nameField(field string) string {
	if v.given(field + ".name") {
		return field + ".name"
	}
	return field
}

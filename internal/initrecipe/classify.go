package initrecipe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/probe"
	"github.com/pgext/pgext/internal/session"
)

// Classification describes what every extension package of an archive is.
type Classification struct {
	Distro   string
	Postgres int
	// Classes are sorted by package.
	Classes []probe.Class
	// Facts are those of the image-class packages, in the same order.
	Facts []probe.Facts
}

// Classify looks at every package postgresql-NN-* of the archives.
func (f *Finder) Classify(ctx context.Context, ask Ask) (Classification, error) {
	p, err := f.newProber(ctx, ask)
	if err != nil {
		return Classification{}, err
	}
	packages := p.extensionPackages()
	subjects := make([]subject, len(packages))
	if err := session.Parallel(f.s.Jobs, len(packages), func(i int) (err error) {
		subjects[i], err = p.consider(ctx, packages[i])
		return err
	}); err != nil {
		return Classification{}, err
	}
	markHalves(subjects)
	if err := p.judge(ctx, subjects); err != nil {
		return Classification{}, err
	}
	out := Classification{Distro: p.target.Distro, Postgres: p.target.Postgres}
	for _, s := range subjects {
		out.Classes = append(out.Classes, s.class)
		if s.class.Kind == probe.Image {
			out.Facts = append(out.Facts, s.facts)
		}
	}
	return out, nil
}

// subject is a package on its way to its class.
type subject struct {
	pkg    apt.Package
	looked looked
	class  probe.Class
	facts  probe.Facts
}

// extensionPackages are those of any architecture, by name.
func (p *prober) extensionPackages() []apt.Package {
	var out []apt.Package
	for _, ix := range p.indexes {
		out = append(out, ix.Matching(probe.Prefix(p.target.Postgres))...)
	}
	slices.SortStableFunc(out, func(a, b apt.Package) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(out, func(a, b apt.Package) bool { return a.Name == b.Name })
}

// consider resolves one package. What apt cannot install is no extension of
// this archive.
func (p *prober) consider(ctx context.Context, pkg apt.Package) (subject, error) {
	s := subject{pkg: pkg, class: probe.Class{Package: pkg.Name}}
	if reason, ok := probe.NoExtension(pkg, p.target.Postgres); ok {
		s.class.Kind, s.class.Reason = probe.None, reason
		return s, nil
	}
	var err error
	s.looked, err = p.look(ctx, []string{pkg.Name})
	var inBase *builder.InBaseError
	var unknown *apt.UnknownError
	var unsatisfiable *apt.UnsatisfiableError
	switch {
	case errors.As(err, &inBase), errors.As(err, &unknown), errors.As(err, &unsatisfiable):
		s.class.Kind, s.class.Reason = probe.None, err.Error()
		return s, nil
	case err != nil || len(s.looked.resolution.Members.Extension) == 1:
		return s, err
	}
	// A metapackage has no halves.
	own, err := s.looked.resolution.Read(ctx, []apt.Package{pkg}, lock.Extension)
	if err == nil && probe.Empty(own[0]) {
		s.class.Kind, s.class.Reason = probe.None, probe.EmptyReason
	}
	return s, err
}

// markHalves finds the packages that join the image of another one.
func markHalves(subjects []subject) {
	var members []probe.Member
	for _, s := range subjects {
		if s.class.Kind != "" {
			continue
		}
		m := probe.Member{Package: s.pkg}
		for _, member := range s.looked.resolution.Members.Extension {
			m.Extension = append(m.Extension, member.Name)
		}
		members = append(members, m)
	}
	halves := probe.Halves(members)
	for i := range subjects {
		if of, ok := halves[subjects[i].pkg.Name]; ok {
			subjects[i].class = probe.Class{
				Package: subjects[i].pkg.Name, Kind: probe.Half, Of: of,
				Reason: fmt.Sprintf("%s depends on it, and both come from the source %s", of, subjects[i].pkg.Source),
			}
		}
	}
}

// judge looks into the packages that are left, and names the images.
func (p *prober) judge(ctx context.Context, subjects []subject) error {
	var names []string
	for _, s := range subjects {
		if s.class.Kind == "" {
			names = append(names, s.pkg.Name)
		}
	}
	recipes := probe.Names(names, p.target.Postgres)
	if err := session.Parallel(p.s.Jobs, len(subjects), func(i int) error {
		s := &subjects[i]
		if s.class.Kind != "" {
			return nil
		}
		packages, arranged, err := s.looked.resolution.ExtensionLayout(ctx)
		if err != nil {
			return err
		}
		s.class.Kind, s.class.Reason = probe.Judge(packages, arranged)
		if s.class.Kind != probe.Image {
			return nil
		}
		s.class.Recipe = recipes[s.pkg.Name]
		s.facts, err = p.factsOf(ctx, s.looked, s.class.Recipe, packages, arranged)
		return err
	}); err != nil {
		return err
	}
	for i := range subjects {
		if subjects[i].class.Kind == probe.Half {
			subjects[i].class.Recipe = recipes[subjects[i].class.Of]
		}
	}
	return nil
}

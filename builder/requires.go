package builder

import (
	"context"
	"slices"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/base"
	"github.com/pgext/pgext/internal/closure"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/metadata"
)

// requires returns what other images must bring, and which extensions of the
// base are relied upon.
func (s *Resolution) requires(ctx context.Context, extensions []metadata.Extension) (requires []lock.Require, ofBase []string, err error) {
	others, err := s.others(ctx)
	if err != nil {
		return nil, nil, err
	}
	unmet := metadata.Unmet(extensions)
	ofBase = s.ofBase(unmet)
	unmet = slices.DeleteFunc(unmet, func(name string) bool { return slices.Contains(ofBase, name) })
	if named := s.Target.Requires; len(named) > 0 { // the recipe knows better
		return closure.Named(s.Target.Postgres, named, others), ofBase, nil
	}
	suppliers, err := s.suppliers(ctx, unmet, others)
	requires = closure.Requires(s.Target.Postgres, unmet, others, suppliers)
	return requires, ofBase, err
}

// ofBase returns those of names that every server, or the operand image, has.
func (s *Resolution) ofBase(names []string) []string {
	has := base.Contrib(s.Target.Postgres)
	if s.Sources.Base.Known() {
		has = s.Sources.Base.Extensions
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slices.Contains(has, name) })
}

// others looks into the packages that are depended on and whose extensions are
// not this image's. What joins another image is looked into with it.
func (s *Resolution) others(ctx context.Context) ([]closure.Other, error) {
	groups := map[string][]apt.Package{}
	joined := map[string]bool{}
	for _, p := range s.Members.Foreign {
		groups[p.Name] = closure.Members(s.Target.Postgres, []string{p.Name}, s.Resolved).Extension
		for _, half := range groups[p.Name] {
			joined[half.Name] = joined[half.Name] || half.Name != p.Name
		}
	}
	var out []closure.Other
	for _, p := range s.Members.Foreign {
		if joined[p.Name] {
			continue
		}
		other, err := s.other(ctx, p.Name, groups[p.Name])
		if err != nil {
			return nil, err
		}
		out = append(out, other)
	}
	return out, nil
}

// suppliers looks for the packages that have the extensions of names which no
// package that is depended on has. Some have none.
func (s *Resolution) suppliers(ctx context.Context, names []string, others []closure.Other) ([]closure.Other, error) {
	var out []closure.Other
	has := func(name string) bool {
		return slices.ContainsFunc(slices.Concat(others, out), func(o closure.Other) bool { return slices.Contains(o.Extensions, name) })
	}
	for _, name := range names {
		for _, p := range closure.Suppliers(s.Sources.Index, s.Target.Postgres, name) {
			if has(name) {
				break
			}
			resolved, err := s.Sources.Index.Install(s.Sources.Base.Packages, []string{p.Name})
			if err != nil {
				continue // what cannot be installed supplies nothing
			}
			other, err := s.other(ctx, p.Name, closure.Members(s.Target.Postgres, []string{p.Name}, resolved).Extension)
			if err != nil {
				return nil, err
			}
			if slices.Contains(other.Extensions, name) {
				out = append(out, other)
			}
		}
	}
	return out, nil
}

// other looks into the packages of one image, which is named after pkg.
func (s *Resolution) other(ctx context.Context, pkg string, packages []apt.Package) (closure.Other, error) {
	all, err := s.Sources.Scan(ctx, packages)
	if err != nil {
		return closure.Other{}, err
	}
	return closure.OtherOf(s.Target.Postgres, pkg, all...), nil
}

package builder

import (
	"context"
	"fmt"
	"slices"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/closure"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/metadata"
)

// alwaysThere is in every database.
const alwaysThere = "plpgsql"

// requires returns what other images must bring, and which extensions of the
// base are relied upon.
func (s *resolution) requires(ctx context.Context, extensions []metadata.Extension) (requires []lock.Require, ofBase []string, err error) {
	others, err := s.others(ctx, s.members.Foreign)
	if err != nil {
		return nil, nil, err
	}
	unmet := unmetBy(extensions)
	if ofBase, err = s.ofBase(ctx, unmet); err != nil {
		return nil, nil, err
	}
	unmet = slices.DeleteFunc(unmet, func(name string) bool { return slices.Contains(ofBase, name) })
	if named := s.target.Requires; len(named) > 0 { // the recipe knows better
		return closure.Named(s.target.Postgres, named, others), ofBase, nil
	}
	return closure.Requires(s.target.Postgres, unmet, others), ofBase, nil
}

// ofBase returns those of names that the server's package has.
func (s *resolution) ofBase(ctx context.Context, names []string) ([]string, error) {
	server, ok := s.base.Package(fmt.Sprintf("postgresql-%d", s.target.Postgres))
	if !ok || len(names) == 0 {
		return nil, nil
	}
	all, err := s.others(ctx, []apt.Package{server})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, name := range names {
		if slices.Contains(all[0].Extensions, name) {
			out = append(out, name)
		}
	}
	return out, nil
}

// unmetBy returns the extensions that extensions require and are not, sorted.
func unmetBy(extensions []metadata.Extension) []string {
	own := map[string]bool{alwaysThere: true}
	for _, e := range extensions {
		own[e.Name] = true
	}
	var out []string
	for _, e := range extensions {
		for _, name := range e.Requires {
			if !own[name] {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// others looks into packages whose extensions are not this image's.
func (s *resolution) others(ctx context.Context, packages []apt.Package) ([]closure.Other, error) {
	all, err := s.learn(ctx, packages)
	if err != nil {
		return nil, err
	}
	out := make([]closure.Other, len(packages))
	for i, p := range packages {
		out[i] = closure.OtherOf(s.target.Postgres, p.Name, all[i].Tree)
	}
	return out, nil
}

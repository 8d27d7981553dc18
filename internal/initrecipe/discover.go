package initrecipe

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/imagetest"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/pgtest"
	"github.com/pgext/pgext/internal/probe"
	"github.com/pgext/pgext/internal/recipe"
)

// Discovery is the result of testing a proposed recipe.
type Discovery struct {
	// Facts are the settings of the recipe, including those learned from the server.
	Facts probe.Facts
	// Result is of the image that these facts make. No checks mean that it
	// did not run; then Reason completes "not tried out:".
	Result pgtest.Result
	Reason string
}

// lessons is how often a server is asked again with what it taught before.
const lessons = 4

// Discover builds the image that facts describe, tries it out on a real server
// and adds what that asks for, until nothing more is learnt. Images that it
// requires are found among others or built from their packages.
func (f *Finder) Discover(ctx context.Context, ask Ask, facts probe.Facts, others []imagetest.Subject) (Discovery, error) {
	d := Discovery{Facts: facts}
	for again := 0; ; again++ {
		t, err := f.propose(ctx, ask, d.Facts)
		if err != nil {
			return d, fmt.Errorf("trying out %s: %w", facts.Name, err)
		}
		if t == nil {
			d.Reason = fmt.Sprintf("no package for %s, the architecture of this machine", runtime.GOARCH)
			return d, nil
		}
		found, missing, err := f.required(ctx, ask, *t, others)
		if err != nil {
			return d, fmt.Errorf("trying out %s: %w", facts.Name, err)
		}
		if d.Result, err = f.tester.Run(ctx, *t, found, missing); err != nil {
			return d, err
		}
		taught, learnt := learn(d.Facts, d.Result.Advice)
		if learnt && again == lessons {
			return d, nil // what was not tried out is not told
		}
		d.Facts = taught
		if !learnt {
			return d, nil
		}
	}
}

// propose makes the image of facts for this machine; nil when there is none.
func (f *Finder) propose(ctx context.Context, ask Ask, facts probe.Facts) (*imagetest.Subject, error) {
	i := slices.IndexFunc(facts.Archs, func(name string) bool {
		a, ok := debian.LookupArchitecture(name)
		return ok && a.OCI == runtime.GOARCH
	})
	if i < 0 {
		return nil, nil
	}
	text, err := facts.Recipe()
	if err != nil {
		return nil, err
	}
	r, err := recipe.Parse(facts.Name, text)
	if err != nil {
		return nil, err
	}
	if ask.Like != nil { // key files are beside it
		r.Path = filepath.Join(filepath.Dir(ask.Like.Path), facts.Name)
	}
	targets, err := r.Select(recipe.Selection{Distros: []string{facts.Distro}, Postgres: []int{facts.Postgres}, Archs: facts.Archs[i : i+1]})
	if err != nil {
		return nil, err
	}
	img, m, err := f.b.ArchImage(ctx, r, targets[0], facts.Archs[i])
	if err != nil {
		return nil, err
	}
	return &imagetest.Subject{Name: facts.Name, Image: img, Metadata: m, Recipe: r}, nil
}

// required returns the images that t requires, among others or built from the
// packages that t's label names, and the requirements that no image satisfies.
func (f *Finder) required(ctx context.Context, ask Ask, t imagetest.Subject, others []imagetest.Subject) ([]imagetest.Subject, []metadata.Requirement, error) {
	tried := map[string]bool{}
	for {
		found, missing := t.Required(others)
		i := slices.IndexFunc(missing, func(r metadata.Requirement) bool { return r.Package != "" && !tried[r.Package] })
		if i < 0 {
			return found, missing, nil
		}
		tried[missing[i].Package] = true
		facts, err := f.Probe(ctx, ask, []string{missing[i].Package})
		if err != nil {
			return nil, nil, err
		}
		other, err := f.propose(ctx, ask, facts)
		if err != nil {
			return nil, nil, err
		}
		if other != nil {
			others = append(slices.Clone(others), *other)
		}
	}
}

// learn adds what advice would have a recipe say.
func learn(f probe.Facts, advice []pgtest.Advice) (probe.Facts, bool) {
	learnt := false
	for _, a := range advice {
		var more bool
		f, more = f.Learn(probe.Lesson{
			Preload: a.Change.Preload, Libraries: a.Change.Libraries, Requires: a.Change.Requires,
			How: "found out by trying it out: " + strings.ReplaceAll(a.Text, "\n", " "),
		})
		learnt = learnt || more
	}
	return f, learnt
}

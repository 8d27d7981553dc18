package builder

import (
	"context"
	"fmt"
	"slices"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/session"
)

// Mode is the treatment of an existing lock by Plan.
type Mode uint8

const (
	// Keep resolves the targets that the lock lacks.
	Keep Mode = iota
	// Locked resolves nothing: a target that the lock lacks is an error,
	// lock.OutOfDate.
	Locked
	// Update resolves all targets again.
	Update
)

// Plan is the complete result for the selected targets of a recipe.
type Plan struct {
	Recipe *recipe.Recipe
	// Lock is the lock of the recipe with every selected target. Changed is true
	// if it differs from the file at LockPath.
	Lock     lock.Lock
	LockPath string
	Changed  bool
	Targets  []Target
	// before is the lock as it was read.
	before lock.Lock
}

// Changes returns the differences between the lock of the plan and the existing one;
// all of it if the existing one could not be read.
func (p *Plan) Changes() []lock.Change { return lock.Diff(p.before, p.Lock) }

// Target is one image: a distribution and a PostgreSQL major.
type Target struct {
	recipe.Target
	// Architectures follow Target.Archs.
	Architectures []Architecture
}

// Architecture is one architecture of a target.
type Architecture struct {
	// Pins is the complete input of the later steps.
	Pins lock.Target
	// Locked is true if the lock already has exactly these pins.
	Locked bool
	// Resolved are the packages that apt adds to the base, sorted by name; nil if
	// the pins come from the lock.
	Resolved []apt.Package
	// Findings come from the resolution.
	Findings []finding.Finding
	// layout is the finished layout of the resolution; nil if the pins come from
	// the lock.
	layout *archLayout
}

// Plan determines the packages and files of the selected targets of a recipe. It
// does not write the lock.
func (b *Builder) Plan(ctx context.Context, r *recipe.Recipe, sel recipe.Selection, mode Mode) (*Plan, error) {
	targets, err := r.Select(sel)
	if err != nil {
		return nil, err
	}
	p := &Plan{Recipe: r, LockPath: recipe.LockPath(r.Path)}
	before, _, err := lock.Load(p.LockPath)
	if err != nil && mode != Update {
		return nil, err
	}
	if mode == Locked {
		if err := b.checkLocked(p, before, targets); err != nil {
			return nil, err
		}
	}
	unresolved := b.recall(p, before, targets, mode)
	if err := session.Parallel(b.s.Jobs, len(unresolved), func(i int) (err error) {
		u := unresolved[i]
		if *u.into, err = b.resolve(ctx, r, u.target, u.arch); err != nil {
			return fmt.Errorf("planning %s for %s/%s: %w", r.Path, u.target, u.arch, err)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	p.settle(before)
	p.before = before
	return p, nil
}

// unresolved is an architecture without pins.
type unresolved struct {
	target recipe.Target
	arch   string
	into   *Architecture
}

// recall sets the pins that l has for the targets of the plan, and returns the
// architectures that remain.
func (b *Builder) recall(p *Plan, l lock.Lock, targets []recipe.Target, mode Mode) (rest []unresolved) {
	for _, t := range targets {
		target := Target{t, make([]Architecture, len(t.Archs))}
		for i, arch := range t.Archs {
			if pins, ok := b.fitting(l, t, arch); ok && mode != Update {
				target.Architectures[i].Pins = pins
			} else {
				rest = append(rest, unresolved{t, arch, &target.Architectures[i]})
			}
		}
		p.Targets = append(p.Targets, target)
	}
	return rest
}

// settle puts the pins of the plan into its lock, and replaces them by the pins as
// read back from the encoded lock.
func (p *Plan) settle(before lock.Lock) {
	p.Lock = p.onto(before)
	for _, t := range p.Targets {
		for i, a := range t.Architectures {
			pins, _ := p.Lock.Find(t.Distro, t.Postgres, a.Pins.Arch)
			old, ok := before.Find(t.Distro, t.Postgres, a.Pins.Arch)
			t.Architectures[i].Pins, t.Architectures[i].Locked = pins, ok && samePins(old, pins)
		}
	}
	p.Changed = !slices.Equal(p.Lock.Encode(), before.Encode())
}

// onto returns l with the pins of the plan.
func (p *Plan) onto(l lock.Lock) lock.Lock {
	for _, t := range p.Targets {
		for _, a := range t.Architectures {
			l = l.With(a.Pins)
		}
	}
	return l
}

func samePins(a, b lock.Target) bool {
	return slices.Equal(lock.Lock{}.With(a).Encode(), lock.Lock{}.With(b).Encode())
}

// fitting returns the pins of a target if its recipe has not changed and they come
// from the archives of Options.
func (b *Builder) fitting(l lock.Lock, t recipe.Target, arch string) (lock.Target, bool) {
	pins, ok := l.Find(t.Distro, t.Postgres, arch)
	return pins, ok && pins.Recipe == recipe.ResolutionChecksum(t, arch) && b.fromArchives(pins)
}

// fromArchives reports whether pins come from the archives of Options; true if
// Options names none.
func (b *Builder) fromArchives(pins lock.Target) bool {
	if len(b.s.Archives) == 0 {
		return true
	}
	names := map[string]bool{}
	for _, a := range pins.Archives {
		names[a.Name] = true
	}
	for _, name := range b.s.Archives {
		if !names[name] {
			return false
		}
		delete(names, name)
	}
	return len(names) == 0
}

// checkLocked returns an error for targets whose pins are missing or out of date.
func (b *Builder) checkLocked(p *Plan, l lock.Lock, targets []recipe.Target) error {
	var reasons []string
	for _, t := range targets {
		for _, arch := range t.Archs {
			pins, locked := l.Find(t.Distro, t.Postgres, arch)
			_, fits := b.fitting(l, t, arch)
			switch {
			case !locked:
				reasons = append(reasons, fmt.Sprintf("%s/%s is not locked", t, arch))
			case !b.fromArchives(pins):
				reasons = append(reasons, fmt.Sprintf("%s/%s was locked from other archives", t, arch))
			case !fits:
				reasons = append(reasons, fmt.Sprintf("%s/%s was locked for another recipe", t, arch))
			}
		}
	}
	if len(reasons) > 0 {
		return lock.OutOfDate(p.LockPath, p.Recipe.Path, reasons)
	}
	return nil
}

// Findings returns the findings about all targets of a plan, without building
// images.
func (b *Builder) Findings(ctx context.Context, p *Plan) ([]finding.Finding, error) {
	var out []finding.Finding
	for _, t := range p.Targets {
		for _, a := range t.Architectures {
			l, err := b.layoutOf(ctx, p.Recipe, t.Target, a)
			if err != nil {
				return nil, fmt.Errorf("checking %s for %s/%s: %w", p.Recipe.Name, t, a.Pins.Arch, err)
			}
			out = append(out, a.Findings...)
			out = append(out, l.findings...)
		}
	}
	return finding.Sort(out), nil
}

package imagetest

import (
	"cmp"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/sandbox"
)

// Subject is one architecture of a finished image, to be tested or to be mounted
// beside one that is.
type Subject struct {
	// Name is the name in messages.
	Name     string
	Image    v1.Image
	Metadata metadata.Metadata
	// Recipe is the one the image was built from, for its archives, its lock
	// and its own test; nil when it is not known.
	Recipe *recipe.Recipe
	// Base is the operand that an image without a recipe is tested on, as in a
	// recipe; "" is cnpg-minimal. What the image's own label names is not
	// fetched, let alone run, unless somebody asked for it.
	Base string
	// Derived is true if Metadata is not the image's own word.
	Derived bool
}

// NoLabelError is the error for an image without the label that a test needs.
type NoLabelError struct {
	Image string
}

func (e *NoLabelError) Error() string {
	return fmt.Sprintf("testing %s: it has no label %s", e.Image, metadata.Label)
}

// Hint returns which images have it.
func (*NoLabelError) Hint() string { return "images that pgext has built have it" }

// Subjects returns the architectures of an image.
func Subjects(a oci.Set, name string, r *recipe.Recipe) ([]Subject, error) {
	var out []Subject
	for _, img := range a.Images {
		labels, err := image.Labels(img)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		label, ok := labels[metadata.Label]
		if !ok {
			return nil, &NoLabelError{Image: name}
		}
		m, err := metadata.Decode([]byte(label))
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		if err := m.Validate(); err != nil {
			return nil, fmt.Errorf("reading the label %s of %s: %w", metadata.Label, name, err)
		}
		out = append(out, Subject{Name: name, Image: img, Metadata: m, Recipe: r})
	}
	return out, nil
}

// Required returns the images of all that t requires, directly or through
// others, for the same server, and the requirements that no image satisfies.
func (t Subject) Required(all []Subject) (found []Subject, missing []metadata.Requirement) {
	seen := map[string]bool{t.Metadata.Name: true}
	open := []Subject{t}
	for len(open) > 0 {
		next := open[0]
		open = open[1:]
		for _, r := range next.Metadata.Requires {
			i := slices.IndexFunc(all, func(o Subject) bool { return t.sameServer(o) && o.Metadata.Satisfies(r) })
			switch {
			case t.Metadata.Satisfies(r):
			case i < 0:
				missing = append(missing, r)
			case !seen[all[i].Metadata.Name]:
				seen[all[i].Metadata.Name] = true
				found, open = append(found, all[i]), append(open, all[i])
			}
		}
	}
	return found, missing
}

func (t Subject) sameServer(o Subject) bool {
	a, b := t.Metadata, o.Metadata
	return a.Distro == b.Distro && a.Postgres == b.Postgres && a.Arch == b.Arch
}

// runs reports whether this machine runs a server for the trial: its processor
// does, or an emulator. why completes "not run, since".
func (t Subject) runs() (why string, ok bool) {
	if t.Metadata.Postgres < 18 {
		return fmt.Sprintf("PostgreSQL %d has no extension_control_path", t.Metadata.Postgres), false
	}
	_, why = sandbox.FindEmulator(t.Metadata.Arch)
	return why, why == ""
}

// target is what the recipe says about t's architecture; without a recipe, a
// target on t's base.
func (t Subject) target() (*recipe.Recipe, recipe.Target) {
	m := t.Metadata
	if t.Recipe != nil {
		targets, err := t.Recipe.Select(recipe.Selection{Distros: []string{m.Distro}, Postgres: []int{m.Postgres}, Archs: []string{m.Arch}})
		if err == nil {
			return t.Recipe, targets[0]
		}
	}
	target := recipe.Target{Distro: m.Distro, Postgres: m.Postgres, Archs: []string{m.Arch}, Base: cmp.Or(t.Base, recipe.BaseMinimal)}
	return cmp.Or(t.Recipe, &recipe.Recipe{Path: "image"}), target
}

// pins are those of t's recipe, where it has a lock.
func (t Subject) pins() (lock.Target, bool) {
	if t.Recipe == nil {
		return lock.Target{}, false
	}
	l, ok, err := lock.Load(recipe.LockPath(t.Recipe.Path))
	if err != nil || !ok {
		return lock.Target{}, false
	}
	return l.Find(t.Metadata.Distro, t.Metadata.Postgres, t.Metadata.Arch)
}

package builder

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/pgtest"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/rootfs"
)

// Trial is one architecture of a finished image, to be tested or to be mounted
// beside one that is.
type Trial struct {
	// Name is what messages call it.
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
	// Derived tells that Metadata is not the image's own word.
	Derived bool
}

// NoLabelError says that an image does not tell what a test has to know.
type NoLabelError struct {
	Image string
}

func (e *NoLabelError) Error() string {
	return fmt.Sprintf("testing %s: it has no label %s", e.Image, metadata.Label)
}

// Hint says which images have it.
func (*NoLabelError) Hint() string { return "images that pgext has built have it" }

// Trials returns the architectures of an image.
func Trials(a image.Artifact, name string, r *recipe.Recipe) ([]Trial, error) {
	var out []Trial
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
		out = append(out, Trial{Name: name, Image: img, Metadata: m, Recipe: r})
	}
	return out, nil
}

// Required returns the images among all that t requires, and those that they
// require in turn; all are for the same server. What none has is missing.
func (t Trial) Required(all []Trial) (found []Trial, missing []metadata.Requirement) {
	seen := map[string]bool{t.Metadata.Name: true}
	open := []Trial{t}
	for len(open) > 0 {
		next := open[0]
		open = open[1:]
		for _, r := range next.Metadata.Requires {
			i := slices.IndexFunc(all, func(o Trial) bool { return t.sameServer(o) && o.Metadata.Satisfies(r) })
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

func (t Trial) sameServer(o Trial) bool {
	a, b := t.Metadata, o.Metadata
	return a.Distro == b.Distro && a.Postgres == b.Postgres && a.Arch == b.Arch
}

// Runs tells whether this machine runs a server for the trial: its processor
// does, or an emulator. why completes "not run, since".
func (t Trial) Runs() (why string, ok bool) {
	if t.Metadata.Postgres < 18 {
		return fmt.Sprintf("PostgreSQL %d has no extension_control_path", t.Metadata.Postgres), false
	}
	_, why = t.runner()
	return why, why == ""
}

// Company is what an image is tested with.
type Company struct {
	// Others are mounted beside it.
	Others []Trial
	// Missing is what it requires and none of them has.
	Missing []metadata.Requirement
	// Suite is a regression suite that runs as well; nil is none.
	Suite *pgtest.Suite
	// Report hears of each check as soon as it is known; nil discards.
	Report func(pgtest.Check)
}

// Test tries t out on a real server.
func (b *Builder) Test(ctx context.Context, t Trial, with Company) (pgtest.Result, error) {
	result, err := b.test(ctx, t, with)
	if err != nil {
		return result, fmt.Errorf("testing %s for %s: %w", t.Name, t.Metadata.Arch, err)
	}
	return result, nil
}

func (b *Builder) test(ctx context.Context, t Trial, with Company) (pgtest.Result, error) {
	in, err := b.testInput(ctx, t, with)
	if err != nil {
		return pgtest.Result{}, err
	}
	result, err := pgtest.Run(ctx, in, pgtest.Options{Cache: b.o.Cache, Report: with.Report})
	if t.Derived {
		result.Checks = append([]pgtest.Check{derivation(t.Metadata)}, result.Checks...)
	}
	return result, err
}

// testInput puts t, what it is tested with and the root of its operand on
// disk.
func (b *Builder) testInput(ctx context.Context, t Trial, with Company) (pgtest.Input, error) {
	roots, err := b.roots.get("", func() (*rootfs.Store, error) {
		return rootfs.Open(b.o.Cache, rootfs.Options{Jobs: b.o.Jobs})
	})
	if err != nil {
		return pgtest.Input{}, err
	}
	in := pgtest.Input{Postgres: t.Metadata.Postgres, Suite: with.Suite}
	in.Emulator, _ = t.runner()
	if in.Root, in.Version, err = b.operandRoot(ctx, roots, t); err != nil {
		return in, err
	}
	if in.Image, err = b.unpackImage(ctx, roots, t); err != nil {
		return in, err
	}
	for _, r := range with.Missing {
		in.Lacking = append(in.Lacking, r.Extension)
	}
	for _, o := range with.Others {
		i, err := b.unpackImage(ctx, roots, o)
		if err != nil {
			return in, err
		}
		in.Others = append(in.Others, i)
	}
	if t.Recipe != nil && t.Recipe.Test.SQL != "" {
		script, err := os.ReadFile(filepath.Join(filepath.Dir(t.Recipe.Path), filepath.FromSlash(t.Recipe.Test.SQL)))
		if err != nil {
			return in, fmt.Errorf("reading test.sql: %w", err)
		}
		in.Script = string(script)
	}
	return in, nil
}

func (b *Builder) unpackImage(ctx context.Context, roots *rootfs.Store, t Trial) (pgtest.Image, error) {
	digest, err := t.Image.Digest()
	if err != nil {
		return pgtest.Image{}, err
	}
	dir, err := roots.FromImage(ctx, digest.String(), func() (filetree.Tree, error) {
		flat, err := image.Flatten(ctx, t.Image, image.FlattenOptions{Cache: b.o.Cache})
		return flat.Tree, err
	})
	return pgtest.Image{Metadata: t.Metadata, Dir: dir}, err
}

// operandKind names the cache records of what a base consists of, by its
// checksum.
const operandKind = "operand-1"

// operandList is what the root file system of a base is made from.
type operandList struct {
	Postgres string
	Packages []rootfs.Deb
}

// operandPackages returns the packages of the base that the image was built
// for: those its lock knows, where they were fetched before, else those that
// the archives have now. All are in the cache.
func (b *Builder) operandPackages(ctx context.Context, t Trial) (operandList, error) {
	if known, ok := b.lockedOperand(t); ok {
		return known, nil
	}
	m := t.Metadata
	r, target := t.target()
	u, err := b.open(ctx, r, target, m.Arch)
	if err != nil {
		return operandList{}, err
	}
	s := &resolution{Builder: b, universe: u, arch: m.Arch}
	digests, err := s.fetchPackages(ctx, u.base.Packages)
	if err != nil {
		return operandList{}, err
	}
	list := operandList{Postgres: u.base.Postgres}
	for i, p := range u.base.Packages {
		list.Packages = append(list.Packages, rootfs.Deb{Name: p.Name, SHA256: digests[i]})
	}
	record, err := json.Marshal(list)
	if err == nil {
		err = b.o.Cache.PutRecord(operandKind, "sha256:"+u.base.Checksum(), record)
	}
	return list, err
}

// lockedOperand looks up the base that the lock of t's recipe names.
func (b *Builder) lockedOperand(t Trial) (operandList, bool) {
	var list operandList
	pins, ok := t.pins()
	if !ok {
		return list, false
	}
	record, ok := b.o.Cache.Record(operandKind, pins.Base.Checksum)
	if !ok || json.Unmarshal(record, &list) != nil {
		return list, false
	}
	for _, p := range list.Packages {
		if _, ok := b.o.Cache.Has(p.SHA256); !ok {
			return list, false
		}
	}
	return list, true
}

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/imagetest"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/pgtest"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/session"
)

// subject is one architecture of an image to test.
type subject struct {
	imagetest.Subject
	// tag names it, for the log.
	tag string
	// ref is where it was found.
	ref string
	// from is the image to upgrade from; nil for none.
	from *imagetest.Predecessor
	// suite runs as well; nil is none.
	suite *pgtest.Suite
}

// testSubjects builds the recipes and finds the images among the arguments. An
// image that cannot be read, and a recipe that cannot be built, is a failure
// and keeps no other from being tested.
func (a *app) testSubjects(ctx context.Context, ses *session.Session, args []string, f testFlags) ([]subject, []failure, error) {
	var subjects []subject
	var failures []failure
	take := func(name string, found []subject, err error) {
		if err != nil {
			failures = append(failures, newFailure(name, err))
		}
		subjects = append(subjects, found...)
	}
	var recipes []string
	for _, arg := range args {
		if !isImage(arg) {
			recipes = append(recipes, arg)
			continue
		}
		found, err := a.foundSubjects(ctx, ses, arg, f)
		take(arg, found, err)
	}
	loaded, err := f.recipes(recipes)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range loaded {
		built, err := a.buildSubjects(ctx, ses, r, f)
		take(r.Path, built, err)
	}
	return subjects, failures, ctx.Err()
}

// recipes loads those at paths, for the mirrors that are named.
func (f testFlags) recipes(paths []string) ([]*recipe.Recipe, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	loaded, err := loadRecipes(paths)
	if err != nil {
		return nil, err
	}
	return loaded, f.checkMirrors(loaded)
}

// foundSubjects are those of an image that exists.
func (a *app) foundSubjects(ctx context.Context, ses *session.Session, ref string, f testFlags) ([]subject, error) {
	trials, err := a.anyTrials(ctx, ses, ref, f)
	if err != nil {
		return nil, err
	}
	if trials, err = f.selected(ref, trials); err != nil {
		return nil, err
	}
	if err := f.onBase(ref, trials); err != nil {
		return nil, err
	}
	var out []subject
	for _, t := range trials {
		tag := fmt.Sprintf("%s-%d-%s", t.Metadata.Version, t.Metadata.Postgres, t.Metadata.Distro)
		out = append(out, subject{Subject: t, tag: tag, ref: ref})
	}
	return out, nil
}

// buildSubjects builds a recipe as pgext build does.
func (a *app) buildSubjects(ctx context.Context, ses *session.Session, r *recipe.Recipe, f testFlags) ([]subject, error) {
	p, err := builder.New(ses).Plan(ctx, r, f.selection(), builder.Keep)
	if err != nil {
		return nil, err
	}
	if err := p.WriteLock(ctx); err != nil {
		return nil, err
	}
	images, err := builder.New(ses).Build(ctx, p, f.output)
	if err != nil {
		return nil, err
	}
	var out []subject
	for _, i := range images {
		ref := oci.Ref{Layout: i.Path, Tag: i.Tags[0]}.String()
		trials, err := a.trials(ctx, ref, r)
		if err != nil {
			return nil, err
		}
		for _, t := range trials {
			t.Name = i.Name + ":" + i.Tags[0]
			out = append(out, subject{Subject: t, tag: i.Tags[0], ref: ref})
		}
	}
	return out, nil
}

// trials are the architectures of the image that ref names.
func (a *app) trials(ctx context.Context, ref string, r *recipe.Recipe) ([]imagetest.Subject, error) {
	artifact, err := a.openImage(ctx, ref)
	if err != nil {
		return nil, err
	}
	return imagetest.Subjects(artifact, ref, r)
}

// onBase has images tested on the operand of --base. One that was built for an
// operand image is tested on none that its label alone names: a label is a
// stranger's word, and the operand's programs are run.
func (f testFlags) onBase(ref string, trials []imagetest.Subject) error {
	for i, t := range trials {
		name := t.Metadata.Base.Name
		if f.base == "" && strings.HasPrefix(name, recipe.BaseImagePrefix) {
			return &operandError{ref: ref, base: name}
		}
		trials[i].Base = f.base
	}
	return nil
}

// operandError reports that an image names the operand it is for, and the user
// does not.
type operandError struct{ ref, base string }

func (e *operandError) Error() string {
	return fmt.Sprintf("testing %s: its label names the base %s, which is not run without --base", e.ref, e.base)
}

// Hint returns how the user decides.
func (e *operandError) Hint() string {
	return fmt.Sprintf("--base %s runs it there, --base %s on a server made from Debian's packages", e.base, recipe.BaseMinimal)
}

// ExitCode is 10: what is to be tested is not selected.
func (*operandError) ExitCode() int { return 10 }

// anyTrials are those of an image, whoever built it.
func (a *app) anyTrials(ctx context.Context, ses *session.Session, ref string, f testFlags) ([]imagetest.Subject, error) {
	artifact, err := a.openImage(ctx, ref)
	if err != nil {
		return nil, err
	}
	trials, err := imagetest.Subjects(artifact, ref, nil)
	if foreign := (*imagetest.NoLabelError)(nil); errors.As(err, &foreign) {
		return imagetest.New(ses).Foreign(ctx, artifact, ref, f.selection())
	}
	return trials, err
}

// selected are the trials of the image ref that --distro, --pg and --arch name,
// where given. None is an error: nothing would be tested.
func (f testFlags) selected(ref string, trials []imagetest.Subject) ([]imagetest.Subject, error) {
	var out []imagetest.Subject
	var available []string
	for _, t := range trials {
		m := t.Metadata
		available = append(available, fmt.Sprintf("%s/%d/%s", m.Distro, m.Postgres, m.Arch))
		if (len(f.distros) == 0 || slices.Contains(f.distros, m.Distro)) &&
			(len(f.majors) == 0 || slices.Contains(f.majors, m.Postgres)) &&
			(len(f.archs) == 0 || slices.Contains(f.archs, m.Arch)) {
			out = append(out, t)
		}
	}
	if len(out) == 0 {
		return nil, &notSelectedError{image: ref, available: available}
	}
	return out, nil
}

// notSelectedError reports that nothing of an image is to be tested.
type notSelectedError struct {
	image string
	// available lists the targets that can be selected.
	available []string
}

func (e *notSelectedError) Error() string {
	if len(e.available) == 0 {
		return fmt.Sprintf("testing %s: it has no image in it", e.image)
	}
	return fmt.Sprintf("testing %s: nothing of it is selected; it has %s", e.image, strings.Join(e.available, ", "))
}

// ExitCode returns 10: the selection is invalid.
func (*notSelectedError) ExitCode() int { return 10 }

// testCompanions are the images that others may require: those of the
// arguments, of --require-image, and of the output folder.
func (a *app) testCompanions(ctx context.Context, ses *session.Session, subjects []subject, f testFlags) ([]imagetest.Subject, error) {
	var all []imagetest.Subject
	for _, s := range subjects {
		all = append(all, s.Subject)
	}
	for _, ref := range f.requireImage {
		trials, err := a.anyTrials(ctx, ses, ref, f)
		if err != nil {
			return nil, err
		}
		all = append(all, trials...)
	}
	layouts, err := filepath.Glob(filepath.Join(f.output, "*", "oci"))
	if err != nil {
		return nil, err
	}
	for _, dir := range layouts {
		tags, err := image.At(dir).Tags()
		if err != nil {
			return nil, err
		}
		for _, t := range tags {
			if trials, err := a.trials(ctx, oci.Ref{Layout: dir, Tag: t.Name}.String(), nil); err == nil {
				all = append(all, trials...)
			}
		}
	}
	return all, nil
}

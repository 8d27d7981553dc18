package main

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/pgtest"
	"github.com/pgext/pgext/internal/registry"
)

// previous is the value of --from that stands for the image before.
const previous = "previous"

// tagPattern is the grammar of the OCI distribution specification.
var tagPattern = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)

// ancestry finds the images that others are upgraded from.
type ancestry struct {
	app *app
	// from is the value of --from; subjects are all that is tested.
	from     string
	subjects []subject
}

// addPredecessors finds the image that each subject is upgraded from, or why
// there is none for it.
func (a *app) addPredecessors(ctx context.Context, subjects []subject, from string) error {
	if from == "" {
		return nil
	}
	y := ancestry{app: a, from: from, subjects: subjects}
	paired := false
	for i, s := range subjects {
		p, err := y.predecessor(ctx, s)
		if err != nil {
			return fmt.Errorf("--from %s: %w", from, err)
		}
		subjects[i].from = p
		paired = paired || p.why == ""
	}
	if !paired && len(subjects) > 0 {
		return &noPredecessorError{from: from, why: subjects[0].from.why}
	}
	return nil
}

// predecessor is what a subject is upgraded from.
type predecessor struct {
	builder.Trial
	// why says why there is none.
	why string
}

// noPredecessorError says that no image under test can be upgraded.
type noPredecessorError struct{ from, why string }

func (e *noPredecessorError) Error() string { return "--from " + e.from + ": " + e.why }

// Hint says what --from takes.
func (*noPredecessorError) Hint() string {
	return "--from takes an image of the same extension, PostgreSQL major and architecture: HOST/NAME:TAG, oci:PATH:TAG, a path, a TAG beside the image, or " + previous
}

// predecessor finds the one of s.
func (y ancestry) predecessor(ctx context.Context, s subject) (*predecessor, error) {
	repository, rest := registry.Split(y.from)
	_, local := image.ParseRef(y.from)
	switch {
	case y.from == previous:
		return y.newest(ctx, s, repositoryOf(s.ref))
	case local, rest != "" && isImage(y.from):
		return y.pair(ctx, s, y.from)
	case isImage(y.from):
		return y.newest(ctx, s, remoteRepository(repository))
	case tagPattern.MatchString(y.from):
		return y.pair(ctx, s, repositoryOf(s.ref).at(y.from))
	}
	return &predecessor{why: "it is no image"}, nil
}

// pair picks the architecture of ref that s continues.
func (y ancestry) pair(ctx context.Context, s subject, ref string) (*predecessor, error) {
	trials, err := y.app.trials(ctx, ref, nil)
	if err != nil {
		return nil, err
	}
	fits := func(t builder.Trial) bool {
		return t.Metadata.Postgres == s.Metadata.Postgres && t.Metadata.Arch == s.Metadata.Arch
	}
	i := slices.IndexFunc(trials, fits)
	switch {
	case len(trials) == 0:
		return &predecessor{why: ref + " has no image in it"}, nil
	case trials[0].Metadata.Name != s.Metadata.Name:
		return &predecessor{why: fmt.Sprintf("%s is an image of %s, not of %s", ref, trials[0].Metadata.Name, s.Metadata.Name)}, nil
	case trials[0].Metadata.Postgres != s.Metadata.Postgres:
		return &predecessor{why: fmt.Sprintf("%s is for PostgreSQL %d, which pg_upgrade leads to %d, no change of an image",
			ref, trials[0].Metadata.Postgres, s.Metadata.Postgres)}, nil
	case i < 0:
		return &predecessor{why: fmt.Sprintf("%s has no image for %s", ref, s.Metadata.Arch)}, nil
	case trials[i].Metadata.Distro != s.Metadata.Distro && y.others(trials[i], s):
		return &predecessor{why: fmt.Sprintf("%s is for %s, and so is another image under test", ref, trials[i].Metadata.Distro)}, nil
	case sameImage(trials[i], s.Trial):
		return &predecessor{why: ref + " is the image under test itself"}, nil
	}
	trials[i].Base = s.Base
	return &predecessor{Trial: trials[i]}, nil
}

// others tells whether an image that s is a variant of stays on t's
// distribution: only where none does is the change of the distribution meant.
func (y ancestry) others(t builder.Trial, s subject) bool {
	return slices.ContainsFunc(y.subjects, func(o subject) bool {
		return o.Metadata.Name == s.Metadata.Name && o.Metadata.Distro == t.Metadata.Distro && o.Metadata.Postgres == t.Metadata.Postgres
	})
}

func sameImage(a, b builder.Trial) bool {
	x, errX := a.Image.Digest()
	y, errY := b.Image.Digest()
	return errX == nil && errY == nil && x == y
}

// newest finds the newest image in r that s may be upgraded from.
func (y ancestry) newest(ctx context.Context, s subject, r imageRepository) (*predecessor, error) {
	tags, err := r.tags(ctx, y.app)
	if err != nil {
		return nil, err
	}
	for _, tag := range builder.Previous(tags, s.Metadata, y.epoch(s)) {
		p, err := y.pair(ctx, s, r.at(tag))
		if err != nil || p.why == "" {
			return p, err
		}
	}
	return &predecessor{why: fmt.Sprintf("%s has no image before %s for PostgreSQL %d on %s", r, s.Metadata.Version, s.Metadata.Postgres, s.Metadata.Distro)}, nil
}

// epoch is when the index of s was made: its newest manifest's time.
func (y ancestry) epoch(s subject) time.Time {
	var newest time.Time
	for _, o := range y.subjects {
		if o.ref != s.ref {
			continue
		}
		if c, err := o.Image.ConfigFile(); err == nil && c.Created.After(newest) {
			newest = c.Created.Time
		}
	}
	return newest
}

// imageRepository is where the tags of an image are: HOST/NAME, or a layout.
type imageRepository struct{ remote, layout string }

func remoteRepository(name string) imageRepository { return imageRepository{remote: name} }

// repositoryOf is the one of an image's reference.
func repositoryOf(ref string) imageRepository {
	if local, ok := image.ParseRef(ref); ok {
		return imageRepository{layout: local.Dir}
	}
	name, _ := registry.Split(ref)
	return remoteRepository(name)
}

func (r imageRepository) String() string { return cmp.Or(r.remote, r.layout) }

// at is the reference of one of its images.
func (r imageRepository) at(tag string) string {
	if r.layout != "" {
		return "oci:" + r.layout + ":" + tag
	}
	return r.remote + ":" + tag
}

func (r imageRepository) tags(ctx context.Context, a *app) ([]string, error) {
	if r.layout != "" {
		entries, err := image.At(r.layout).Entries()
		var tags []string
		for _, e := range entries {
			tags = append(tags, e.Annotations["org.opencontainers.image.ref.name"])
		}
		return tags, err
	}
	if a.global.offline {
		return nil, &fetch.OfflineError{Name: r.remote}
	}
	return a.registryClient().Tags(ctx, r.remote)
}

// upgrade tries the way from the subject's predecessor to it.
func (s subject) upgrade(ctx context.Context, b *builder.Builder, all []builder.Trial, to builder.Company) (pgtest.Result, error) {
	switch {
	case s.from == nil:
		return pgtest.Result{}, nil
	case s.from.why != "":
		skipped := pgtest.Check{Name: "from", Status: pgtest.Skip, Detail: s.from.why}
		to.Report(skipped)
		return pgtest.Result{Checks: []pgtest.Check{skipped}}, nil
	}
	others, missing := s.from.Required(all)
	from := builder.Attended{Trial: s.from.Trial, Company: builder.Company{Others: others, Missing: missing}}
	to.Others, _ = s.heir().Required(slices.DeleteFunc(slices.Clone(all), func(t builder.Trial) bool { return t.Metadata.Name == s.Metadata.Name }))
	return b.Upgrade(ctx, from, builder.Attended{Trial: s.Trial, Company: to})
}

// heir is the subject as an image that requires what its predecessor had and
// it has not: an extension may have moved to another image.
func (s subject) heir() builder.Trial {
	t := s.Trial
	t.Metadata.Requires = slices.Clone(t.Metadata.Requires)
	for _, e := range s.from.Metadata.Extensions {
		if r := (metadata.Requirement{Extension: e.Name}); !t.Metadata.Satisfies(r) {
			t.Metadata.Requires = append(t.Metadata.Requires, r)
		}
	}
	return t
}

// fromDocument names the image before.
type fromDocument struct {
	Image   string `json:"image"`
	Digest  string `json:"digest"`
	Version string `json:"version"`
	Distro  string `json:"distro"`
}

func (s subject) fromDocument() *fromDocument {
	if s.from == nil || s.from.why != "" {
		return nil
	}
	d := &fromDocument{Image: strings.TrimSpace(s.from.Name), Version: s.from.Metadata.Version, Distro: s.from.Metadata.Distro}
	if digest, err := s.from.Image.Digest(); err == nil {
		d.Digest = digest.String()
	}
	return d
}

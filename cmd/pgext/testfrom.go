package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/imagetest"
	"github.com/pgext/pgext/internal/oci"
)

// previous is the value of --from that stands for the image before.
const previous = "previous"

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
		paired = paired || p.Why == ""
	}
	if !paired && len(subjects) > 0 {
		return &noPredecessorError{from: from, why: subjects[0].from.Why}
	}
	return nil
}

// noPredecessorError reports that no image under test can be upgraded.
type noPredecessorError struct{ from, why string }

func (e *noPredecessorError) Error() string { return "--from " + e.from + ": " + e.why }

// Hint returns what --from takes.
func (*noPredecessorError) Hint() string {
	return "--from takes an image of the same extension, PostgreSQL major and architecture: HOST/NAME:TAG, oci:PATH:TAG, a path, a TAG beside the image, or " + previous
}

// predecessor finds the one of s.
func (y ancestry) predecessor(ctx context.Context, s subject) (*imagetest.Predecessor, error) {
	here, err := oci.ParseRef(s.ref)
	if err != nil {
		return nil, err
	}
	from, err := oci.ParseRef(y.from)
	switch {
	case y.from == previous:
		return y.newest(ctx, s, here.Location())
	case err == nil && from == (oci.Ref{Repository: from.Repository}):
		return y.newest(ctx, s, from)
	case err == nil:
		return y.pair(ctx, s, y.from)
	case oci.IsTag(y.from):
		return y.pair(ctx, s, here.With(y.from).String())
	}
	return &imagetest.Predecessor{Why: "it is not an image"}, nil
}

// pair picks the architecture of ref that s continues.
func (y ancestry) pair(ctx context.Context, s subject, ref string) (*imagetest.Predecessor, error) {
	trials, err := y.app.trials(ctx, ref, nil)
	if err != nil {
		return nil, err
	}
	tested := make([]imagetest.Subject, len(y.subjects))
	for i, o := range y.subjects {
		tested[i] = o.Subject
	}
	p := s.Predecessor(ref, trials, tested)
	return &p, nil
}

// newest finds the newest image at a location that s may be upgraded from.
func (y ancestry) newest(ctx context.Context, s subject, at oci.Ref) (*imagetest.Predecessor, error) {
	tags, err := y.app.tagsAt(ctx, at)
	if err != nil {
		return nil, err
	}
	for _, tag := range imagetest.Previous(tags, s.Metadata, y.epoch(s)) {
		p, err := y.pair(ctx, s, at.With(tag).String())
		if err != nil || p.Why == "" {
			return p, err
		}
	}
	return &imagetest.Predecessor{Why: fmt.Sprintf("%s has no image before %s for PostgreSQL %d on %s", at, s.Metadata.Version, s.Metadata.Postgres, s.Metadata.Distro)}, nil
}

// epoch is when the index of s was made; the zero time when it does not tell.
func (y ancestry) epoch(s subject) time.Time {
	var images []v1.Image
	for _, o := range y.subjects {
		if o.ref == s.ref {
			images = append(images, o.Image)
		}
	}
	epoch, _ := image.Epoch(images)
	return epoch
}

// fromDocument names the image before.
type fromDocument struct {
	Image   string `json:"image"`
	Digest  string `json:"digest"`
	Version string `json:"version"`
	Distro  string `json:"distro"`
}

func (s subject) fromDocument() *fromDocument {
	if s.from == nil || s.from.Why != "" {
		return nil
	}
	d := &fromDocument{Image: strings.TrimSpace(s.from.Name), Version: s.from.Metadata.Version, Distro: s.from.Metadata.Distro}
	if digest, err := s.from.Image.Digest(); err == nil {
		d.Digest = digest.String()
	}
	return d
}

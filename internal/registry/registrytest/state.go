package registrytest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// State reads all that the tags of repo lead to and returns it as text, a line
// for every tag, manifest, blob and referrer. Everything is read to its end;
// what is missing or damaged is an error. Tags of other images may be left out:
// only those that keep accepts are followed.
func State(ctx context.Context, repo string, keep func(tag string) bool) (string, error) {
	r, err := name.NewRepository(repo)
	if err != nil {
		return "", err
	}
	puller, err := remote.NewPuller(remote.WithContext(ctx))
	if err != nil {
		return "", err
	}
	tags, err := puller.List(ctx, r)
	if err != nil {
		return "", err
	}
	s := &state{ctx: ctx, repo: r, puller: puller, lines: map[string]bool{}}
	for _, tag := range tags {
		if !keep(tag) {
			continue
		}
		d, err := puller.Get(ctx, r.Tag(tag))
		if err != nil {
			return "", fmt.Errorf("tag %s: %w", tag, err)
		}
		s.add("tag %s %s", tag, d.Digest)
		if err := s.manifest(d.Digest); err != nil {
			return "", fmt.Errorf("tag %s: %w", tag, err)
		}
	}
	lines := make([]string, 0, len(s.lines))
	for line := range s.lines {
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n"), nil
}

type state struct {
	ctx    context.Context
	repo   name.Repository
	puller *remote.Puller
	lines  map[string]bool
}

// add reports whether the line is new.
func (s *state) add(format string, args ...any) bool {
	line := fmt.Sprintf(format, args...)
	known := s.lines[line]
	s.lines[line] = true
	return !known
}

func (s *state) manifest(h v1.Hash) error {
	d, err := s.puller.Get(s.ctx, s.repo.Digest(h.String()))
	if err != nil {
		return fmt.Errorf("manifest %s: %w", h, err)
	}
	if !s.add("manifest %s %s %d", h, d.MediaType, len(d.Manifest)) {
		return nil
	}
	var m struct {
		Manifests []v1.Descriptor
		Config    *v1.Descriptor
		Layers    []v1.Descriptor
	}
	if err := json.Unmarshal(d.Manifest, &m); err != nil {
		return fmt.Errorf("manifest %s: %w", h, err)
	}
	for _, c := range m.Manifests {
		if err := s.manifest(c.Digest); err != nil {
			return err
		}
	}
	if m.Config != nil {
		for _, b := range append([]v1.Descriptor{*m.Config}, m.Layers...) {
			if err := s.blob(b); err != nil {
				return fmt.Errorf("manifest %s: %w", h, err)
			}
		}
	}
	return s.referrers(h)
}

func (s *state) blob(d v1.Descriptor) error {
	if !s.add("blob %s %d", d.Digest, d.Size) {
		return nil
	}
	l, err := s.puller.Layer(s.ctx, s.repo.Digest(d.Digest.String()))
	if err != nil {
		return fmt.Errorf("blob %s: %w", d.Digest, err)
	}
	r, err := l.Compressed()
	if err != nil {
		return fmt.Errorf("blob %s: %w", d.Digest, err)
	}
	defer r.Close()
	if n, err := io.Copy(io.Discard, r); err != nil || n != d.Size { // the library verifies the digest
		return fmt.Errorf("blob %s: %d bytes of %d: %w", d.Digest, n, d.Size, err)
	}
	return nil
}

// referrers reads the referrers without their artifact type: the registry of the
// library returns another one than the fallback tag has.
func (s *state) referrers(h v1.Hash) error {
	idx, err := remote.Referrers(s.repo.Digest(h.String()), remote.WithContext(s.ctx), remote.Reuse(s.puller))
	if err != nil {
		return fmt.Errorf("referrers of %s: %w", h, err)
	}
	m, err := idx.IndexManifest()
	if err != nil {
		return err
	}
	for _, d := range m.Manifests {
		s.add("referrer %s of %s", d.Digest, h)
		if err := s.manifest(d.Digest); err != nil {
			return err
		}
	}
	return nil
}

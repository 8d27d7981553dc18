package builder

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/digest"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/recipe"
)

// stampKind is the kind of cache records with the results of builds.
const stampKind = "build-2"

// stamp is the record of a build. With it, an unchanged build is recognised without
// building again.
type stamp struct {
	Tags   [2]string `json:"tags"`
	Digest string    `json:"digest"`
	// Documents maps the names of the files beside the layout to their digests.
	Documents map[string]string `json:"documents"`
	// Referrers are the manifests that attach them.
	Referrers []v1.Hash         `json:"referrers"`
	Findings  []finding.Finding `json:"findings"`
}

// stampKey identifies everything that a target's bytes depend on.
func (b *Builder) stampKey(r *recipe.Recipe, t Target) string {
	pins := make([]lock.Target, len(t.Architectures))
	for i, a := range t.Architectures {
		pins[i] = a.Pins
	}
	key, err := json.Marshal(struct {
		Program     string
		Maker       provenance.Program
		Output      int
		Text        []byte
		Recipe      *recipe.Recipe
		Pins        []lock.Target
		Annotations map[string]string
		Compression image.Compression
		Revision    int
		Epoch       any
	}{b.s.Program, b.s.Maker, image.OutputVersion, r.Text, r, pins, b.s.Annotations, b.s.Compression, b.s.Revision, b.s.Epoch})
	if err != nil {
		panic(fmt.Sprintf("encoding a recipe and its pins: %v", err))
	}
	return string(key)
}

// current returns the image in dist if it is the result of the build with this key
// and all its blobs are valid.
func (b *Builder) current(r *recipe.Recipe, t Target, key, dist string) (Image, bool) {
	var s stamp
	record, ok := b.s.Cache.Record(stampKind, key)
	if !ok || json.Unmarshal(record, &s) != nil {
		return Image{}, false
	}
	l := image.At(image.Path(dist, r.Image))
	for _, tag := range s.Tags {
		if digest, ok := l.Current(tag); !ok || digest.String() != s.Digest {
			return Image{}, false
		}
	}
	if slices.ContainsFunc(s.Referrers, func(h v1.Hash) bool { return !l.Holds(h) }) {
		return Image{}, false
	}
	for name, want := range s.Documents {
		data, err := os.ReadFile(filepath.Join(dist, r.Image, name))
		if err != nil || digest.SHA256(data) != want {
			return Image{}, false
		}
	}
	return Image{
		Name: r.Image, Distro: t.Distro, Postgres: t.Postgres, Archs: t.Archs,
		Tags: s.Tags, Digest: s.Digest, Path: l.Dir(), Findings: s.Findings, Unchanged: true,
	}, true
}

// remember stores the record of a build. If the cache is full or read-only, the next
// build is slower.
func (b *Builder) remember(key string, s stamp) {
	record, err := json.Marshal(s)
	if err == nil {
		err = b.s.Cache.PutRecord(stampKind, key, record)
	}
	if err != nil {
		b.s.Log.Debug("not remembering the build", "error", err)
	}
}

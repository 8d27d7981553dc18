package inspect

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/metadata"
)

// Difference is what changed from one survey to another, by platform.
type Difference struct {
	// Identical tells that both have the same digest.
	Identical bool              `json:"identical"`
	Images    []ImageDifference `json:"images"`
}

// ImageDifference is what changed for one platform.
type ImageDifference struct {
	Platform string `json:"platform"`
	// Only is "a" or "b" when one of them alone has the platform, and then
	// nothing else is told.
	Only string `json:"only,omitempty"`
	// Size is of the compressed layers, in bytes.
	Size       Change[int64] `json:"size"`
	Layers     LayerChanges  `json:"layers"`
	Extensions []NamedChange `json:"extensions"`
	Packages   []NamedChange `json:"packages"`
	Needs      []NamedChange `json:"needs"`
	Metadata   []FieldChange `json:"metadata"`
	// Labels are the config's but the metadata label, Annotations the
	// manifest's.
	Labels      []NamedChange `json:"labels"`
	Annotations []NamedChange `json:"annotations"`
	Files       []FileChange  `json:"files"`
}

// Change is a value before and after.
type Change[T any] struct {
	A T `json:"a"`
	B T `json:"b"`
}

// LayerChanges are layers by digest.
type LayerChanges struct {
	Shared  []string `json:"shared"`
	Removed []string `json:"removed"`
	Added   []string `json:"added"`
}

// NamedChange is something with a version; "" where it is not there.
type NamedChange struct {
	Name string `json:"name"`
	Change[string]
}

// FieldChange is a field of the metadata label; null where it is not there.
type FieldChange struct {
	Field string `json:"field"`
	Change[json.RawMessage]
}

// FileChange is a path; nil where it is not there.
type FileChange struct {
	Path string `json:"path"`
	Change[*FileState]
}

// FileState is what a path holds. Times do not count.
type FileState struct {
	Kind   string `json:"kind"`
	Mode   string `json:"mode"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256,omitempty"`
	Link   string `json:"link,omitempty"`
}

// Same reports whether nothing differs but digests and times.
func (d ImageDifference) Same() bool {
	return d.Only == "" && len(d.Extensions)+len(d.Packages)+len(d.Needs)+len(d.Metadata)+len(d.Labels)+len(d.Annotations)+len(d.Files) == 0
}

// Compare tells what changed from a to b. Platforms are in the order of a,
// then those of b alone.
func Compare(a, b Survey) Difference {
	d := Difference{Identical: a.Digest == b.Digest, Images: []ImageDifference{}}
	find := func(s Survey, platform string) (Image, bool) {
		i := slices.IndexFunc(s.Images, func(i Image) bool { return i.Platform == platform })
		if i < 0 {
			return Image{}, false
		}
		return s.Images[i], true
	}
	for _, x := range a.Images {
		y, ok := find(b, x.Platform)
		if !ok {
			d.Images = append(d.Images, ImageDifference{Platform: x.Platform, Only: "a"}.complete())
			continue
		}
		d.Images = append(d.Images, compare(x, y))
	}
	for _, y := range b.Images {
		if _, ok := find(a, y.Platform); !ok {
			d.Images = append(d.Images, ImageDifference{Platform: y.Platform, Only: "b"}.complete())
		}
	}
	return d
}

func compare(a, b Image) ImageDifference {
	d := ImageDifference{
		Platform:   a.Platform,
		Size:       Change[int64]{a.Compressed(), b.Compressed()},
		Layers:     compareLayers(a.Layers, b.Layers),
		Extensions: compareNamed(extensionVersions(a), extensionVersions(b)),
		Packages:   compareNamed(packageVersions(a), packageVersions(b)),
		Needs:      compareNamed(needed(a), needed(b)),
		Metadata:   compareFields(a.Label, b.Label),
		Labels:     compareNamed(said(a.Labels), said(b.Labels)), Annotations: compareNamed(said(a.Annotations), said(b.Annotations)),
		Files: compareFiles(a.Tree, b.Tree),
	}
	return d.complete()
}

// complete makes absent lists empty.
func (d ImageDifference) complete() ImageDifference {
	d.Layers.Shared, d.Layers.Removed, d.Layers.Added = nonNil(d.Layers.Shared), nonNil(d.Layers.Removed), nonNil(d.Layers.Added)
	d.Extensions, d.Packages, d.Needs = nonNil(d.Extensions), nonNil(d.Packages), nonNil(d.Needs)
	d.Metadata, d.Files = nonNil(d.Metadata), nonNil(d.Files)
	d.Labels, d.Annotations = nonNil(d.Labels), nonNil(d.Annotations)
	return d
}

func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Compressed is the size of the layers as they are pulled, in bytes.
func (i Image) Compressed() int64 {
	var n int64
	for _, l := range i.Layers {
		n += l.Size
	}
	return n
}

func compareLayers(a, b []Layer) LayerChanges {
	var c LayerChanges
	has := func(list []Layer, digest string) bool {
		return slices.ContainsFunc(list, func(l Layer) bool { return l.Digest == digest })
	}
	for _, l := range a {
		if has(b, l.Digest) {
			c.Shared = append(c.Shared, l.Digest)
		} else {
			c.Removed = append(c.Removed, l.Digest)
		}
	}
	for _, l := range b {
		if !has(a, l.Digest) {
			c.Added = append(c.Added, l.Digest)
		}
	}
	return c
}

func extensionVersions(i Image) map[string]string {
	out := map[string]string{}
	for _, e := range i.Extensions {
		out[e.Name] = e.Version
	}
	return out
}

func packageVersions(i Image) map[string]string {
	out := map[string]string{}
	for _, p := range i.Packages {
		out[p.Package] = p.Version
	}
	return out
}

// needed has the word "needed" for the version of what the base must have.
func needed(i Image) map[string]string {
	out := map[string]string{}
	for _, n := range i.Needs {
		out[n.Library] = "needed"
	}
	return out
}

// union returns the keys of both, sorted.
func union[T any](a, b map[string]T) []string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]T{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

func compareNamed(a, b map[string]string) []NamedChange {
	var out []NamedChange
	for _, name := range union(a, b) {
		if a[name] != b[name] {
			out = append(out, NamedChange{name, Change[string]{a[name], b[name]}})
		}
	}
	return out
}

// said is what labels or annotations say beyond the metadata, which is
// compared by its fields, and the time of creation.
func said(labels map[string]string) map[string]string {
	out := maps.Clone(labels)
	delete(out, metadata.Label)
	delete(out, "org.opencontainers.image.created")
	return out
}

func compareFields(a, b json.RawMessage) []FieldChange {
	fields := func(label json.RawMessage) map[string]json.RawMessage {
		out := map[string]json.RawMessage{}
		if json.Unmarshal(label, &out) != nil {
			return map[string]json.RawMessage{}
		}
		return out
	}
	before, after := fields(a), fields(b)
	var out []FieldChange
	for _, name := range union(before, after) {
		if !bytes.Equal(before[name], after[name]) {
			out = append(out, FieldChange{name, Change[json.RawMessage]{before[name], after[name]}})
		}
	}
	return out
}

func compareFiles(a, b filetree.Tree) []FileChange {
	var out []FileChange
	for e := range a.All() {
		other, ok := b.Get(e.Path)
		before, after := StateOf(e), StateOf(other)
		switch {
		case !ok:
			out = append(out, FileChange{e.Path, Change[*FileState]{&before, nil}})
		case before != after:
			out = append(out, FileChange{e.Path, Change[*FileState]{&before, &after}})
		}
	}
	for e := range b.All() {
		if _, ok := a.Get(e.Path); !ok {
			after := StateOf(e)
			out = append(out, FileChange{e.Path, Change[*FileState]{nil, &after}})
		}
	}
	slices.SortStableFunc(out, func(x, y FileChange) int { return strings.Compare(x.Path, y.Path) })
	return out
}

// StateOf returns what is worth comparing of an entry.
func StateOf(e filetree.Entry) FileState {
	kind := map[filetree.Kind]string{filetree.File: "file", filetree.Dir: "folder", filetree.Symlink: "link"}[e.Kind]
	return FileState{Kind: kind, Mode: octal(e.Mode), Size: e.Size, SHA256: e.SHA256, Link: e.Link}
}

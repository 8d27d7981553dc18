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

// Difference holds the differences between two images, by platform. Its lists are
// never nil.
type Difference struct {
	// Identical is true if both have the same digest.
	Identical bool              `json:"identical"`
	Images    []ImageDifference `json:"images"`
}

// ImageDifference holds the differences for one platform.
type ImageDifference struct {
	Platform string `json:"platform"`
	// Only is "a" or "b" if only this image has the platform. Then the other
	// fields are empty.
	Only string `json:"only,omitempty"`
	// Size is the size of the compressed layers in bytes.
	Size       Change[int64] `json:"size"`
	Layers     LayerChanges  `json:"layers"`
	Extensions []NamedChange `json:"extensions"`
	Packages   []NamedChange `json:"packages"`
	Needs      []NamedChange `json:"needs"`
	Metadata   []FieldChange `json:"metadata"`
	// Labels are the labels of the config except the metadata label,
	// Annotations the annotations of the manifest.
	Labels      []NamedChange `json:"labels"`
	Annotations []NamedChange `json:"annotations"`
	Files       []FileChange  `json:"files"`
}

// Change is the value in each of the two images.
type Change[T any] struct {
	A T `json:"a"`
	B T `json:"b"`
}

// LayerChanges holds digests of layers.
type LayerChanges struct {
	Shared  []string `json:"shared"`
	Removed []string `json:"removed"`
	Added   []string `json:"added"`
}

// NamedChange is a changed version or value; "" in an image that lacks the name.
type NamedChange struct {
	Name string `json:"name"`
	Change[string]
}

// FieldChange is a changed field of the metadata label; null in an image that
// lacks it.
type FieldChange struct {
	Field string `json:"field"`
	Change[json.RawMessage]
}

// FileChange is a changed path; nil in an image that lacks it.
type FileChange struct {
	Path string `json:"path"`
	Change[*FileState]
}

// FileState holds the properties of a path, without its modification time.
type FileState struct {
	Kind   string `json:"kind"`
	Mode   string `json:"mode"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256,omitempty"`
	Link   string `json:"link,omitempty"`
}

// Same reports whether the images differ at most in digests and times.
func (d ImageDifference) Same() bool {
	return d.Only == "" && len(d.Extensions)+len(d.Packages)+len(d.Needs)+len(d.Metadata)+len(d.Labels)+len(d.Annotations)+len(d.Files) == 0
}

// Compare returns the differences between a and b. The platforms are in the order
// of a, followed by the platforms that only b has.
func Compare(a, b Result) Difference {
	d := Difference{Identical: a.Digest == b.Digest, Images: []ImageDifference{}}
	find := func(s Result, platform string) (Image, bool) {
		i := slices.IndexFunc(s.Images, func(i Image) bool { return i.Platform == platform })
		if i < 0 {
			return Image{}, false
		}
		return s.Images[i], true
	}
	only := func(platform, image string) ImageDifference {
		empty := compare(Image{}, Image{})
		empty.Platform, empty.Only = platform, image
		return empty
	}
	for _, x := range a.Images {
		if y, ok := find(b, x.Platform); ok {
			d.Images = append(d.Images, compare(x, y))
		} else {
			d.Images = append(d.Images, only(x.Platform, "a"))
		}
	}
	for _, y := range b.Images {
		if _, ok := find(a, y.Platform); !ok {
			d.Images = append(d.Images, only(y.Platform, "b"))
		}
	}
	return d
}

func compare(a, b Image) ImageDifference {
	return ImageDifference{
		Platform:   a.Platform,
		Size:       Change[int64]{a.Compressed(), b.Compressed()},
		Layers:     compareLayers(a.Layers, b.Layers),
		Extensions: compareNamed(extensionVersions(a), extensionVersions(b)),
		Packages:   compareNamed(packageVersions(a), packageVersions(b)),
		Needs:      compareNamed(needed(a), needed(b)),
		Metadata:   compareFields(a.Label, b.Label),
		Labels:     compareNamed(otherLabels(a.Labels), otherLabels(b.Labels)), Annotations: compareNamed(otherLabels(a.Annotations), otherLabels(b.Annotations)),
		Files: compareFiles(a.Tree, b.Tree),
	}
}

// Compressed returns the size of the compressed layers in bytes.
func (i Image) Compressed() int64 {
	var n int64
	for _, l := range i.Layers {
		n += l.Size
	}
	return n
}

func compareLayers(a, b []Layer) LayerChanges {
	c := LayerChanges{Shared: []string{}, Removed: []string{}, Added: []string{}}
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

// needed maps the libraries that the base must have to the word "needed".
func needed(i Image) map[string]string {
	out := map[string]string{}
	for _, n := range i.Needs {
		out[n.Library] = "needed"
	}
	return out
}

// union returns the sorted keys of a and b.
func union[T any](a, b map[string]T) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}

func compareNamed(a, b map[string]string) []NamedChange {
	out := []NamedChange{}
	for _, name := range union(a, b) {
		if a[name] != b[name] {
			out = append(out, NamedChange{name, Change[string]{a[name], b[name]}})
		}
	}
	return out
}

// otherLabels returns labels or annotations without the creation time and the
// metadata, which compareFields compares.
func otherLabels(labels map[string]string) map[string]string {
	out := maps.Clone(labels)
	delete(out, metadata.Label)
	delete(out, "org.opencontainers.image.created")
	return out
}

func compareFields(a, b json.RawMessage) []FieldChange {
	fields := func(label json.RawMessage) map[string]json.RawMessage {
		out := map[string]json.RawMessage{}
		if json.Unmarshal(label, &out) != nil {
			return nil
		}
		return out
	}
	before, after := fields(a), fields(b)
	out := []FieldChange{}
	for _, name := range union(before, after) {
		if !bytes.Equal(before[name], after[name]) {
			out = append(out, FieldChange{name, Change[json.RawMessage]{before[name], after[name]}})
		}
	}
	return out
}

func compareFiles(a, b filetree.Tree) []FileChange {
	out := []FileChange{}
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

// StateOf returns the FileState of an entry.
func StateOf(e filetree.Entry) FileState {
	kind := map[filetree.Kind]string{filetree.File: "file", filetree.Dir: "folder", filetree.Symlink: "link"}[e.Kind]
	return FileState{Kind: kind, Mode: octal(e.Mode), Size: e.Size, SHA256: e.SHA256, Link: e.Link}
}

package image

import (
	"fmt"
	"regexp"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// evidenceTag is how tools from before OCI 1.1 name what is about an image.
var evidenceTag = regexp.MustCompile(`^sha256-([0-9a-f]{64})\.(att|sbom|sig)$`)

// evidenceSubject returns what evidence under this tag is about; nil when it is
// the tag of an image.
func evidenceSubject(tag string) *v1.Hash {
	m := evidenceTag.FindStringSubmatch(tag)
	if m == nil {
		return nil
	}
	return &v1.Hash{Algorithm: "sha256", Hex: m[1]}
}

// Tag is a name that index.json gives to an image.
type Tag struct {
	Name   string
	Digest v1.Hash
}

// Tags returns the tags of images, in the order of their names.
func (l *Layout) Tags() ([]Tag, error) {
	all, err := l.Entries()
	if err != nil {
		return nil, err
	}
	var out []Tag
	for _, d := range all {
		if tag := d.Annotations[refName]; tag != "" && evidenceSubject(tag) == nil {
			out = append(out, Tag{tag, d.Digest})
		}
	}
	return out, nil
}

// Collection is an image with all that is said about it.
type Collection struct {
	Artifact
	// Image is set where Index is not.
	Image v1.Image
	// Referrers are of the image, of what it lists, and of other referrers.
	// Indexes are those that are indexes themselves.
	Referrers []v1.Image
	Indexes   []v1.ImageIndex
	// Evidence is what tags such as sha256-<hex>.sig name.
	Evidence map[string]v1.Image
}

// Collect returns what ref, a tag or digest, names, with all that is attached
// to it; with ref "" the only image there is.
func (l *Layout) Collect(ref string) (Collection, error) {
	d, err := l.Find(ref)
	if err != nil {
		return Collection{}, err
	}
	c := Collection{Evidence: map[string]v1.Image{}}
	if c.Artifact, err = l.Open(d.Digest.String()); err != nil {
		return Collection{}, err
	}
	if c.Index == nil {
		c.Image = c.Images[0]
	}
	if err := l.collect(d, &c); err != nil {
		return Collection{}, fmt.Errorf("reading layout %s: %w", l.dir, err)
	}
	return c, nil
}

// collect adds the entries whose subject is reached, until no more are.
func (l *Layout) collect(top v1.Descriptor, c *Collection) error {
	waiting, err := l.attached()
	if err != nil {
		return err
	}
	reached := map[v1.Hash]bool{}
	if err := l.reach(top, reached); err != nil {
		return err
	}
	for changed := true; changed; {
		changed = false
		for _, e := range slices.Clone(waiting) {
			if !reached[*e.subject] {
				continue
			}
			waiting = slices.DeleteFunc(waiting, func(w entry) bool { return w.Digest == e.Digest && w.tag() == e.tag() })
			changed = true
			if err := l.reach(e.Descriptor, reached); err != nil {
				return err
			}
			if err := l.take(e, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// attached returns the entries that are about others.
func (l *Layout) attached() ([]entry, error) {
	all, err := l.Entries()
	if err != nil {
		return nil, err
	}
	var out []entry
	for _, d := range all {
		e := entry{d, evidenceSubject(d.Annotations[refName])}
		if e.tag() == "" && isManifest(d.MediaType) {
			m, err := l.manifest(d)
			if err != nil {
				return nil, err
			}
			if m.Subject != nil {
				e.subject = &m.Subject.Digest
			}
		}
		if e.subject != nil {
			out = append(out, e)
		}
	}
	return out, nil
}

func (l *Layout) reach(d v1.Descriptor, reached map[v1.Hash]bool) error {
	return l.walk(d, func(d v1.Descriptor) error {
		reached[d.Digest] = true
		return nil
	})
}

func (l *Layout) take(e entry, c *Collection) error {
	if e.tag() == "" && e.MediaType.IsIndex() {
		c.Indexes = append(c.Indexes, &storedIndex{l, e.Descriptor})
		return nil
	}
	img, err := l.image(e.Descriptor)
	switch {
	case err != nil:
	case e.tag() == "":
		c.Referrers = append(c.Referrers, img)
	default:
		c.Evidence[e.tag()] = img
	}
	return err
}

// evidence returns what a tag of evidence names; nil when that is nothing, or
// cannot be read.
func (l *Layout) evidence(tag string) (v1.Image, error) {
	all, err := l.Entries()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(d v1.Descriptor) bool { return d.Annotations[refName] == tag })
	if i >= 0 && l.complete(all[i]) == nil {
		return l.image(all[i])
	}
	return nil, nil
}

// Architectures are the images of Index in its order, as of FromIndex, or Image.
func (c Collection) Architectures() ([]v1.Image, error) {
	if c.Index == nil {
		return []v1.Image{c.Image}, nil
	}
	a, err := FromIndex(c.Index)
	return a.Images, err
}

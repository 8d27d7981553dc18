package image

import (
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/oci"
)

// Tag is an entry of index.json that names an image.
type Tag struct {
	Name   string
	Digest v1.Hash
}

// Tags returns the tags of images, sorted by name. Legacy tags (oci.LegacyTags)
// are not included.
func (l *Layout) Tags() ([]Tag, error) {
	all, err := l.Entries()
	if err != nil {
		return nil, err
	}
	var out []Tag
	for _, d := range all {
		if tag := d.Annotations[oci.RefName]; tag != "" && oci.LegacySubject(tag) == nil {
			out = append(out, Tag{tag, d.Digest})
		}
	}
	return out, nil
}

// Collect returns the image that ref, a tag or digest, names, with everything
// attached to it; ref may be "" if the layout has one image.
func (l *Layout) Collect(ref string) (oci.Set, error) {
	d, err := l.Find(ref)
	if err != nil {
		return oci.Set{}, err
	}
	s, err := l.Open(d.Digest.String())
	if err != nil {
		return oci.Set{}, err
	}
	s.Legacy = map[string]v1.Image{}
	if err := l.collect(d, &s); err != nil {
		return oci.Set{}, fmt.Errorf("reading layout %s: %w", l.dir, err)
	}
	return s, nil
}

// collect adds the attachments of top, of what it lists, and of other
// attachments.
func (l *Layout) collect(top v1.Descriptor, s *oci.Set) error {
	waiting, err := l.attachments()
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
			if err := l.attach(e, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// attachments returns the entries that have a subject.
func (l *Layout) attachments() ([]entry, error) {
	all, err := l.Entries()
	if err != nil {
		return nil, err
	}
	var out []entry
	for _, d := range all {
		e := entry{d, oci.LegacySubject(d.Annotations[oci.RefName])}
		if e.tag() == "" && oci.IsManifest(d.MediaType) {
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

// reach adds the digests of everything that d lists, and its own.
func (l *Layout) reach(d v1.Descriptor, reached map[v1.Hash]bool) error {
	return l.walk(d, func(d v1.Descriptor) error {
		reached[d.Digest] = true
		return nil
	})
}

// attach adds an entry to s.
func (l *Layout) attach(e entry, s *oci.Set) error {
	if e.tag() == "" && e.MediaType.IsIndex() {
		s.ReferrerIndexes = append(s.ReferrerIndexes, &storedIndex{l, e.Descriptor})
		return nil
	}
	img, err := l.image(e.Descriptor)
	switch {
	case err != nil:
	case e.tag() == "":
		s.Referrers = append(s.Referrers, img)
	default:
		s.Legacy[e.tag()] = img
	}
	return err
}

// legacy returns the image of a legacy tag; nil if there is none or its blobs are
// missing or damaged.
func (l *Layout) legacy(tag string) (v1.Image, error) {
	all, err := l.Entries()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(d v1.Descriptor) bool { return d.Annotations[oci.RefName] == tag })
	if i >= 0 && l.complete(all[i]) == nil {
		return l.image(all[i])
	}
	return nil, nil
}

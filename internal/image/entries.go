package image

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/oci"
)

// entry is an entry of index.json with its subject, nil for none.
type entry struct {
	v1.Descriptor
	subject *v1.Hash
}

func (e entry) tag() string { return e.Annotations[oci.RefName] }

func descriptors(all []entry) []v1.Descriptor {
	out := make([]v1.Descriptor, len(all))
	for i, e := range all {
		out[i] = e.Descriptor
	}
	return out
}

// merge returns the entries of old and added: tags by name, then the untagged
// by digest, so that the result does not depend on the order of builds. A new tag
// replaces the old one. If replace is true, a new referrer replaces those with
// the same subject and artifact type.
func (l *Layout) merge(old []v1.Descriptor, added []entry, replace bool) []entry {
	all := slices.Clone(added)
	for _, d := range old {
		e := entry{Descriptor: d, subject: oci.LegacySubject(d.Annotations[oci.RefName])}
		if e.tag() == "" && oci.IsManifest(d.MediaType) {
			m, err := l.manifest(d)
			if err != nil {
				continue // an untagged entry that cannot be read is useless
			}
			if m.Subject != nil {
				e.subject = &m.Subject.Digest
			}
		}
		if !slices.ContainsFunc(added, func(a entry) bool { return a.replaces(e, replace) }) {
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b entry) int {
		if (a.tag() == "") != (b.tag() == "") {
			return cmp.Compare(b.tag(), a.tag())
		}
		return cmp.Or(strings.Compare(a.tag(), b.tag()), strings.Compare(a.Digest.String(), b.Digest.String()))
	})
	return all
}

func (e entry) replaces(old entry, replace bool) bool {
	switch {
	case e.tag() != "" || old.tag() != "":
		return e.tag() == old.tag()
	case e.Digest == old.Digest:
		return true
	}
	return replace && old.subject != nil && *old.subject == *e.subject && old.ArtifactType == e.ArtifactType
}

// reachable returns the entries without the attachments of subjects that no
// longer exist. A referrer can be a subject itself, as an SBOM that is signed.
func (l *Layout) reachable(all []entry) []entry {
	reached := map[v1.Hash]bool{}
	keep := make([]bool, len(all))
	for changed := true; changed; {
		changed = false
		for i, e := range all {
			if keep[i] || e.subject != nil && !reached[*e.subject] {
				continue
			}
			keep[i], changed = true, true
			// An error ends the walk at a manifest that cannot be read.
			_ = l.walk(e.Descriptor, func(d v1.Descriptor) error {
				reached[d.Digest] = true
				return nil
			})
		}
	}
	var out []entry
	for i, e := range all {
		if keep[i] {
			out = append(out, e)
		}
	}
	return out
}

// prune removes the blobs that no entry reaches. If a manifest cannot be read,
// the blobs it lists are unknown, and nothing is removed.
func (l *Layout) prune(all []v1.Descriptor) error {
	reached := map[string]bool{}
	for _, d := range all {
		err := l.walk(d, func(d v1.Descriptor) error {
			reached[d.Digest.Hex] = true
			return nil
		})
		if err != nil {
			return nil //nolint:nilerr // superfluous blobs do no harm
		}
	}
	dir := filepath.Join(l.dir, "blobs", "sha256")
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if reached[f.Name()] {
			continue
		}
		if err := os.Remove(filepath.Join(dir, f.Name())); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// removeTemporary removes the temporary files of an interrupted Write. The caller
// holds the lock, so no other process is writing them.
func (l *Layout) removeTemporary() {
	files, err := os.ReadDir(l.dir)
	if err != nil {
		return
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name(), temporary) {
			_ = os.Remove(filepath.Join(l.dir, f.Name())) // the next Write tries again
		}
	}
}

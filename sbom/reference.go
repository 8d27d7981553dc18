package sbom

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/license"
)

// referenceID gives a reference a name that means the same text in every
// document: Debian's short names mean different texts in different packages.
// One without a text keeps the name that the author of the image gave it.
func referenceID(r license.Reference) string {
	if strings.TrimSpace(r.Text) == "" {
		return r.ID
	}
	sum := sha256.Sum256([]byte(r.Text))
	suffix := "-" + hex.EncodeToString(sum[:8])
	if strings.HasSuffix(r.ID, suffix) { // its name is the digest already
		return r.ID
	}
	return r.ID + suffix
}

// settled returns a licence with references that mean one text each.
func settled(l license.License) license.License {
	l = l.Renamed(referenceID)
	for i, r := range l.References {
		l.References[i] = worded(r)
	}
	return l
}

// worded returns a reference with a text, which SPDX asks of each (2.3, 10.2):
// the author of a recipe may name a licence and give none.
func worded(r license.Reference) license.Reference {
	if strings.TrimSpace(r.Text) == "" {
		r.Name, r.Text = strings.TrimPrefix(r.ID, "LicenseRef-"), "Named by the author of the image, who gives no text."
	}
	return r
}

// license is that of the whole image: what its author states, else that of all
// packages.
func (d Document) license() license.License {
	if d.Image.License != "" {
		return license.License{Expression: d.Image.License}
	}
	all := make([]license.License, len(d.Packages))
	for i, p := range d.Packages {
		all[i] = p.License
	}
	return license.Join(all...)
}

// references are those of all packages, by ID, and the ones that only the
// image's own licence has.
func (d Document) references() []license.Reference {
	byID := map[string]license.Reference{}
	for _, p := range d.Packages {
		for _, r := range p.License.References {
			byID[r.ID] = r
		}
	}
	own := d.license().Renamed(func(r license.Reference) string { return r.ID })
	for _, r := range own.References {
		if _, ok := byID[r.ID]; !ok {
			byID[r.ID] = worded(r)
		}
	}
	out := make([]license.Reference, 0, len(byID))
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		out = append(out, byID[id])
	}
	return out
}

package sbom

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/license"
)

// referenceID returns an ID that identifies the text of a reference in all
// documents: Debian packages use the same short name for different texts. The ID of
// a reference without a text, from a recipe, is unchanged.
func referenceID(r license.Reference) string {
	if strings.TrimSpace(r.Text) == "" {
		return r.ID
	}
	sum := sha256.Sum256([]byte(r.Text))
	suffix := "-" + hex.EncodeToString(sum[:8])
	if strings.HasSuffix(r.ID, suffix) {
		return r.ID
	}
	return r.ID + suffix
}

// withUniqueIDs returns a licence whose references have a text and an ID for that
// text.
func withUniqueIDs(l license.License) license.License {
	l = l.Renamed(referenceID)
	for i, r := range l.References {
		l.References[i] = withText(r)
	}
	return l
}

// withText sets the text of a reference that has none, because SPDX requires one
// (2.3, section 10.2). A recipe may name a licence without a text.
func withText(r license.Reference) license.Reference {
	if strings.TrimSpace(r.Text) == "" {
		r.Name, r.Text = strings.TrimPrefix(r.ID, "LicenseRef-"), "Named by the author of the image, who gives no text."
	}
	return r
}

// license returns the licence of the image: the expression in the recipe, or the
// licences of all packages joined by AND.
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

// references returns the licence references of the packages and of the image,
// sorted by ID.
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
			byID[r.ID] = withText(r)
		}
	}
	out := make([]license.Reference, 0, len(byID))
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		out = append(out, byID[id])
	}
	return out
}

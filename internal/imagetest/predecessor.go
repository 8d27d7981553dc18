package imagetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/metadata"
)

// Predecessor is the image to upgrade from.
type Predecessor struct {
	Subject
	// Why reports why there is none; "" when there is.
	Why string
}

// Predecessor picks, of the architectures of the image ref, the one that t
// continues; tested are all the images under test, of which one may continue it
// on the distribution that it is for.
func (t Subject) Predecessor(ref string, architectures, tested []Subject) Predecessor {
	i := slices.IndexFunc(architectures, func(o Subject) bool {
		return o.Metadata.Postgres == t.Metadata.Postgres && o.Metadata.Arch == t.Metadata.Arch
	})
	if len(architectures) == 0 {
		return Predecessor{Why: ref + " has no image in it"}
	}
	switch first := architectures[0].Metadata; {
	case first.Name != t.Metadata.Name:
		return Predecessor{Why: fmt.Sprintf("%s is an image of %s, not of %s", ref, first.Name, t.Metadata.Name)}
	case first.Postgres != t.Metadata.Postgres:
		return Predecessor{Why: fmt.Sprintf("%s is for PostgreSQL %d, which pg_upgrade leads to %d, no change of an image",
			ref, first.Postgres, t.Metadata.Postgres)}
	case i < 0:
		return Predecessor{Why: fmt.Sprintf("%s has no image for %s", ref, t.Metadata.Arch)}
	}
	from := architectures[i]
	switch {
	case from.Metadata.Distro != t.Metadata.Distro && t.variantOn(from.Metadata.Distro, tested):
		return Predecessor{Why: fmt.Sprintf("%s is for %s, and so is another image under test", ref, from.Metadata.Distro)}
	case sameImage(from, t):
		return Predecessor{Why: ref + " is the image under test itself"}
	}
	from.Base = t.Base
	return Predecessor{Subject: from}
}

// variantOn reports whether an image that t is a variant of is for a
// distribution: only where none is, the change of the distribution is meant.
func (t Subject) variantOn(distro string, all []Subject) bool {
	return slices.ContainsFunc(all, func(o Subject) bool {
		return o.Metadata.Name == t.Metadata.Name && o.Metadata.Distro == distro && o.Metadata.Postgres == t.Metadata.Postgres
	})
}

func sameImage(a, b Subject) bool {
	x, errX := a.Image.Digest()
	y, errY := b.Image.Digest()
	return errX == nil && errY == nil && x == y
}

// Previous returns those of a repository's tags whose images the one that m
// describes may be upgraded from, the newest first: of the same PostgreSQL
// major and distribution, in an earlier version or made at an earlier time than
// epoch. An image of its own may be among them, under the very same time.
func Previous(tags []string, m metadata.Metadata, epoch time.Time) []string {
	now, version := metadata.Stamp(epoch), metadata.SanitizeTag(m.Version)
	said := map[string]metadata.Tag{}
	var out []string
	for _, tag := range tags {
		t, ok := metadata.ParseTag(tag, m.Postgres, m.Distro)
		if !ok {
			continue
		}
		order := debian.CompareVersions(t.Version, version)
		if order < 0 || order == 0 && t.Stamp != "" && t.Stamp <= now {
			said[tag] = t
			out = append(out, tag)
		}
	}
	slices.SortStableFunc(out, func(a, b string) int {
		x, y := said[a], said[b]
		return cmp.Or(debian.CompareVersions(y.Version, x.Version), later(x, y), strings.Compare(a, b))
	})
	return out
}

// later orders tags of one version: the one that moves names the newest image.
func later(a, b metadata.Tag) int {
	if a.Stamp == "" || b.Stamp == "" {
		return cmp.Compare(len(a.Stamp), len(b.Stamp))
	}
	return cmp.Or(strings.Compare(b.Stamp, a.Stamp), cmp.Compare(b.Revision, a.Revision))
}

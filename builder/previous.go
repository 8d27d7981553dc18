package builder

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/metadata"
)

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

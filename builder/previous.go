package builder

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/metadata"
)

// published is what a tag says about its image.
type published struct {
	tag, version string
	// stamp is the time in a tag that never moves; "" in one that does.
	stamp    string
	revision int
}

// Previous returns those of a repository's tags whose images t may be upgraded
// from, the newest first: of the same PostgreSQL major and distribution, in an
// earlier version or made at an earlier time than epoch. An image of its own
// may be among them, under the very same time.
func Previous(tags []string, t Trial, epoch time.Time) []string {
	m := t.Metadata
	form := regexp.MustCompile(fmt.Sprintf(`^(.+?)(?:-(\d{12}))?-%d-%s(?:-r(\d+))?$`, m.Postgres, regexp.QuoteMeta(m.Distro)))
	now := epoch.UTC().Format("200601021504")
	version := metadata.SanitizeTag(m.Version)
	var all []published
	for _, tag := range tags {
		found := form.FindStringSubmatch(tag)
		if found == nil {
			continue
		}
		p := published{tag: tag, version: found[1], stamp: found[2]}
		p.revision, _ = strconv.Atoi(found[3]) // "" is 0
		switch order := debian.CompareVersions(p.version, version); {
		case order > 0:
		case order == 0 && (p.stamp == "" || p.stamp > now):
		default:
			all = append(all, p)
		}
	}
	slices.SortStableFunc(all, func(a, b published) int {
		return cmp.Or(debian.CompareVersions(b.version, a.version), later(a, b), strings.Compare(a.tag, b.tag))
	})
	out := make([]string, len(all))
	for i, p := range all {
		out[i] = p.tag
	}
	return out
}

// later orders tags of one version: the one that moves names the newest image.
func later(a, b published) int {
	if a.stamp == "" || b.stamp == "" {
		return cmp.Compare(len(a.stamp), len(b.stamp))
	}
	return cmp.Or(strings.Compare(b.stamp, a.stamp), cmp.Compare(b.revision, a.revision))
}

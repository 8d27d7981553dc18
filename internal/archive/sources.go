package archive

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/debian"
)

// maxSources bounds one file of apt sources, and os-release, in bytes.
const maxSources = 1 << 20

// source is one root that the host's apt reads, with its suites.
type source struct {
	root   Mirror
	suites []string
}

// hostMirrors returns the roots of the host's apt sources that may be mirrors
// of a, the likeliest first. A host that is not Debian has none.
func hostMirrors(a Archive, host fs.FS, log *slog.Logger) []Mirror {
	if a.Origin == "" || !isDebian(host) {
		return nil
	}
	kind := suiteKind(a.Suites[0])
	var mirrors []Mirror
	for _, s := range readSources(host, log) {
		fits := slices.ContainsFunc(s.suites, func(suite string) bool { return suiteKind(suite) == kind })
		if fits && !slices.Contains(mirrors, s.root) {
			mirrors = append(mirrors, s.root)
		}
	}
	folder := path.Base(a.URL)
	slices.SortStableFunc(mirrors, func(x, y Mirror) int {
		return cmp.Compare(distance(x, folder), distance(y, folder))
	})
	return mirrors
}

// distance is 0 for a mirror whose root folder has the usual name.
func distance(m Mirror, folder string) int {
	if path.Base(string(m)) == folder {
		return 0
	}
	return 1
}

// suiteKind reports which of the built-in archives has suites named like this
// one; it spares requests that can only end in 404.
func suiteKind(suite string) string {
	switch {
	case strings.Contains(suite, "-pgdg"):
		return PGDG
	case strings.HasSuffix(suite, "-security"), strings.HasSuffix(suite, "/updates"):
		return DebianSecurity
	}
	return Debian
}

// isDebian reads os-release(5).
func isDebian(host fs.FS) bool {
	for _, name := range []string{"etc/os-release", "usr/lib/os-release"} {
		data, err := readBounded(host, name)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			if id, ok := strings.CutPrefix(strings.TrimSpace(line), "ID="); ok {
				return strings.Trim(id, `"'`) == "debian"
			}
		}
	}
	return false
}

// readSources reads everything that sources.list(5) describes below etc/apt.
// What it cannot read is skipped: a broken entry costs a mirror, not a build.
func readSources(host fs.FS, log *slog.Logger) []source {
	names := []string{"etc/apt/sources.list"}
	parts, _ := fs.ReadDir(host, "etc/apt/sources.list.d") // sorted by name
	for _, entry := range parts {
		names = append(names, "etc/apt/sources.list.d/"+entry.Name())
	}
	var sources []source
	for _, name := range names {
		parse := parseList
		switch path.Ext(name) {
		case ".sources":
			parse = parseDeb822
		case ".list":
		default:
			continue
		}
		data, err := readBounded(host, name)
		if err != nil {
			log.Log(context.Background(), slog.LevelDebug, "skipping apt sources", "file", name, "error", err)
			continue
		}
		sources = append(sources, parse(data)...)
	}
	return sources
}

func readBounded(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, maxSources))
}

// parseDeb822 reads the format of *.sources up to the first broken paragraph.
func parseDeb822(data []byte) []source {
	s := debian.NewScanner(bytes.NewReader(data))
	s.Comments = true
	var sources []source
	for s.Scan() {
		p := s.Paragraph()
		enabled := !isNo(p.Get("Enabled"))
		if enabled && slices.Contains(strings.Fields(p.Get("Types")), "deb") {
			sources = append(sources, newSources(strings.Fields(p.Get("URIs")), strings.Fields(p.Get("Suites")))...)
		}
	}
	return sources
}

// isNo follows apt's StringToBool.
func isNo(value string) bool {
	switch strings.ToLower(value) {
	case "no", "false", "without", "off", "disable", "0":
		return true
	}
	return false
}

// parseList reads the one-line format:
//
//	deb [option=value …] URI SUITE [COMPONENT …]
func parseList(data []byte) []source {
	var sources []source
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "#")
		kind, rest, _ := strings.Cut(strings.TrimSpace(strings.ReplaceAll(line, "\t", " ")), " ")
		if kind != "deb" {
			continue
		}
		rest = strings.TrimSpace(rest)
		if strings.HasPrefix(rest, "[") {
			_, rest, _ = strings.Cut(rest, "]")
		}
		if fields := strings.Fields(rest); len(fields) >= 2 {
			sources = append(sources, newSources(fields[:1], fields[1:2])...)
		}
	}
	return sources
}

// newSources keeps the URIs that pgext can fetch from. Methods such as
// mirror+http or cdrom, and variables such as $(ARCH), are apt's alone; flat
// suites have no dists.
func newSources(uris, suites []string) []source {
	suites = slices.DeleteFunc(suites, func(s string) bool { return strings.HasSuffix(s, "/") })
	var sources []source
	for _, uri := range uris {
		u, err := url.Parse(uri)
		if err != nil || !isRoot(u) || strings.Contains(uri, "$(") || len(suites) == 0 {
			continue
		}
		sources = append(sources, source{root: trimmed(uri), suites: suites})
	}
	return sources
}

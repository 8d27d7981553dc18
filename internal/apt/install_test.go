package apt_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/apt"
)

// archiveText turns "name version; Field: value; …" lines into a Packages
// file.
func archiveText(lines string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		head, rest, _ := strings.Cut(strings.TrimSpace(line), ";")
		f := strings.Fields(head)
		if len(f) != 2 {
			continue
		}
		b.WriteString("Package: " + f[0] + "\nVersion: " + f[1] + "\n")
		if !strings.Contains(rest, "Architecture:") {
			b.WriteString("Architecture: amd64\n")
		}
		for field := range strings.SplitSeq(rest, ";") {
			if field = strings.TrimSpace(field); field != "" {
				b.WriteString(field + "\n")
			}
		}
		b.WriteString("Filename: " + f[0] + "_" + f[1] + ".deb\nSize: 1\nDescription: x\nMaintainer: x <x@example.org>\n\n")
	}
	return b.String()
}

// installCases are one rule each. Installed names have their version in the
// archive; want is "name version", or what the error says.
var installCases = []struct {
	name, archive, installed, install, want, err string
}{
	{
		name: "dependencies are followed in both fields", install: "a", want: "a 1, b 1, c 1, d 1",
		archive: `a 1; Depends: b; Pre-Depends: c
			b 1; Depends: d
			c 1
			d 1
			e 1`,
	},
	{
		name: "recommended packages are left out", install: "a", want: "a 1",
		archive: "a 1; Recommends: b; Suggests: c\nb 1\nc 1",
	},
	{
		name: "what is installed is not added", install: "a", installed: "b", want: "a 1",
		archive: "a 1; Depends: b\nb 1",
	},
	{
		name: "the highest version by Debian's order", install: "a", want: "a 1:0",
		archive: "a 9\na 1:0~1\na 1:0\na 10",
	},
	{
		name: "the first alternative", install: "a", want: "a 1, b 1",
		archive: "a 1; Depends: b | c\nb 1\nc 1",
	},
	{
		name: "an alternative that is there already", install: "a", installed: "c", want: "a 1",
		archive: "a 1; Depends: b | c\nb 1\nc 1",
	},
	{
		name: "an alternative that was asked for", install: "a c", want: "a 1, c 1",
		archive: "a 1; Depends: b | c\nb 1\nc 1",
	},
	{
		name: "the next alternative when the first cannot be had", install: "a", want: "a 1, c 1",
		archive: "a 1; Depends: b | c\nb 1; Depends: missing\nc 1",
	},
	{
		name: "an alternative in conflict with what was asked for", install: "x a", want: "a 1, c 1, x 1",
		archive: "a 1; Depends: b | c\nb 1\nc 1\nx 1; Conflicts: b",
	},
	{
		name: "a virtual package with one provider", install: "a", want: "a 1, b 1",
		archive: "a 1; Depends: v\nb 1; Provides: v",
	},
	{
		name: "the real package before its providers", install: "a", want: "a 1, v 1",
		archive: "a 1; Depends: v\nb 1; Provides: v; Priority: required\nv 1; Priority: extra",
	},
	{
		name: "the provider of higher priority", install: "a", want: "a 1, c 1",
		archive: "a 1; Depends: v\nb 1; Provides: v; Priority: optional\nc 1; Provides: v; Priority: standard\nd 1; Provides: v; Priority: optional",
	},
	{
		name: "the essential provider before all others", install: "a", want: "a 1, b 1",
		archive: "a 1; Depends: v\nb 1; Provides: v; Priority: extra; Essential: yes\nc 1; Provides: v; Priority: required",
	},
	{
		name: "equal providers: the one heard of last", install: "a", want: "a 1, c 1",
		archive: "d 1; Provides: v\na 1; Depends: v\nb 1; Provides: v\nc 1; Provides: v",
	},
	{
		name: "a mention counts as hearing", install: "a", want: "a 1, b 1",
		archive: "x 1; Suggests: c\na 1; Depends: v\nb 1; Provides: v\nc 1; Provides: v",
	},
	{
		name: "a versioned relation needs a versioned Provides", install: "a", want: "a 1, c 1",
		archive: "a 1; Depends: v (>= 2)\nb 1; Provides: v\nc 1; Provides: v (= 2)\nd 1; Provides: v (= 1)",
	},
	{
		name: "qualifier any needs Multi-Arch: allowed", install: "a", want: "a 1, b 1",
		archive: "a 1; Depends: b:any\nb 1; Multi-Arch: allowed",
	},
	{
		name: "qualifier any and Multi-Arch: foreign", install: "a",
		archive: "a 1; Depends: b:any\nb 1; Multi-Arch: foreign",
		err:     "package a cannot be installed: a depends on b:any, but b is not for architecture any",
	},
	{
		name: "the native architecture by name", install: "a", want: "a 1, b 1, c 1",
		archive: "a 1; Depends: b:amd64, c:native\nb 1\nc 1; Architecture: all",
	},
	{
		name: "a foreign architecture", install: "a",
		archive: "a 1; Depends: b:arm64\nb 1",
		err:     "package a cannot be installed: a depends on b:arm64, but b is not for architecture arm64",
	},
	{
		name: "a cycle", install: "a", want: "a 1, b 1",
		archive: "a 1; Depends: b\nb 1; Depends: a",
	},
	{
		name: "a package may provide what it conflicts with", install: "a", want: "a 1",
		archive: "a 1; Conflicts: v; Provides: v",
	},
	{
		name: "an installed package is upgraded where it has to be", install: "a", installed: "b 1", want: "a 1, b 2",
		archive: "a 1; Depends: b (>= 2)\nb 2\nb 1",
	},
	{
		name: "an installed package is not upgraded without need", install: "a", installed: "b 1", want: "a 1",
		archive: "a 1; Depends: b\nb 2\nb 1",
	},
	{
		name: "what is broken by a newcomer is upgraded", install: "a", installed: "b 1", want: "a 1, b 2",
		archive: "a 1; Breaks: b (<< 2)\nb 2\nb 1",
	},
	{
		name: "siblings of one source are upgraded together", install: "a", installed: "b 1, c 1", want: "a 1, b 2, c 2",
		archive: "a 1; Depends: b (>= 2)\nb 2; Source: s\nb 1; Source: s\nc 2; Source: s\nc 1; Source: s",
	},
	{
		name: "a virtual name with a single provider", install: "v", want: "b 1",
		archive: "b 1; Provides: v",
	},
	{
		name: "a failed choice leaves nothing behind", install: "a", want: "a 1, d 1",
		archive: "a 1; Depends: b | d\nb 1; Depends: c, e\nc 1\ne 1; Conflicts: a\nd 1",
	},
	{
		name: "a version that nobody has", install: "a",
		archive: "a 1; Depends: b\nb 1; Depends: c (>= 2)\nc 1.5",
		err:     "package a cannot be installed: a depends on b; b depends on c (>= 2), but debian suite0 has 1.5",
	},
	{
		name: "a package that nobody has", install: "a",
		archive: "a 1; Depends: b | c (>= 2)\nc 1",
		err:     "package a cannot be installed: a depends on b | c (>= 2), but no archive has b, debian suite0 has 1",
	},
	{
		name: "a virtual package without the version", install: "a",
		archive: "a 1; Depends: v (>= 2)\nb 1; Provides: v\nc 1; Provides: v (= 1)",
		err:     "package a cannot be installed: a depends on v (>= 2), but v is only provided by b, c (1)",
	},
	{
		name: "two requests in conflict", install: "a b",
		archive: "a 1; Conflicts: b\nb 1",
		err:     "package a cannot be installed: a conflicts with b, and b 1 is needed too",
	},
	{
		name: "a newcomer in conflict with what is installed", install: "a", installed: "b",
		archive: "a 1; Depends: c\nb 1\nc 1; Conflicts: b",
		err:     "package a cannot be installed: a depends on c; c conflicts with b, and b 1 is installed",
	},
}

func TestInstall(t *testing.T) {
	for _, c := range installCases {
		t.Run(c.name, func(t *testing.T) {
			ix := load(t, "amd64", archiveText(c.archive))
			added, err := ix.Install(pick(ix, c.installed), strings.Fields(c.install))
			if got := message(err); got != c.err {
				t.Errorf("got error %q, want %q", got, c.err)
			}
			if got := strings.Join(labels(added), ", "); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestUnsatisfiableHint: whoever reads that something is missing or in the way
// can type something.
func TestUnsatisfiableHint(t *testing.T) {
	for _, c := range []struct{ archive, install, installed, hint string }{
		{"a 1; Depends: b (>= 2)\nb 1", "a", "", "choose a distribution"},
		{"a 1; Depends: b", "a", "", "choose a distribution"},
		{"a 1; Conflicts: b\nb 1", "a b", "", "one system cannot have both"},
		{"a 1; Depends: c\nb 1\nc 1; Conflicts: b", "a", "b", "one system cannot have both"},
	} {
		ix := load(t, "amd64", archiveText(c.archive))
		_, err := ix.Install(pick(ix, c.installed), strings.Fields(c.install))
		var failed *apt.UnsatisfiableError
		if !errors.As(err, &failed) || !strings.HasPrefix(failed.Hint(), c.hint) {
			t.Errorf("%q: got %v, want an *UnsatisfiableError with the hint %q", c.archive, err, c.hint)
		}
	}
}

// TestInstallCasesAgreeWithApt asks apt-get about the same table.
func TestInstallCasesAgreeWithApt(t *testing.T) {
	for _, c := range installCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t, "amd64", false)
			text := archiveText(c.archive)
			s.write(t, listName, text)
			s.setInstalled(t, pick(load(t, "amd64", text), c.installed))
			o, err := s.install(t.Context(), strings.Fields(c.install))
			want := c.want
			if c.err != "" {
				want = "refused"
			}
			if got := verdict(o.added, o.removes, err); got != want {
				t.Errorf("apt-get says %s, the table %s\n%v", got, want, err)
			}
		})
	}
}

// pick returns the packages of a list like "a 1, b".
func pick(ix *apt.Index, list string) []apt.Package {
	var out []apt.Package
	for entry := range strings.SplitSeq(list, ",") {
		f := strings.Fields(entry)
		if len(f) == 0 {
			continue
		}
		for _, p := range ix.Versions(f[0]) {
			if len(f) == 1 || p.Version == f[1] {
				out = append(out, p)
				break
			}
		}
	}
	return out
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestInstallTwiceGivesTheSame(t *testing.T) {
	u := newUniverse(3)
	ix := load(t, "amd64", text(u.second))
	for _, p := range u.second {
		first, err1 := ix.Install(nil, []string{p.Name})
		second, err2 := ix.Install(nil, []string{p.Name})
		if diff := cmp.Diff(first, second); diff != "" || message(err1) != message(err2) {
			t.Errorf("%s: %v, %v, %s", p.Name, err1, err2, diff)
		}
	}
}

func TestUnknown(t *testing.T) {
	ix := load(t, "amd64", archiveText("postgresql-18-pgvector 1\npostgresql-18-postgis-3 1\nb 1; Provides: v\na 1; Provides: v"))
	for _, c := range []struct{ name, err, hint string }{
		{"postgresql-18-pgvectr", "package postgresql-18-pgvectr is in none of the archives", "similar names: postgresql-18-pgvector"},
		{"v", "package v is virtual", "name one of its providers: a, b"},
		{"zzzzzz", "package zzzzzz is in none of the archives", "check its name; --distro chooses another distribution, --archive or archives: other archives"},
	} {
		_, err := ix.Install(nil, []string{c.name})
		var unknown *apt.UnknownError
		if !errors.As(err, &unknown) {
			t.Fatalf("%s: got %v", c.name, err)
		}
		if unknown.Error() != c.err || unknown.Hint() != c.hint || unknown.ExitCode() != 12 {
			t.Errorf("got %q, hint %q, exit code %d", unknown, unknown.Hint(), unknown.ExitCode())
		}
	}
}

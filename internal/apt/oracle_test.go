package apt_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/oracle"
)

// system is a private root for the real apt-get: its own sources, package
// lists and dpkg status.
type system struct {
	dir, aptGet string
}

// Its binary cache is kept only when keepCache says so: apt trusts it by size
// and time of the lists, which tests that rewrite them defeat.
func newSystem(tb testing.TB, arch string, keepCache bool) *system {
	tb.Helper()
	s := &system{dir: tb.TempDir(), aptGet: oracle.Need(tb, "apt-get")}
	for _, d := range []string{"etc/apt.conf.d", "etc/preferences.d", "etc/trusted.gpg.d", "state/lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(s.dir, d), 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	s.write(tb, "apt.conf", fmt.Sprintf(`Dir "%[1]s"; Dir::State "%[1]s/state"; Dir::State::status "%[1]s/status";
Dir::Etc "%[1]s/etc"; Dir::Cache "%[1]s/cache"; APT::Architecture "%[2]s"; APT::Architectures { "%[2]s"; };
Acquire::Languages "none"; Debug::NoLocking "true"; Debug::pkgProblemResolver "true";
`, s.dir, arch))
	if !keepCache {
		s.write(tb, "etc/apt.conf.d/cache", `Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";`)
	}
	s.write(tb, "etc/sources.list", "deb [trusted=yes] http://archive.invalid/ ./\ndeb [trusted=yes] http://updates.invalid/ ./\n")
	s.setInstalled(tb, nil)
	return s
}

func (s *system) write(tb testing.TB, name, content string) {
	tb.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o644); err != nil {
		tb.Fatal(err)
	}
}

// The lists of the system's two archives, in the order of its sources.
const (
	listName       = "state/lists/archive.invalid_._Packages"
	secondListName = "state/lists/updates.invalid_._Packages"
)

// setInstalled makes the system have packages.
func (s *system) setInstalled(tb testing.TB, installed []apt.Package) {
	tb.Helper()
	var b strings.Builder
	for _, p := range installed {
		b.WriteString(stanza(p, "Status: install ok installed\n"))
	}
	s.write(tb, "status", b.String())
}

// stanza is a package in deb822 form.
func stanza(p apt.Package, more string) string {
	var b strings.Builder
	for _, f := range []struct{ name, value string }{
		{"Package", p.Name},
		{"Version", p.Version},
		{"Architecture", p.Arch},
		{"Multi-Arch", p.MultiArch},
		{"Priority", p.Priority},
		{"Section", p.Section},
		{"Pre-Depends", p.PreDepends},
		{"Depends", p.Depends},
		{"Recommends", p.Recommends},
		{"Suggests", p.Suggests},
		{"Conflicts", p.Conflicts},
		{"Breaks", p.Breaks},
		{"Provides", p.Provides},
		{"Filename", p.Filename},
		{"SHA256", p.SHA256},
	} {
		if f.value != "" {
			fmt.Fprintf(&b, "%s: %s\n", f.name, f.value)
		}
	}
	if p.Source != "" && (p.Source != p.Name || p.SourceVersion != p.Version) {
		fmt.Fprintf(&b, "Source: %s (%s)\n", p.Source, p.SourceVersion)
	}
	if p.Essential {
		b.WriteString("Essential: yes\n")
	}
	if p.Protected {
		b.WriteString("Protected: yes\n")
	}
	size := p.Size
	if size == 0 {
		size = 1
	}
	fmt.Fprintf(&b, "Size: %d\nDescription: %s\nMaintainer: nobody <nobody@example.org>\n%s\n", size, p.Name, more)
	return b.String()
}

func (s *system) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, s.aptGet, append([]string{"-q", "--print-uris", "--no-install-recommends", "install"}, args...)...)
	cmd.Env = []string{"APT_CONFIG=" + filepath.Join(s.dir, "apt.conf"), "PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// outcome is what apt-get would do.
type outcome struct {
	added   []string // "name version", sorted
	removes bool     // something installed
	// resolved reports that the first plan did not fit and apt's problem
	// resolver found another one.
	resolved bool
}

// String is the list of what is added, or "refused".
func (o outcome) String() string { return verdict(o.added, o.removes, nil) }

// verdict is the outcome of installing names: what is added, or "refused".
func verdict(added []string, removes bool, err error) string {
	if err != nil || removes {
		return "refused"
	}
	return strings.Join(added, ", ")
}

// install asks apt-get. --print-uris stops after the decision: a cycle of
// Pre-Depends that apt would then trip over is not its subject.
func (s *system) install(ctx context.Context, names []string) (outcome, error) {
	out, err := s.run(ctx, names...)
	if err != nil {
		return outcome{}, fmt.Errorf("%w: %s", err, out)
	}
	var o outcome
	for line := range strings.Lines(out) {
		if broken, ok := strings.CutPrefix(line, "Starting 2 pkgProblemResolver with broken count: "); ok {
			o.resolved = strings.TrimSpace(broken) != "0"
		}
		if !strings.HasPrefix(line, "'") {
			o.removes = o.removes || strings.Contains(line, "will be REMOVED")
			continue
		}
		file := strings.SplitN(strings.Fields(line)[1], "_", 3)
		o.added = append(o.added, file[0]+" "+strings.ReplaceAll(file[1], "%3a", ":"))
	}
	slices.Sort(o.added)
	return o, nil
}

// load makes an index of the text of Packages files.
func load(tb testing.TB, arch string, texts ...string) *apt.Index {
	tb.Helper()
	var files []apt.File
	for i, text := range texts {
		files = append(files, apt.File{
			Archive: "debian", Suite: fmt.Sprintf("suite%d", i), Component: "main", Arch: arch,
			Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil },
		})
	}
	ix, err := apt.Load(tb.Context(), nil, files, arch)
	if err != nil {
		tb.Fatal(err)
	}
	return ix
}

func labels(packages []apt.Package) []string {
	var out []string
	for _, p := range packages {
		out = append(out, p.Name+" "+p.Version)
	}
	slices.Sort(out)
	return out
}

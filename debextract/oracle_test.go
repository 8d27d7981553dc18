package debextract

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/oracle"
	"github.com/pgext/pgext/internal/testmirror"
)

// sample returns about n small packages of a suite, as many of each section
// as there is room for, chosen by digest: the same ones as long as the suite
// does not change.
func sample(tb testing.TB, suite string, n int) []testmirror.Package {
	tb.Helper()
	sections := make(map[string][]testmirror.Package)
	for _, p := range testmirror.All(tb, suite, "amd64") {
		if p.Size <= 100<<10 {
			sections[p.Section] = append(sections[p.Section], p)
		}
	}
	var out []testmirror.Package
	for _, packages := range sections {
		slices.SortFunc(packages, func(a, b testmirror.Package) int { return cmp.Compare(a.SHA256, b.SHA256) })
		out = append(out, packages[:min(len(packages), 1+n/len(sections))]...)
	}
	slices.SortFunc(out, func(a, b testmirror.Package) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func TestAgreesWithDpkgDeb(t *testing.T) {
	program := oracle.Need(t, "dpkg-deb")
	var packages []testmirror.Package
	for _, suite := range []string{"forky", "bookworm"} {
		packages = append(packages, sample(t, suite, 110)...)
	}
	if len(packages) < 200 {
		t.Fatalf("%d packages are too few", len(packages))
	}
	kinds := make(map[string]int)
	for _, pkg := range packages {
		file := testmirror.Get(t, pkg.Filename, pkg.SHA256)
		t.Run(pkg.Name+"_"+pkg.Version, func(t *testing.T) {
			p := openFile(t, file)
			kinds[p.data.name]++
			t.Parallel()
			compareWithDpkg(t, program, file, p)
		})
	}
	t.Logf("data members: %v", kinds)
}

func openFile(tb testing.TB, file string) *Package {
	tb.Helper()
	f, err := os.Open(file)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		tb.Fatal(err)
	}
	p, err := Open(f, info.Size(), Options{AllowSetuid: true})
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func compareWithDpkg(t *testing.T, program, file string, p *Package) {
	t.Helper()
	control, err := p.Control()
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(dpkg(t, program, "-f", file), control.Paragraph.String()); diff != "" {
		t.Errorf("control paragraph (-dpkg-deb +ours):\n%s", diff)
	}
	if script, ok := control.Scripts["postinst"]; ok {
		if diff := gocmp.Diff(dpkg(t, program, "-I", file, "postinst"), script); diff != "" {
			t.Errorf("postinst (-dpkg-deb +ours):\n%s", diff)
		}
	}
	got, sums := verboseList(t, p)
	if diff := gocmp.Diff(parseVerboseList(dpkg(t, program, "-c", file)), got); diff != "" {
		t.Errorf("entries (-dpkg-deb +ours):\n%s", diff)
	}
	for line := range strings.Lines(control.Scripts["md5sums"]) {
		sum, name, _ := strings.Cut(strings.TrimRight(line, "\n"), "  ")
		if got := sums[name]; got != sum {
			t.Errorf("%s: md5 is %q, the package says %q", name, got, sum)
		}
	}
}

func dpkg(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "TZ=UTC0", "LC_ALL=C.UTF-8")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v: %s", cmd, err, stderr.Bytes())
	}
	return string(out)
}

// verboseList returns the entries in the form of parseVerboseList, and the
// MD5 of each file.
func verboseList(t *testing.T, p *Package) (lines []string, sums map[string]string) {
	t.Helper()
	sums = make(map[string]string)
	err := p.Walk(context.Background(), func(e Entry, r io.Reader) error {
		suffix, kind, size := "", "-", e.Size
		hash := md5.New()
		n, err := io.Copy(hash, r)
		if err != nil {
			return err
		}
		switch {
		case e.Kind == filetree.Dir:
			suffix, kind = "/", "d"
		case e.Kind == filetree.Symlink:
			suffix, kind = " -> "+e.Link, "l"
		case e.HardLink != "":
			suffix, kind, size = " link to ./"+e.HardLink, "h", 0
			sums[e.Path] = sums[e.HardLink]
		default:
			sums[e.Path] = hex.EncodeToString(hash.Sum(nil))
			if n != e.Size {
				return fmt.Errorf("%s: read %d bytes of %d", e.Path, n, e.Size)
			}
		}
		lines = append(lines, fmt.Sprintf("%s%s %d %s ./%s%s", kind, permissions(e.Mode), size,
			e.ModTime.Format("2006-01-02 15:04"), e.Path, suffix))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines, sums
}

// permissions writes a mode as tar and ls do.
func permissions(m fs.FileMode) string {
	out := []byte(m.Perm().String())[1:]
	for _, bit := range []struct {
		mode fs.FileMode
		at   int
		with byte
	}{{fs.ModeSetuid, 2, 's'}, {fs.ModeSetgid, 5, 's'}, {fs.ModeSticky, 8, 't'}} {
		if m&bit.mode == 0 {
			continue
		}
		if out[bit.at] == '-' {
			bit.with -= 'a' - 'A'
		}
		out[bit.at] = bit.with
	}
	return string(out)
}

// parseVerboseList drops the owner and the root from what dpkg-deb -c writes,
// and undoes tar's quoting.
func parseVerboseList(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		f := strings.SplitN(strings.Join(strings.Fields(line), " "), " ", 3) // mode, owner, the rest
		if strings.HasSuffix(line, " ./\n") {
			continue
		}
		rest := f[2]
		if plain, err := strconv.Unquote(`"` + strings.ReplaceAll(rest, `"`, `\"`) + `"`); err == nil {
			rest = plain
		}
		out = append(out, f[0]+" "+rest)
	}
	return out
}

// TestReadsWhatDpkgDebBuilds covers the compressions that the archive's own
// packages no longer use.
func TestReadsWhatDpkgDebBuilds(t *testing.T) {
	program := oracle.Need(t, "dpkg-deb")
	root := t.TempDir()
	for name, content := range map[string]string{
		"DEBIAN/control": "Package: x\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: x\n",
		"usr/share/x":    strings.Repeat("content\n", 1000),
	} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, compression := range []string{"none", "gzip", "xz", "zstd"} {
		t.Run(compression, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "x.deb")
			dpkg(t, program, "--root-owner-group", "--uniform-compression", "-Z"+compression, "-b", root, file)
			compareWithDpkg(t, program, file, openFile(t, file))
		})
	}
}

// TestRelationsOfTheArchive holds that what the archive writes as relations is
// read as it is written.
func TestRelationsOfTheArchive(t *testing.T) {
	for _, p := range testmirror.All(t, "forky", "amd64") {
		relations, err := debian.ParseRelations(p.Depends)
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		var text []string
		for _, r := range relations {
			text = append(text, r.String())
		}
		if got := strings.Join(text, ", "); got != p.Depends {
			t.Errorf("%s: Depends %q became %q", p.Name, p.Depends, got)
		}
	}
}

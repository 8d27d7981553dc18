package testmirror

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgext/pgext/internal/oracle"
)

// Source is a stanza of a Sources index.
type Source struct {
	Name, Version string
	// Binaries are the packages that are built from it.
	Binaries []string
	// folder is below the mirror's root; paragraph is all that the index says.
	folder, paragraph string
	files             []sourceFile
}

type sourceFile struct{ name, sha256 string }

// Sources returns the source packages of the main component of suite, by name;
// the newest of a name comes last in the index and wins.
func Sources(tb testing.TB, suite string) map[string]Source {
	tb.Helper()
	sum := releaseSum(tb, suite, "main/source/Sources.gz")
	plain := filepath.Join(cacheDir(tb), sum+".plain")
	if _, err := os.Stat(plain); err != nil {
		packed := Get(tb, "dists/"+suite+"/main/source/by-hash/SHA256/"+sum, sum)
		if err := gunzip(packed, plain); err != nil {
			tb.Fatal(err)
		}
	}
	text, err := os.ReadFile(plain)
	if err != nil {
		tb.Fatal(err)
	}
	all := map[string]Source{}
	for paragraph := range strings.SplitSeq(string(text), "\n\n") {
		if s := parseSource(paragraph); s.Name != "" {
			all[s.Name] = s
		}
	}
	return all
}

func parseSource(paragraph string) Source {
	s := Source{paragraph: strings.TrimSpace(paragraph)}
	field := ""
	for line := range strings.Lines(paragraph) {
		value := strings.TrimSpace(line)
		if !strings.HasPrefix(line, " ") {
			field, value, _ = strings.Cut(value, ":")
			value = strings.TrimSpace(value)
		}
		switch field {
		case "Package":
			s.Name = value
		case "Version":
			s.Version = value
		case "Directory":
			s.folder = value
		case "Binary":
			s.Binaries = append(s.Binaries, strings.Fields(strings.ReplaceAll(value, ",", " "))...)
		case "Checksums-Sha256":
			if f := strings.Fields(value); len(f) == 3 {
				s.files = append(s.files, sourceFile{f[2], f[0]})
			}
		}
	}
	return s
}

// Tree is how much of a source package a mirror has.
type Tree int

// The kinds of trees. A mirror may have dropped what a newer version of the
// package does without.
const (
	// NoTree reports that the mirror has none.
	NoTree Tree = iota
	// Upstream is the upstream archive alone.
	Upstream
	// Patched is the whole source package, with the distribution's patches
	// applied.
	Patched
)

// Unpack unpacks a source package into dir, which does not exist yet. Every
// file is verified against the index.
func (s Source) Unpack(tb testing.TB, dir string) Tree {
	tb.Helper()
	oracle.Need(tb, "dpkg-source")
	work := tb.TempDir()
	upstream, complete := "", true
	for _, f := range s.files {
		if strings.HasSuffix(f.name, ".dsc") || strings.HasSuffix(f.name, ".asc") {
			continue
		}
		switch err := s.fetch(tb, f, work); {
		case err == nil && strings.Contains(f.name, ".orig.tar."):
			upstream = f.name
		case err != nil && unreachable(err):
			oracle.Missing(tb, "debian-mirror", "out of reach: "+err.Error())
		case err != nil:
			complete = false
		}
	}
	switch {
	case complete && len(s.files) > 0:
		runIn(tb, work, "dpkg-source", "--no-check", "-x", s.dsc(tb, work), dir)
		return Patched
	case upstream != "":
		if err := os.Mkdir(dir, 0o755); err != nil {
			tb.Fatal(err)
		}
		runIn(tb, work, "tar", "-x", "-f", upstream, "-C", dir, "--strip-components=1")
		return Upstream
	}
	return NoTree
}

// fetch puts a file into a folder under its own name.
func (s Source) fetch(tb testing.TB, f sourceFile, folder string) error {
	tb.Helper()
	cached := filepath.Join(cacheDir(tb), f.sha256)
	if _, err := os.Stat(cached); errors.Is(err, fs.ErrNotExist) {
		if err := fetch(tb.Context(), URL(tb)+"/"+s.folder+"/"+f.name, cached, f.sha256); err != nil {
			return err
		}
	}
	return os.Symlink(cached, filepath.Join(folder, f.name))
}

// dsc writes what dpkg-source wants to be told: the index's paragraph under
// another name.
func (s Source) dsc(tb testing.TB, folder string) string {
	tb.Helper()
	var out strings.Builder
	skip := false
	for line := range strings.Lines(s.paragraph) {
		name, value, field := strings.Cut(line, ":")
		if !strings.HasPrefix(line, " ") && field {
			skip = name == "Directory" || name == "Priority" || name == "Section"
			if name == "Package" {
				line = "Source:" + value
			}
		}
		file := strings.HasSuffix(strings.TrimSpace(line), ".dsc") || strings.HasSuffix(strings.TrimSpace(line), ".asc")
		if !skip && !file {
			out.WriteString(line)
		}
	}
	name := s.Name + ".dsc"
	if err := os.WriteFile(filepath.Join(folder, name), []byte(out.String()+"\n"), 0o644); err != nil {
		tb.Fatal(err)
	}
	return name
}

func runIn(tb testing.TB, dir, program string, args ...string) {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), program, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatal(fmt.Errorf("%s: %w\n%s", program, err, out))
	}
}

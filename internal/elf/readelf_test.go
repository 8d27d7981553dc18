package elf_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/elf/elftest"
	"github.com/pgext/pgext/internal/oracle"
	"github.com/pgext/pgext/internal/testmirror"
)

// sample is how many of this machine's ELF files readelf is asked about.
const sample = 400

// readelf and Read agree about the ELF files that are installed here.
func TestReadelfAgrees(t *testing.T) {
	readelf := oracle.Need(t, "readelf")
	files := slices.Concat(installed(t), built(t), foreign(t))
	t.Logf("%d files", len(files))
	const batch = 50
	for len(files) > 0 {
		now := files[:min(batch, len(files))]
		files = files[len(now):]
		args := append([]string{"--wide", "-h", "-l", "-d", "-V"}, now...)
		// readelf complains about features of other machines by its exit code.
		out, _ := exec.CommandContext(t.Context(), readelf, args...).Output()
		said := perFile(string(out))
		for _, name := range now {
			got, err := readFile(name)
			if err != nil {
				t.Errorf("Read(%s): %v", name, err)
				continue
			}
			if diff := cmp.Diff(said[name], summary(got)); diff != "" {
				t.Errorf("%s (-readelf +Read):\n%s", name, diff)
			}
		}
	}
}

// built returns files of elftest's, one for each kind of machine.
func built(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	var out []string
	for _, arch := range []string{"amd64", "armhf", "ppc64", "powerpc", "s390x", "x32"} {
		name := filepath.Join(dir, arch+".so")
		b := elftest.Build(elftest.Spec{
			Arch: arch, SONAME: "lib" + arch, Needed: []string{"libc.so.6"}, Rpath: []string{"/a"}, Runpath: []string{"/b", "/c"},
			Interp: "/lib/ld.so", Versions: map[string][]string{"libc.so.6": {"GLIBC_2.4"}}, Defines: []string{"D_1"},
		})
		if err := os.WriteFile(name, b, 0o644); err != nil {
			t.Fatal(err)
		}
		out = append(out, name)
	}
	return out
}

// foreign returns the files of packages for another machine.
func foreign(t *testing.T) []string {
	t.Helper()
	dpkgDeb := oracle.Need(t, "dpkg-deb")
	dir := t.TempDir()
	packages := []string{"libc6", "libstdc++6", "postgresql-18-postgis-3"}
	for _, p := range testmirror.All(t, "forky", "arm64") {
		if !slices.Contains(packages, p.Name) {
			continue
		}
		deb := testmirror.Get(t, p.Filename, p.SHA256)
		if out, err := exec.CommandContext(t.Context(), dpkgDeb, "-x", deb, dir).CombinedOutput(); err != nil {
			t.Fatalf("unpacking %s: %v\n%s", p.Name, err, out)
		}
	}
	var out []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		if o, err := readFile(name); err == nil {
			out = append(out, name)
			if o.Arch != "arm64" {
				t.Errorf("Read(%s).Arch = %q, want arm64", name, o.Arch)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// Hundreds of them are character conversions that differ little.
	return slices.DeleteFunc(out, func(name string) bool { return strings.Contains(name, "/gconv/") })
}

// installed returns libraries and programs of this machine, evenly spread.
func installed(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, dir := range []string{"/usr/lib", "/usr/bin", "/usr/sbin"} {
		err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || (dir == "/usr/lib" && !strings.Contains(name, ".so")) {
				return nil //nolint:nilerr // what this user cannot read is no sample
			}
			if _, err := readFile(name); !errors.Is(err, elf.ErrNotELF) && !errors.Is(err, fs.ErrPermission) {
				all = append(all, name)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(all) == 0 {
		oracle.Missing(t, "usr", "without ELF files")
	}
	step := max(1, len(all)/sample)
	var out []string
	for i := 0; i < len(all); i += step {
		out = append(out, all[i])
	}
	return out
}

func readFile(name string) (elf.Object, error) {
	f, err := os.Open(name)
	if err != nil {
		return elf.Object{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return elf.Object{}, err
	}
	return elf.Read(f, info.Size())
}

// summary tells an Object in the lines that perFile finds.
func summary(o elf.Object) []string {
	typ := map[string]string{"dyn": "DYN", "exec": "EXEC", "rel": "REL", "core": "CORE"}[o.Type]
	out := []string{"class " + strings.TrimPrefix(o.Class.String(), "ELFCLASS"), "type " + typ}
	add := func(key, value string) {
		if value != "" {
			out = append(out, key+" "+value)
		}
	}
	add("interp", o.Interp)
	for _, n := range o.Needed {
		add("needed", n)
	}
	add("soname", o.SONAME)
	add("rpath", strings.Join(o.Rpath, ":"))
	add("runpath", strings.Join(o.Runpath, ":"))
	for _, d := range o.Defines {
		add("define", d)
	}
	for _, n := range o.Versions {
		add("from", n.Library)
		for _, v := range n.Versions {
			add("need", v)
		}
		for _, v := range n.Weak {
			add("weak", v)
		}
	}
	return out
}

// patterns find the same facts in readelf's output.
var patterns = []struct {
	key string
	re  *regexp.Regexp
}{
	{"class", regexp.MustCompile(`(?m)^  Class: +ELF(\d+)`)},
	{"type", regexp.MustCompile(`(?m)^  Type: +(\w+)`)},
	{"interp", regexp.MustCompile(`(?m)Requesting program interpreter: (.*)\]$`)},
	{"needed", regexp.MustCompile(`(?m)\(NEEDED\) +Shared library: \[(.*)\]$`)},
	{"soname", regexp.MustCompile(`(?m)\(SONAME\) +Library soname: \[(.*)\]$`)},
	{"rpath", regexp.MustCompile(`(?m)\(RPATH\) +Library rpath: \[(.*)\]$`)},
	{"runpath", regexp.MustCompile(`(?m)\(RUNPATH\) +Library runpath: \[(.*)\]$`)},
	{"define", regexp.MustCompile(`(?m)Rev: 1  Flags: .*  Name: (\S+)$`)},
}

var (
	needFile    = regexp.MustCompile(`Version: 1  File: (\S+)  Cnt: \d+`)
	needVersion = regexp.MustCompile(`Name: (\S+)  Flags: (\w+(?: \| \w+)*) +Version: \d+`)
)

// perFile parses what readelf prints about several files.
func perFile(out string) map[string][]string {
	said := map[string][]string{}
	for part := range strings.SplitSeq("\n"+out, "\nFile: ") {
		name, text, _ := strings.Cut(part, "\n")
		var lines []string
		for _, p := range patterns {
			for _, m := range p.re.FindAllStringSubmatch(text, -1) {
				lines = append(lines, p.key+" "+m[1])
			}
		}
		said[name] = append(lines, needs(text)...)
	}
	return said
}

func needs(text string) []string {
	var out, weak []string
	for line := range strings.Lines(text) {
		if m := needFile.FindStringSubmatch(line); m != nil {
			out = append(append(out, weak...), "from "+m[1])
			weak = nil
		}
		if m := needVersion.FindStringSubmatch(line); m != nil {
			if strings.Contains(m[2], "WEAK") {
				weak = append(weak, "weak "+m[1])
			} else {
				out = append(out, fmt.Sprintf("need %s", m[1]))
			}
		}
	}
	return append(out, weak...)
}

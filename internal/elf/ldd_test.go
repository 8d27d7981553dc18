package elf_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/oracle"
)

// The loader of this machine and Close agree about what programs load.
func TestLddAgrees(t *testing.T) {
	ldd := oracle.Need(t, "ldd")
	self, err := readFile("/proc/self/exe")
	if err != nil {
		oracle.Missing(t, "procfs", "not showing programs as ELF files")
	}
	var offered []elf.Provider
	for _, pattern := range []string{"/usr/lib/*-linux-gnu*/*.so*", "/usr/lib/*.so*", "/lib64/*.so*"} {
		for _, name := range glob(t, pattern) {
			if o, err := readFile(name); err == nil {
				offered = append(offered, elf.NewProvider("", name, o))
			}
		}
	}
	programs := glob(t, "/usr/bin/*")
	asked := 0
	for i := 0; i < len(programs) && asked < 25; i += max(1, len(programs)/60) {
		o, err := readFile(programs[i])
		if err != nil || len(o.Needed) == 0 || o.Arch != self.Arch || len(o.Rpath)+len(o.Runpath) > 0 {
			continue
		}
		out, err := exec.CommandContext(t.Context(), ldd, programs[i]).Output()
		if err != nil {
			continue
		}
		asked++
		c := elf.Close(elf.Input{Arch: self.Arch, Roots: []elf.Root{{Path: programs[i], Object: o}}, Offered: offered})
		var got []string
		for _, p := range c.Bundled {
			got = append(got, p.SONAME)
		}
		if diff := cmp.Diff(loads(string(out)), got); diff != "" {
			t.Errorf("%s (-ldd +Close):\n%s", programs[i], diff)
		}
		if len(c.VersionGaps)+len(c.Missing) > 0 {
			t.Errorf("%s runs here, but Close finds gaps %v, missing %v", programs[i], c.VersionGaps, c.Missing)
		}
	}
	if asked == 0 {
		t.Error("found no program to ask about")
	}
}

// loads returns the sorted names that ldd prints, without what the kernel
// itself maps.
func loads(out string) []string {
	var names []string
	for line := range strings.Lines(out) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name = filepath.Base(name); name != "." && !strings.HasPrefix(name, "linux-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(names, func(name string) bool {
		info, err := os.Stat(name)
		return err != nil || !info.Mode().IsRegular()
	})
}

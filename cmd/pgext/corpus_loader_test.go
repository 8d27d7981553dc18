//go:build corpus && linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/oracle"
)

// unpacked is an image whose layers tar has unpacked over each other.
type unpacked struct {
	dir      string
	manifest *v1.Manifest
	metadata metadata.Metadata
}

func unpackImage(t *testing.T, img v1.Image, layout string) unpacked {
	t.Helper()
	u := unpacked{dir: t.TempDir()}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if u.metadata, err = metadata.Decode([]byte(config.Config.Labels[metadata.Label])); err != nil {
		t.Fatal(err)
	}
	if u.manifest, err = img.Manifest(); err != nil {
		t.Fatal(err)
	}
	for _, l := range u.manifest.Layers {
		blob := filepath.Join(layout, "blobs", "sha256", l.Digest.Hex)
		if out, err := exec.CommandContext(t.Context(), oracle.Need(t, "tar"), "-xzf", blob, "-C", u.dir).CombinedOutput(); err != nil {
			t.Fatalf("tar: %v\n%s", err, out)
		}
	}
	return u
}

// elfFiles are the paths of the ELF files, relative to the image.
func (u unpacked) elfFiles(t *testing.T) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(u.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		defer f.Close()
		magic := make([]byte, 4)
		if n, _ := f.Read(magic); n == 4 && string(magic) == "\x7fELF" {
			rel, err := filepath.Rel(u.dir, p)
			out = append(out, rel)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// checkLoader asks for every ELF file of an image, whether all that it needs
// is there: the dynamic loader itself for amd64, readelf for the other one. No
// other image is there, so nothing may be counted on that one of those has.
// Without the bundled libraries something has to be missing, where there is one
// that an ELF file needs.
func (c *corpus) checkLoader(t *testing.T, u unpacked, m corpusArch, name string) {
	t.Helper()
	arch, files := m.arch, u.elfFiles(t)
	if len(u.metadata.Modules) > 0 && len(files) == 0 {
		t.Errorf("%s: modules %v and no ELF file", arch, u.metadata.Modules)
	}
	ask := c.askReadelf
	if arch == "amd64" {
		ask = c.askLoader
		mount := filepath.Join(c.roots[arch], "extensions", name)
		if err := os.MkdirAll(filepath.Dir(mount), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := exec.CommandContext(t.Context(), "cp", "-a", u.dir, mount).Run(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(mount) })
	}
	for _, problem := range ask(t, u, arch, files, u.metadata.LDLibraryPath) {
		t.Errorf("%s: %s", arch, problem)
	}
	if m.needed && len(ask(t, u, arch, files, nil)) == 0 {
		t.Errorf("%s: nothing is missing without %v", arch, u.metadata.LDLibraryPath)
	}
}

// askLoader runs the dynamic loader of the base's root file system, in which
// the image is mounted, with LD_LIBRARY_PATH as CloudNativePG sets it.
func (c *corpus) askLoader(t *testing.T, u unpacked, arch string, files, search []string) (problems []string) {
	t.Helper()
	mount := path.Join("/extensions", u.metadata.Name)
	var folders []string
	for _, p := range search {
		folders = append(folders, path.Join(mount, p))
	}
	for _, f := range files {
		cmd := exec.CommandContext(t.Context(), "/lib64/ld-linux-x86-64.so.2", "--list", path.Join(mount, f))
		cmd.Dir, cmd.Env = "/", []string{"LD_LIBRARY_PATH=" + strings.Join(folders, ":")}
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: c.roots[arch]}
		if uid := os.Getuid(); uid != 0 {
			cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
			cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
		}
		out, err := cmd.CombinedOutput()
		if err != nil || bytes.Contains(out, []byte("not found")) {
			problems = append(problems, fmt.Sprintf("%s: the dynamic loader: %v\n%s", f, err, out))
		}
	}
	return problems
}

// askReadelf looks for everything that readelf says is needed, by its file
// name: in the folders of the library path, then in the base's.
func (c *corpus) askReadelf(t *testing.T, u unpacked, arch string, files, search []string) (problems []string) {
	t.Helper()
	architecture, _ := debian.LookupArchitecture(arch)
	folders := []string{filepath.Join(c.roots[arch], "usr/lib", architecture.Tuple), filepath.Join(c.roots[arch], "usr/lib")}
	for _, p := range search {
		folders = append(folders, filepath.Join(u.dir, p))
	}
	for _, f := range files {
		out, err := exec.CommandContext(t.Context(), oracle.Need(t, "readelf"), "-dW", filepath.Join(u.dir, f)).Output()
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s: readelf: %v", f, err))
		}
		for line := range strings.Lines(string(out)) {
			_, needed, ok := strings.Cut(line, "Shared library: [")
			if needed = strings.TrimRight(needed, "]\n"); ok && strings.Contains(line, "(NEEDED)") && !inFolders(folders, needed) {
				problems = append(problems, fmt.Sprintf("%s needs %s, which neither the image nor the base has", f, needed))
			}
		}
	}
	return problems
}

func inFolders(folders []string, name string) bool {
	for _, dir := range folders {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

// measure takes the sizes of one architecture's image.
func (u unpacked) measure(t *testing.T, c *corpus, built builder.Image, arch string) corpusArch {
	t.Helper()
	m := corpusArch{arch: arch, extension: u.manifest.Layers[len(u.manifest.Layers)-1].Size}
	if len(u.manifest.Layers) > 1 {
		m.libraries = u.manifest.Layers[0].Size
	}
	data, err := os.ReadFile(filepath.Join(c.dir, "dist", built.Name, built.Tags[0]+"-"+arch+".report.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &m.report); err != nil {
		t.Fatal(err)
	}
	for _, p := range m.report.Packages {
		for _, f := range p.Files {
			info, err := os.Lstat(filepath.Join(u.dir, f.To))
			if err != nil {
				t.Errorf("%s: the report names %s: %v", arch, f.To, err)
				continue
			}
			if !info.Mode().IsRegular() {
				continue
			}
			m.needed = m.needed || len(f.NeededBy) > 0
			switch {
			case strings.HasPrefix(f.To, "system/"):
				m.bundled, m.bundledSize = m.bundled+1, m.bundledSize+info.Size()
			case f.Action == "bundled":
				m.data += info.Size()
			}
			m.largest = append(m.largest, corpusFile{f, p.Package, info.Size()})
		}
	}
	m.largest = largest(m.largest, 10)
	return m
}

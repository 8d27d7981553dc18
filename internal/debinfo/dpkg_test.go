package debinfo

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/oracle"
	"github.com/pgext/pgext/internal/testmirror"
)

// Scan and dpkg-deb list the same entries of real packages: one with set-user-ID
// programs, one with hard links, an extension.
func TestDpkgDebAgrees(t *testing.T) {
	const arch = "arm64"
	dpkgDeb := oracle.Need(t, "dpkg-deb")
	names := []string{"passwd", "perl-base", "postgresql-18-postgis-3"}
	for _, p := range testmirror.All(t, "forky", arch) {
		if !slices.Contains(names, p.Name) {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			deb := testmirror.Get(t, p.Filename, p.SHA256)
			c, requests := filled(t, []string{deb})
			got := scan(t, c, requests[0].SHA256, nil)
			want, objects := listing(t, dpkgDeb, deb)
			if diff := cmp.Diff(want, lines(got.Tree)); diff != "" {
				t.Errorf("tree (-dpkg-deb +Scan):\n%s", diff)
			}
			for _, name := range objects {
				o, ok := got.Objects[name]
				if !ok || o.Arch != arch {
					t.Errorf("Objects[%s] = %+v, %v; want one for %s", name, o, ok, arch)
				}
			}
			if len(got.Objects) != len(objects) || len(got.Malformed) > 0 {
				t.Errorf("%d objects, want %d; malformed %v", len(got.Objects), len(objects), got.Malformed)
			}
		})
	}
}

func lines(t filetree.Tree) []string {
	var out []string
	for e := range t.All() {
		out = append(out, line(e))
	}
	return out
}

func line(e filetree.Entry) string {
	return fmt.Sprintf("%s %s %v %d %d %s %s", e.Kind, e.Path, e.Mode, e.ModTime.Unix(), e.Size, e.SHA256, e.Link)
}

// listing returns what the tar archive holds that dpkg-deb makes of a package,
// and which of its files start as ELF files.
func listing(t *testing.T, dpkgDeb, deb string) (entries, objects []string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), dpkgDeb, "--fsys-tarfile", deb).Output()
	if err != nil {
		t.Fatal(err)
	}
	const bits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
	files := map[string]filetree.Entry{}
	elf := map[string]bool{}
	for r := tar.NewReader(bytes.NewReader(out)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		name := path.Clean(h.Name)
		e := filetree.Entry{Path: name, Mode: h.FileInfo().Mode() & bits, ModTime: h.ModTime}
		switch h.Typeflag {
		case tar.TypeDir:
			e.Kind = filetree.Dir
		case tar.TypeSymlink:
			e.Kind, e.Link = filetree.Symlink, h.Linkname
		case tar.TypeLink:
			target := path.Clean(h.Linkname)
			e.Size, e.SHA256 = files[target].Size, files[target].SHA256
			elf[name] = elf[target]
		default:
			digest := sha256.Sum256(data)
			e.Size, e.SHA256 = h.Size, hex.EncodeToString(digest[:])
			elf[name] = strings.HasPrefix(string(data), "\x7fELF")
		}
		files[name] = e
	}
	delete(files, ".")
	for name, e := range files {
		entries = append(entries, line(e))
		if elf[name] {
			objects = append(objects, name)
		}
	}
	slices.SortFunc(entries, func(a, b string) int { return strings.Compare(strings.Fields(a)[1], strings.Fields(b)[1]) })
	return entries, objects
}

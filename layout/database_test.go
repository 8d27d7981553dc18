package layout

import (
	"crypto/md5"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDatabase checks that the package database of each layer lists the packages and
// files in the layer.
func TestDatabase(t *testing.T) {
	in := geo(t)
	in.Distro = "forky"
	// For unchanged files the digests of the package are used.
	in.Packages[2].Scripts = map[string]string{"md5sums": strings.Join([]string{
		"00000000000000000000000000000001  usr/lib/postgresql/18/lib/geo-3.so",
		"00000000000000000000000000000002  usr/share/postgresql/18/extension/geo--3.0--3.1.sql",
	}, "\n") + "\n"}
	r := arrange(t, in)

	for path, want := range map[string]string{
		"usr/lib/os-release":                      "NAME=\"Debian GNU/Linux\"\nID=debian\nVERSION_CODENAME=forky\nVERSION_ID=\"14\"\n",
		"var/lib/dpkg/status.d/postgresql-18-geo": in.Packages[2].Control.String(),
	} {
		if diff := cmp.Diff(want, content(t, r.Extension, path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	sums := content(t, r.Extension, "var/lib/dpkg/status.d/postgresql-18-geo.md5sums")
	rewritten := fmt.Sprintf("%x  share/extension/geo--3.0--3.1.sql\n", md5.Sum([]byte(content(t, r.Extension, "share/extension/geo--3.0--3.1.sql"))))
	for _, line := range []string{"00000000000000000000000000000001  lib/geo-3.so\n", rewritten} {
		if !strings.Contains(sums, line) {
			t.Errorf("md5sums lacks %q:\n%s", line, sums)
		}
	}
	for _, path := range []string{"libgeo1", "proj-data", "libgeo1.md5sums", "proj-data.md5sums"} {
		if _, ok := r.Libraries.Get("var/lib/dpkg/status.d/" + path); !ok {
			t.Errorf("the library layer has no status.d/%s", path)
		}
		if _, ok := r.Extension.Get("var/lib/dpkg/status.d/" + path); ok {
			t.Errorf("the extension layer has status.d/%s", path)
		}
	}
}

func TestVersionID(t *testing.T) {
	for codename, want := range map[string]string{"bookworm": "12", "trixie": "13", "forky": "14", "sid": "", "": "", "14": ""} {
		if got := VersionID(codename); got != want {
			t.Errorf("%q: got %q, want %q", codename, got, want)
		}
	}
}

func TestDescribedBy(t *testing.T) {
	for path, want := range map[string]string{
		"var/lib/dpkg/status.d/libgeo1":         "libgeo1",
		"var/lib/dpkg/status.d/libgeo1.md5sums": "libgeo1",
		"var/lib/dpkg/status":                   "",
		"usr/lib/os-release":                    "",
	} {
		if got := DescribedBy(path); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

func TestChanged(t *testing.T) {
	for _, tt := range []struct {
		name string
		file FileReport
		want bool
	}{
		{"unchanged", FileReport{Action: Placed}, false},
		{"a library", FileReport{Action: Bundled, Reason: "needed"}, false},
		{"rewritten", FileReport{Action: Rewritten}, true},
		{"a link of a maintainer script", FileReport{Action: Placed, Reason: byAlternatives + " libblas.so.3"}, true},
	} {
		if got := tt.file.Changed(); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

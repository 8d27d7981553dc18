package archive_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/pgext/pgext/internal/archive"
)

func TestBuiltin(t *testing.T) {
	type shape struct {
		Suites, Optional []string
		Missing          bool
	}
	tests := []struct {
		name, distro string
		want         shape
	}{
		{"debian", "trixie", shape{Suites: []string{"trixie", "trixie-updates"}, Optional: []string{"trixie-updates"}}},
		{"debian", "forky", shape{Suites: []string{"forky", "forky-updates"}, Optional: []string{"forky-updates"}}},
		{"debian", "sid", shape{Suites: []string{"sid"}}},
		{"debian", "experimental", shape{Suites: []string{"sid", "experimental"}}},
		{"debian-security", "bookworm", shape{Suites: []string{"bookworm-security"}}},
		{"debian-security", "sid", shape{Missing: true}},
		{"debian-security", "experimental", shape{Missing: true}},
		{"pgdg", "trixie", shape{Suites: []string{"trixie-pgdg"}}},
		{"pgdg", "sid", shape{Suites: []string{"sid-pgdg"}}},
		{"pgdg", "experimental", shape{Missing: true}},
		{"ubuntu", "noble", shape{Missing: true}},
		{"debian", "../x", shape{Missing: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name+" "+tt.distro, func(t *testing.T) {
			a, err := archive.Builtin(tt.name, tt.distro)
			var invalid *archive.InvalidError
			if err != nil && (!errors.As(err, &invalid) || invalid.ExitCode() != 10) {
				t.Errorf("got error %v, want an InvalidError", err)
			}
			if diff := cmp.Diff(shape{a.Suites, a.Optional, err != nil}, tt.want); diff != "" {
				t.Errorf("archive (-got +want):\n%s", diff)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	tests := []struct {
		distro string
		want   []string
	}{
		{"bookworm", []string{"debian", "debian-security", "pgdg"}},
		{"trixie", []string{"debian", "debian-security", "pgdg"}},
		{"forky", []string{"debian", "debian-security"}},
		{"sid", []string{"debian"}},
		{"experimental", []string{"debian"}},
	}
	for _, tt := range tests {
		got := archive.Defaults(tt.distro)
		if diff := cmp.Diff(got, tt.want); diff != "" {
			t.Errorf("archives of %s (-got +want):\n%s", tt.distro, diff)
		}
		for _, name := range got {
			if _, err := archive.Builtin(name, tt.distro); err != nil {
				t.Errorf("%s for %s: %v", name, tt.distro, err)
			}
		}
	}
}

// The keys that may vouch for the built-in archives. Whoever changes the
// keyrings changes this list, and sees what they did.
func TestBuiltinKeys(t *testing.T) {
	tests := []struct {
		name string
		want []string
	}{
		{"debian", []string{
			"04B54C3CDCA79751B16BC6B5225629DF75B188BD Debian Archive Automatic Signing Key (13/trixie) <ftpmaster@debian.org>",
			"41587F7DB8C774BCCF131416762F67A0B2C39DE4 Debian Stable Release Key (13/trixie) <debian-release@lists.debian.org>",
			"4D64FEC119C2029067D6E791F8D2585B8783D481 Debian Stable Release Key (12/bookworm) <debian-release@lists.debian.org>",
			"B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8 Debian Archive Automatic Signing Key (12/bookworm) <ftpmaster@debian.org>",
		}},
		{"debian-security", []string{
			"05AB90340C0C5E797F44A8C8254CF3B5AEC0A8F0 Debian Security Archive Automatic Signing Key (12/bookworm) <ftpmaster@debian.org>",
			"5E04A1E3223A19A20706E20F9904613D4CCE68C6 Debian Security Archive Automatic Signing Key (13/trixie) <ftpmaster@debian.org>",
		}},
		{"pgdg", []string{"B97B0AFCAA1A47F044F244A07FCC7D46ACCC4CF8 PostgreSQL Debian Repository"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := archive.Builtin(tt.name, "trixie")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range archive.ReadKeyring(t, a.Keyring) {
				got = append(got, archive.Fingerprint(e)+" "+userID(e))
			}
			slices.Sort(got)
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Errorf("keys (-got +want):\n%s", diff)
			}
			for _, f := range archive.Unusable(t, a.Keyring, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)) {
				t.Errorf("key %s cannot verify anything", f)
			}
		})
	}
}

func userID(e *openpgp.Entity) string {
	for id := range e.Identities {
		return id
	}
	return ""
}

// What is embedded is what the provenance table says.
func TestKeyringProvenance(t *testing.T) {
	readme, err := os.ReadFile("keyrings/README.md")
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for _, pattern := range []string{"keyrings/*.pgp", "keyrings/*.asc"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(data)
			got[filepath.Base(name)] = hex.EncodeToString(sum[:])
		}
	}
	want := make(map[string]string)
	for _, row := range regexp.MustCompile("(?m)^\\| `(.*?)` .* `([0-9a-f]{64})` \\|$").FindAllStringSubmatch(string(readme), -1) {
		want[row[1]] = row[2]
	}
	if diff := cmp.Diff(got, want); diff != "" || len(want) == 0 {
		t.Errorf("SHA256 by file (-got +want):\n%s", diff)
	}
}

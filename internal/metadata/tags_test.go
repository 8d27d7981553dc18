package metadata

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// tagGrammar is the OCI distribution specification's.
var tagGrammar = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)

func TestTags(t *testing.T) {
	epoch := time.Date(2026, 3, 1, 23, 5, 59, 0, time.FixedZone("east", 3600))
	for _, tc := range []struct {
		name, version     string
		revision          int
		moving, immutable string
	}{
		{"format of CloudNativePG", "0.8.1", 0, "0.8.1-18-trixie", "0.8.1-202603012205-18-trixie"},
		{"revision", "0.8.1", 2, "0.8.1-18-trixie", "0.8.1-202603012205-18-trixie-r2"},
		{"characters of Debian versions", "1:2.0~rc1+dfsg", 0, "1-2.0-rc1-dfsg-18-trixie", "1-2.0-rc1-dfsg-202603012205-18-trixie"},
		{"no version", "", 0, "_18-trixie", "_202603012205-18-trixie"},
		{"long", strings.Repeat("9", 200), 0, strings.Repeat("9", 105) + "-18-trixie", strings.Repeat("9", 105) + "-202603012205-18-trixie"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			moving, immutable := Tags(tc.version, 18, "trixie", epoch, tc.revision)
			if moving != tc.moving || immutable != tc.immutable {
				t.Errorf("Tags() = %q, %q; want %q, %q", moving, immutable, tc.moving, tc.immutable)
			}
			if Immutable(moving) || !Immutable(immutable) {
				t.Errorf("Immutable() = %t, %t of %q, %q", Immutable(moving), Immutable(immutable), moving, immutable)
			}
		})
	}
}

func FuzzSanitizeTag(f *testing.F) {
	for _, s := range []string{"", "1.0", "-x", ".x", "1.0+ds~é", strings.Repeat("é", 100)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := SanitizeTag(s)
		if !tagGrammar.MatchString(got) {
			t.Errorf("SanitizeTag(%q) = %q, not a valid tag", s, got)
		}
		if again := SanitizeTag(got); again != got {
			t.Errorf("SanitizeTag(%q) = %q, not idempotent", got, again)
		}
		if tagGrammar.MatchString(s) && got != s {
			t.Errorf("SanitizeTag(%q) = %q, changed a valid tag", s, got)
		}
	})
}

func TestDescription(t *testing.T) {
	d := Description{
		Created: time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("east", 3600)),
		Version: "0.8.1", Title: "pgvector", Licenses: "PostgreSQL AND MIT", OwnLicenses: "PostgreSQL",
		BaseName: "cnpg-minimal", Postgres: 18, Distro: "trixie", SQLVersion: "0.8.1",
		Extra: map[string]string{"org.opencontainers.image.title": "mine", "x": "y"},
	}
	want := map[string]string{
		"org.opencontainers.image.created":    "2026-03-01T11:00:00Z",
		"org.opencontainers.image.version":    "0.8.1",
		"org.opencontainers.image.title":      "pgvector",
		"org.opencontainers.image.licenses":   "PostgreSQL AND MIT",
		"org.opencontainers.image.base.name":  "cnpg-minimal",
		"io.cloudnativepg.image.base.name":    "cnpg-minimal",
		"io.cloudnativepg.image.base.pgmajor": "18",
		"io.cloudnativepg.image.base.os":      "trixie",
		"io.cloudnativepg.image.sql.version":  "0.8.1",
		"io.pgext.metadata":                   postgisJSON,
	}
	labels, err := d.Labels(postgis())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(labels, want); diff != "" {
		t.Errorf("Labels() (-got +want):\n%s", diff)
	}
	if m, err := FromLabels(labels); err != nil || m.Name != "postgis" {
		t.Errorf("FromLabels() = %+v, %v", m, err)
	}
	delete(want, Label)
	want["org.opencontainers.image.title"], want["x"] = "mine", "y"
	if diff := cmp.Diff(d.Annotations(), want); diff != "" {
		t.Errorf("Annotations() (-got +want):\n%s", diff)
	}
	for _, tc := range []struct{ name, licenses, own, want string }{
		{"at the limit", strings.Repeat("x", 256), "MIT", strings.Repeat("x", 256)},
		{"too long", strings.Repeat("x", 257), "MIT", "MIT"},
		{"both too long", strings.Repeat("x", 257), strings.Repeat("y", 257), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := Description{Licenses: tc.licenses, OwnLicenses: tc.own}
			if got := d.Annotations()["org.opencontainers.image.licenses"]; got != tc.want {
				t.Errorf("licenses = %q, want %q", got, tc.want)
			}
		})
	}
}

// TestParseTag parses the output of Tags.
func TestParseTag(t *testing.T) {
	moving, fixed := Tags("1.2-rc1", 18, "trixie", time.Date(2026, 3, 5, 7, 9, 59, 0, time.UTC), 2)
	for _, tc := range []struct {
		tag  string
		want Tag
		ok   bool
	}{
		{moving, Tag{Version: "1.2-rc1"}, true},
		{fixed, Tag{Version: "1.2-rc1", Stamp: "202603050709", Revision: 2}, true},
		{"1.2-17-trixie", Tag{}, false},
		{"1.2-18-bookworm", Tag{}, false},
		{"18-trixie", Tag{}, false},
		{"latest", Tag{}, false},
		{"", Tag{}, false},
	} {
		if got, ok := ParseTag(tc.tag, 18, "trixie"); ok != tc.ok || got != tc.want {
			t.Errorf("ParseTag(%q) = %+v, %v, want %+v, %v", tc.tag, got, ok, tc.want, tc.ok)
		}
	}
}

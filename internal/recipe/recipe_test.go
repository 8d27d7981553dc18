package recipe

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// good are recipes that are accepted, and what they mean.
var good = []struct {
	name, yaml string
	want       Recipe
}{
	{"smallest", smallest, Recipe{
		Name: "pgvector", Image: "pgvector", Rewrite: "auto",
		Source: Source{Deb: &Deb{Packages: []string{"postgresql-${pg}-pgvector"}}},
	}},
	{"text stays as written", `
name: a
version: 3.10
source: {tree: [{path: "build/${pg}"}]}
parameters: {cron.use_background_workers: on, a.b: true, c: 010, d: 1e3, e: 2026-01-02}
annotations: {org.example/x: 1.20}
`, Recipe{
		Name: "a", Image: "a", Rewrite: "auto", Version: "3.10",
		Source: Source{Tree: []Tree{{Path: "build/${pg}"}}},
		Parameters: map[string]string{
			"cron.use_background_workers": "on", "a.b": "true", "c": "010", "d": "1e3", "e": "2026-01-02",
		},
		Annotations: map[string]string{"org.example/x": "1.20"},
	}},
	{"aliases", `
name: a
source: {deb: {packages: &p [ab]}}
bundle: {packages: *p}
`, Recipe{
		Name: "a", Image: "a", Rewrite: "auto",
		Source: Source{Deb: &Deb{Packages: []string{"ab"}}}, Bundle: Bundle{Packages: []string{"ab"}},
	}},
	{"consumer", `
name: postgis
image: postgis-extension
summary: "Geometry: points, lines"
homepage: https://postgis.net/
licenses: GPL-2.0-or-later AND (MIT OR LicenseRef-own)
source: {deb: {packages: ["postgresql-${pg}-postgis-3"]}}
bundle:
  packages: [proj-data]
  libraries: [libmysqlclient.so.24]
  data: [{package: proj-data, from: usr/share/proj, to: share/proj, env: PROJ_DATA}]
rewrite: none
bitcode: true
create: [postgis, uuid-ossp]
requires: [plpgsql, module:pg_stat_statements]
shared_preload_libraries: [pg_cron]
output_plugins: [wal2json]
env:
- {name: PROJ_DATA, value: "${image_root}/share/proj"}
- {name: X, value: "$${literal}"}
bin_path: [bin, usr/lib/x]
test: {sql: test.sql}
`, Recipe{
		Name: "postgis", Image: "postgis-extension", Summary: "Geometry: points, lines",
		Homepage: "https://postgis.net/", Licenses: "GPL-2.0-or-later AND (MIT OR LicenseRef-own)",
		Source: Source{Deb: &Deb{Packages: []string{"postgresql-${pg}-postgis-3"}}},
		Bundle: Bundle{
			Packages: []string{"proj-data"}, Libraries: []string{"libmysqlclient.so.24"},
			Data: []Data{{Package: "proj-data", From: "usr/share/proj", To: "share/proj", Env: "PROJ_DATA"}},
		},
		Rewrite: "none", Bitcode: true, Create: []string{"postgis", "uuid-ossp"},
		Requires:               []string{"plpgsql", "module:pg_stat_statements"},
		SharedPreloadLibraries: []string{"pg_cron"}, OutputPlugins: []string{"wal2json"},
		Env:     []Env{{"PROJ_DATA", "${image_root}/share/proj"}, {"X", "$${literal}"}},
		BinPath: []string{"bin", "usr/lib/x"}, Test: Test{SQL: "test.sql"},
	}},
	{"archives and targets", `
name: a
source: {deb: {packages: [ab]}}
archives:
- debian
- {name: pgdg, snapshot: 2026-10-30T10:00:00+02:00, check_valid_until: false}
- name: vendor
  url: https://deb.example/${distro}
  suite: ${distro}-stable
  components: [main, "${pg}"]
  signed_by: keys/vendor.asc
  fingerprints: [0123456789012345678901234567890123456789]
targets:
- {distro: forky, postgres: [18, 17], archs: [arm64]}
- {distro: sid, base: "image:ghcr.io/cloudnative-pg/postgresql:${pg}-minimal-${distro}"}
- {distro: forky, archs: [amd64]}
- {distro: experimental, postgres: [19], base: "image:oci:../base", source: {tree: [{path: out}]}}
`, Recipe{
		Name: "a", Image: "a", Rewrite: "auto",
		Source: Source{Deb: &Deb{Packages: []string{"ab"}}},
		Archives: []Archive{
			{Name: "debian"},
			{Name: "pgdg", Snapshot: "2026-10-30T10:00:00+02:00", CheckValidUntil: new(bool)},
			{
				Name: "vendor", URL: "https://deb.example/${distro}", Suite: "${distro}-stable",
				Components: []string{"main", "${pg}"}, SignedBy: "keys/vendor.asc",
				Fingerprints: []string{"0123456789012345678901234567890123456789"},
			},
		},
		Targets: []Row{
			{Distro: "forky", Postgres: []int{18, 17}, Archs: []string{"arm64"}},
			{Distro: "sid", Base: "image:ghcr.io/cloudnative-pg/postgresql:${pg}-minimal-${distro}"},
			{Distro: "forky", Archs: []string{"amd64"}},
			{Distro: "experimental", Postgres: []int{19}, Base: "image:oci:../base", Source: &Source{Tree: []Tree{{Path: "out"}}}},
		},
	}},
	{"other distribution", `
name: a
source: {deb: {packages: [ab]}}
archives: [{name: ubuntu, url: "file:///srv/ubuntu", suite: noble, signed_by: ubuntu.gpg}]
targets: [{distro: noble}]
`, Recipe{
		Name: "a", Image: "a", Rewrite: "auto",
		Source:   Source{Deb: &Deb{Packages: []string{"ab"}}},
		Archives: []Archive{{Name: "ubuntu", URL: "file:///srv/ubuntu", Suite: "noble", SignedBy: "ubuntu.gpg"}},
		Targets:  []Row{{Distro: "noble"}},
	}},
	{"built from source", `
name: a
source:
  pgxs:
    url: https://a.example/v1.tar.gz
    sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    strip: 0
    subdir: ext
    build_depends: [libcurl4-openssl-dev]
    patches: [fix.patch]
    configure: [./configure, --with-x=1]
    make_args: [WITH=1, "$${HOME}", 3]
    install_args: []
`, Recipe{
		Name: "a", Image: "a", Rewrite: "auto",
		Source: Source{PGXS: &PGXS{
			URL: "https://a.example/v1.tar.gz", SHA256: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
			Strip: new(int), Subdir: "ext", BuildDepends: []string{"libcurl4-openssl-dev"}, Patches: []string{"fix.patch"},
			Configure: []string{"./configure", "--with-x=1"}, MakeArgs: []string{"WITH=1", "$${HOME}", "3"}, InstallArgs: []string{},
		}},
	}},
	{"vendor files", `
name: a
source:
  deb:
    files:
    - {url: "https://a.example/a_${pg}_${arch}.deb", arch: amd64, sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}
    - {path: ../debs/a.deb, distro: sid, postgres: 18, arch: arm64, sha256: 1111111111111111111111111111111111111111111111111111111111111111}
`, Recipe{
		Name: "a", Image: "a", Rewrite: "auto",
		Source: Source{Deb: &Deb{Files: []DebFile{
			{URL: "https://a.example/a_${pg}_${arch}.deb", Arch: "amd64", SHA256: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
			{Path: "../debs/a.deb", Distro: "sid", Postgres: 18, Arch: "arm64", SHA256: "1111111111111111111111111111111111111111111111111111111111111111"},
		}}},
	}},
}

func TestParse(t *testing.T) {
	for _, tt := range good {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse("r.yaml", []byte(tt.yaml))
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Path, tt.want.Text = "r.yaml", []byte(tt.yaml)
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("Parse() (-want +got):\n%s", diff)
			}
		})
	}
}

// TestParseJSON has the promise that a recipe may be written by a program: the
// JSON form of a Recipe is a recipe, and the same one.
func TestParseJSON(t *testing.T) {
	for _, tt := range good {
		t.Run(tt.name, func(t *testing.T) {
			checkRoundTrip(t, []byte(tt.yaml))
		})
	}
}

// checkRoundTrip parses data, and when it is a recipe, parses its JSON form.
func checkRoundTrip(t *testing.T, data []byte) {
	t.Helper()
	first, err := Parse("r.yaml", data)
	if err != nil {
		return
	}
	encoded, err := json.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Parse("r.yaml", encoded)
	if err != nil {
		t.Fatalf("parsing %s again: %v", encoded, err)
	}
	again, err := json.Marshal(second)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(encoded), string(again)); diff != "" {
		t.Errorf("parsed again (-first +second):\n%s", diff)
	}
}

func TestArchive(t *testing.T) {
	a := Archive{Name: "debian", Snapshot: "2026-10-30T10:00:00+02:00"}
	if got, want := a.SnapshotTime(), time.Date(2026, 10, 30, 8, 0, 0, 0, time.UTC); !got.Equal(want) || got.Location() != time.UTC {
		t.Errorf("SnapshotTime() = %v, want %v", got, want)
	}
	if !a.BuiltIn() || !a.ChecksValidUntil() {
		t.Errorf("BuiltIn() = %v, ChecksValidUntil() = %v, want true, true", a.BuiltIn(), a.ChecksValidUntil())
	}
	own := Archive{Name: "x", URL: "https://a.example", CheckValidUntil: new(bool)}
	if own.BuiltIn() || own.ChecksValidUntil() || !own.SnapshotTime().IsZero() {
		t.Errorf("BuiltIn() = %v, ChecksValidUntil() = %v, SnapshotTime() = %v", own.BuiltIn(), own.ChecksValidUntil(), own.SnapshotTime())
	}
}

func TestExpand(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"postgresql-${pg}-pgvector", "postgresql-18-pgvector"},
		{"${distro}/${arch}/${pg}${pg}", "forky/arm64/1818"},
		{"$${pg} $pg $$ ${", "${pg} $pg $$ ${"},
		{"${other}${pg}", "${other}18"},
		{"a$${pg}${pg}", "a${pg}18"},
	} {
		if got := expand(tt.in, 18, "forky", "arm64"); got != tt.want {
			t.Errorf("expand(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, tt := range good {
		f.Add([]byte(tt.yaml))
	}
	f.Add([]byte("name: &a [*a]\n? [b]\n: c\n<<: *a\n"))
	f.Add([]byte("name: a\nlicenses: (MIT WITH\nsource: {tree: [~]}\n---\n"))
	f.Add([]byte("name: a\nlicenses: (\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkRoundTrip(t, data)
	})
}

package archivetest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/debextract/debtest"
	"github.com/pgext/pgext/internal/archive/archivetest"
	"github.com/pgext/pgext/internal/oracle"
)

var vector = archivetest.Package{
	Control: "Package: postgresql-18-pgvector\nSource: pgvector\nVersion: 1:0.8.1-2+b1\nArchitecture: amd64\n" +
		"Maintainer: nobody <nobody@example.org>\nDescription: vectors\n",
	Deb: []byte("not really a package"),
}

var scripts = archivetest.Package{
	Control: "Package: postgis-scripts\nVersion: 3.6.4\nArchitecture: all\n" +
		"Maintainer: nobody <nobody@example.org>\nDescription: scripts\n",
	Deb: []byte("neither"),
}

// apt itself accepts what this package builds, so a test that refuses it has
// found a defect of the reader.
func TestAptReadsTheArchive(t *testing.T) {
	apt := oracle.Need(t, "apt-get")
	tests := []struct {
		name  string
		suite archivetest.Suite
	}{
		{"InRelease", archivetest.Debian("trixie", "stable", vector, scripts)},
		{"detached signature", archivetest.Suite{Name: "trixie", Packages: []archivetest.Package{vector, scripts}, Detached: true}},
		{"SHA512 alone", archivetest.Suite{Name: "trixie", Packages: []archivetest.Package{vector, scripts}, Digests: []string{"SHA512"}}},
		{"separate all", archivetest.Suite{Name: "trixie", Packages: []archivetest.Package{vector, scripts}, SeparateAll: true}},
		{"without by-hash", archivetest.Suite{Name: "trixie", Packages: []archivetest.Package{vector, scripts}, NoByHash: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := archivetest.New(t, tt.suite)
			got := uris(t, apt, a, "postgresql-18-pgvector", "postgis-scripts")
			want := []string{
				a.URL + "/" + strings.ReplaceAll(vector.Filename(), "+", "%2b"),
				a.URL + "/" + scripts.Filename(),
			}
			if diff := cmp.Diff(got, want); diff != "" {
				t.Errorf("URIs that apt would download (-got +want):\n%s", diff)
			}
		})
	}
}

// uris returns the sorted URLs that apt would download for the packages.
func uris(t *testing.T, apt string, a *archivetest.Archive, packages ...string) []string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"state/lists/partial", "cache/archives/partial", "etc/preferences.d"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	key := filepath.Join(dir, "key.asc")
	write(t, key, string(a.Key()))
	write(t, filepath.Join(dir, "status"), "")
	write(t, filepath.Join(dir, "etc/sources.list"), fmt.Sprintf("deb [signed-by=%s] %s trixie main\n", key, a.URL))
	options := []string{
		"-qq", "-o", "Dir::State=" + dir + "/state", "-o", "Dir::State::status=" + dir + "/status",
		"-o", "Dir::Cache=" + dir + "/cache", "-o", "Dir::Etc=" + dir + "/etc", "-o", "APT::Architecture=amd64",
		"-o", "APT::Architectures=amd64", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none",
	}
	run(t, apt, append(slices.Clone(options), "update")...)
	out := run(t, apt, append(append(options, "--print-uris", "download"), packages...)...)
	var list []string
	for line := range strings.Lines(out) {
		list = append(list, strings.Trim(strings.Fields(line)[0], "'"))
	}
	slices.Sort(list)
	return list
}

func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "http_proxy=")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || strings.Contains(stderr.String(), "W:") || strings.Contains(stderr.String(), "E:") {
		t.Fatalf("%s %q: %v\n%s", program, args, err, &stderr)
	}
	return string(out)
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFaults(t *testing.T) {
	a := archivetest.New(t, archivetest.Debian("trixie", "stable", vector))
	const release = "dists/trixie/InRelease"
	a.Fail(release, http.StatusServiceUnavailable, 1)
	a.Truncate(vector.Filename(), 1)
	a.Remove("dists/trixie/main/binary-arm64/Packages.xz")

	for _, name := range []string{release, release, "dists/trixie/main/binary-arm64/Packages.xz", vector.Filename(), vector.Filename()} {
		resp, err := http.Get(a.URL + "/" + strings.ReplaceAll(name, "+", "%2B"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(resp.Body)
		resp.Body.Close()
		first := len(a.Requests()) == 4
		if (err != nil) != (first && name == vector.Filename()) {
			t.Errorf("reading %s: %v", name, err)
		}
	}
	got := a.Requests()
	want := []string{
		"503 " + release, "200 " + release,
		"404 dists/trixie/main/binary-arm64/Packages.xz",
		"200 " + vector.Filename(), "200 " + vector.Filename(),
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("requests (-got +want):\n%s", diff)
	}
}

func TestFilename(t *testing.T) {
	tests := []struct{ control, want string }{
		{vector.Control, "pool/main/p/pgvector/postgresql-18-pgvector_0.8.1-2+b1_amd64.deb"},
		{"Package: libpq5\nVersion: 18.6-1\nArchitecture: arm64\n", "pool/main/libp/libpq5/libpq5_18.6-1_arm64.deb"},
	}
	for _, tt := range tests {
		got := archivetest.Package{Control: tt.control}.Filename()
		if got != tt.want {
			t.Errorf("file name of %q: got %s, want %s", tt.control, got, tt.want)
		}
	}
}

func TestFromDeb(t *testing.T) {
	deb := debtest.Build(debtest.Deb{Control: "Package: x\nVersion: 1:2-3\nArchitecture: all\nDescription: short\n long\n"})
	a := archivetest.New(t, archivetest.Debian("sid", "unstable", archivetest.FromDeb(deb)))
	index := string(a.File("dists/sid/main/binary-arm64/Packages"))
	want := "Package: x\nVersion: 1:2-3\nArchitecture: all\nDescription: short\n long\n" +
		"Filename: pool/main/x/x/x_2-3_all.deb\nSize: " + strconv.Itoa(len(deb)) + "\nSHA256: " + archivetest.SHA256(deb) + "\n"
	if diff := cmp.Diff(index, want); diff != "" {
		t.Errorf("index (-got +want):\n%s", diff)
	}
}

// Two archives of the same suites differ in their keys alone.
func TestTwiceGivesTheSame(t *testing.T) {
	suite := archivetest.Debian("trixie", "stable", vector, scripts)
	suite.Date = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	a, b := archivetest.New(t, suite), archivetest.New(t, suite)
	if diff := cmp.Diff(a.Paths(), b.Paths()); diff != "" {
		t.Fatalf("paths (-first +second):\n%s", diff)
	}
	for _, name := range a.Paths() {
		x, y := body(a.File(name)), body(b.File(name))
		if x != y {
			t.Errorf("%s differs", name)
		}
	}
}

func body(file []byte) string {
	text, _, _ := strings.Cut(string(file), "-----BEGIN PGP SIGNATURE-----")
	return text
}

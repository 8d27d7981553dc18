package archive_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/archive/archivetest"
	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/cache/cachetest"
	"github.com/pgext/pgext/internal/fetch"
)

var (
	vector  = pkg("postgresql-18-pgvector", "amd64")
	vectorB = pkg("postgresql-18-pgvector", "arm64")
	scripts = pkg("postgresql-18-postgis-3-scripts", "all")
)

func pkg(name, arch string) archivetest.Package {
	return archivetest.Package{
		Control: fmt.Sprintf("Package: %s\nVersion: 1.0-1\nArchitecture: %s\n", name, arch),
		Deb:     []byte("the bytes of " + name + " for " + arch),
	}
}

// options returns Options with a cache of its own and a host without apt.
func options(t *testing.T) archive.Options {
	t.Helper()
	c := cachetest.Open(t)
	return optionsFor(c, fetch.Options{})
}

func optionsFor(c *cache.Cache, o fetch.Options) archive.Options {
	o.Sleep = func(context.Context, time.Duration) error { return nil }
	return archive.Options{Fetcher: fetch.New(c, o), Store: c, Host: fstest.MapFS{}}
}

// custom describes the test archive as a recipe would.
func custom(a *archivetest.Archive, suites ...string) archive.Archive {
	return archive.Archive{Name: "test", URL: a.URL, Suites: suites, Keyring: a.Key()}
}

// list opens every index and returns "suite/component/arch: packages…".
func list(t *testing.T, o *archive.Opened) []string {
	t.Helper()
	var out []string
	for _, p := range o.Packages {
		r, err := p.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		line := p.Suite + "/" + p.Component + "/" + p.Arch + ":"
		for _, m := range regexp.MustCompile(`(?m)^Package: (.*)$`).FindAllStringSubmatch(string(text), -1) {
			line += " " + m[1]
		}
		out = append(out, line)
	}
	return out
}

func TestOpen(t *testing.T) {
	main := archivetest.Debian("trixie", "stable", vector, vectorB, scripts)
	main.Date = time.Now().UTC().Add(-time.Hour).Truncate(time.Second)
	main.ValidUntil = main.Date.AddDate(0, 0, 7)
	updates := archivetest.Debian("trixie-updates", "stable-updates")
	a := archivetest.New(t, main, updates)
	o := options(t)

	got, err := archive.Open(t.Context(), custom(a, "trixie", "trixie-updates"), []string{"amd64", "arm64"}, o)
	if err != nil {
		t.Fatal(err)
	}
	want := []archive.Release{
		{
			Archive: "test", Suite: "trixie", Codename: "trixie", SHA256: archivetest.SHA256(a.File("dists/trixie/InRelease")),
			Date: main.Date, ValidUntil: main.ValidUntil, Fingerprint: a.Fingerprint(),
		},
		{
			Archive: "test", Suite: "trixie-updates", Codename: "trixie-updates", Fingerprint: a.Fingerprint(),
			SHA256: archivetest.SHA256(a.File("dists/trixie-updates/InRelease")),
		},
	}
	if diff := cmp.Diff(got.Releases, want, cmpopts.IgnoreFields(archive.Release{}, "Date")); diff != "" {
		t.Errorf("releases (-got +want):\n%s", diff)
	}
	wantPackages := []string{
		"trixie/main/amd64: postgresql-18-pgvector postgresql-18-postgis-3-scripts",
		"trixie/main/arm64: postgresql-18-pgvector postgresql-18-postgis-3-scripts",
		"trixie-updates/main/amd64:",
		"trixie-updates/main/arm64:",
	}
	if diff := cmp.Diff(list(t, got), wantPackages); diff != "" {
		t.Errorf("packages (-got +want):\n%s", diff)
	}

	t.Run("twice gives the same", func(t *testing.T) {
		again, err := archive.Open(t.Context(), custom(a, "trixie", "trixie-updates"), []string{"amd64", "arm64"}, options(t))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(again, got, cmpopts.IgnoreFields(archive.PackagesFile{}, "Open")); diff != "" {
			t.Errorf("opened (-second +first):\n%s", diff)
		}
	})
	t.Run("warm asks only whether the Release changed", func(t *testing.T) {
		a.ResetRequests()
		if _, err := archive.Open(t.Context(), custom(a, "trixie"), []string{"amd64"}, o); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(a.Requests(), []string{"304 dists/trixie/InRelease"}); diff != "" {
			t.Errorf("requests (-got +want):\n%s", diff)
		}
	})
}

func TestOffline(t *testing.T) {
	c := cachetest.Open(t)
	a := archivetest.New(t, archivetest.Debian("trixie", "stable", vector))
	d := custom(a, "trixie", "trixie-updates")
	d.Optional = []string{"trixie-updates"}
	offline := optionsFor(c, fetch.Options{Offline: true})

	_, err := archive.Open(t.Context(), d, []string{"amd64"}, offline)
	var missing *fetch.OfflineError
	if !errors.As(err, &missing) {
		t.Fatalf("with an empty cache: got error %v, want an OfflineError", err)
	}
	if _, err := archive.Open(t.Context(), d, []string{"amd64"}, optionsFor(c, fetch.Options{})); err != nil {
		t.Fatal(err)
	}
	a.ResetRequests()
	got, err := archive.Open(t.Context(), d, []string{"amd64"}, optionsFor(c, fetch.Options{Offline: true}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(list(t, got), []string{"trixie/main/amd64: postgresql-18-pgvector"}); diff != "" {
		t.Errorf("packages (-got +want):\n%s", diff)
	}
	if len(a.Requests()) > 0 {
		t.Errorf("got requests %q, want none", a.Requests())
	}
}

func TestInvalid(t *testing.T) {
	a := archivetest.New(t, archivetest.Debian("trixie", "stable", vector))
	private := archivetest.NewKey(t, archivetest.KeyOptions{Name: "private"}).Private()
	tests := []struct {
		name   string
		change func(*archive.Archive)
		part   string
	}{
		{"no URL", func(a *archive.Archive) { a.URL = "" }, "url"},
		{"scheme", func(a *archive.Archive) { a.URL = "ftp://user:secret@example.org/debian" }, "url"},
		{"no suite", func(a *archive.Archive) { a.Suites = nil }, "no suite"},
		{"flat", func(a *archive.Archive) { a.Suites = []string{"stable/"} }, "flat repository"},
		{"escaping suite", func(a *archive.Archive) { a.Suites = []string{"../../x"} }, "below dists"},
		{"component", func(a *archive.Archive) { a.Components = []string{"/etc"} }, "component"},
		{"short fingerprint", func(a *archive.Archive) { a.Fingerprints = []string{"ACCC4CF8"} }, "40 hex digits"},
		{"no keyring", func(a *archive.Archive) { a.Keyring = nil }, "empty"},
		{"private key", func(a *archive.Archive) { a.Keyring = private }, "holds a private key, not a public key"},
		{"not a keyring", func(a *archive.Archive) { a.Keyring = []byte("hello") }, "no OpenPGP public key"},
		{"snapshot of another archive", func(a *archive.Archive) { a.Snapshot = time.Now() }, "snapshot"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := custom(a, "trixie")
			tt.change(&d)
			_, err := archive.Open(t.Context(), d, []string{"amd64"}, options(t))
			var invalid *archive.InvalidError
			if !errors.As(err, &invalid) || invalid.ExitCode() != 10 {
				t.Fatalf("got error %v, want an InvalidError", err)
			}
			if !strings.Contains(err.Error(), tt.part) || strings.Contains(err.Error(), "secret") {
				t.Errorf("got error %v, want one with %q and no secret", err, tt.part)
			}
		})
	}
}

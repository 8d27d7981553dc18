package archive_test

import (
	"bufio"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/oracle"
)

// liveOptions opens real archives through this machine's own apt sources,
// with a cache that outlives the test run.
func liveOptions(t *testing.T) archive.Options {
	t.Helper()
	dir := os.Getenv("PGEXT_TEST_CACHE")
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(user, "pgext-test")
	}
	c, err := cache.Open(filepath.Join(dir, "archive"))
	if err != nil {
		t.Fatal(err)
	}
	return archive.Options{Fetcher: fetch.New(c, fetch.Options{Attempts: 2}), Store: c}
}

// reached skips the test, by the oracles' rules, where no server answers.
func reached(t *testing.T, err error) {
	t.Helper()
	var unreachable *url.Error
	if errors.As(err, &unreachable) {
		oracle.Missing(t, "debian-mirror", "out of reach: "+err.Error())
	}
}

func TestLiveForky(t *testing.T) {
	a, err := archive.Builtin("debian", "forky")
	if err != nil {
		t.Fatal(err)
	}
	o := liveOptions(t)
	o.AllowExpired = true
	opened, err := archive.Open(t.Context(), a, []string{"amd64", "arm64"}, o)
	reached(t, err)
	if err != nil {
		t.Fatal(err)
	}
	expired := false
	for _, r := range opened.Releases {
		past := !r.ValidUntil.IsZero() && time.Now().After(r.ValidUntil)
		if r.Expired != past {
			t.Errorf("%s: got Expired %v, want %v: it is valid until %v", r.Suite, r.Expired, past, r.ValidUntil)
		}
		expired = expired || past
	}
	if p := opened.Packages[1]; p.Arch != "arm64" || !hasPackage(t, p, "postgresql-18-pgvector") {
		t.Errorf("%s/%s has no postgresql-18-pgvector", p.Suite, p.Arch)
	}

	t.Run("by default", func(t *testing.T) {
		o.AllowExpired = false
		_, err := archive.Open(t.Context(), a, []string{"amd64"}, o)
		if expired {
			checkRefusal(t, err, archive.Expired, "forky")
		} else if err != nil {
			t.Error(err)
		}
	})
}

func hasPackage(t *testing.T, p archive.PackagesFile, name string) bool {
	t.Helper()
	r, err := p.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if lines.Text() == "Package: "+name {
			return true
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return false
}

// Every suite that a default archive names exists and verifies today.
func TestLiveReleases(t *testing.T) {
	o := liveOptions(t)
	o.AllowExpired = true
	for _, distro := range []string{"bookworm", "trixie", "forky", "sid", "experimental"} {
		for _, name := range archive.Defaults(distro) {
			if name == archive.PGDG {
				continue // not on every Debian mirror
			}
			t.Run(distro+" "+name, func(t *testing.T) {
				a, err := archive.Builtin(name, distro)
				if err != nil {
					t.Fatal(err)
				}
				opened, err := archive.Open(t.Context(), a, nil, o)
				reached(t, err)
				if err != nil {
					t.Fatal(err)
				}
				if len(opened.Releases) != len(a.Suites) {
					t.Errorf("got %d releases, want those of %q", len(opened.Releases), a.Suites)
				}
			})
		}
	}
}

package archive_test

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/archive/archivetest"
	"github.com/pgext/pgext/internal/cache"
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
	c, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
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

// refusal is what a test expects of an error: its reason and parts of its
// text.
func checkRefusal(t *testing.T, err error, want archive.Reason, parts ...string) {
	t.Helper()
	var refusal *archive.TrustError
	if !errors.As(err, &refusal) {
		t.Fatalf("got error %v, want a TrustError", err)
	}
	if refusal.Reason != want {
		t.Errorf("got reason %d, want %d: %v", refusal.Reason, want, err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error lacks %q: %v", part, err)
		}
	}
	if refusal.Hint() == "" || refusal.ExitCode() != 13 {
		t.Errorf("got hint %q, exit code %d; want a hint and 13", refusal.Hint(), refusal.ExitCode())
	}
}

func TestRefusals(t *testing.T) {
	now := time.Now()
	const release = "dists/trixie/InRelease"
	none := func(*archivetest.Archive) {}
	flip := func(pattern string) func(*archivetest.Archive) {
		return func(a *archivetest.Archive) { a.Flip(pattern) }
	}
	stranger := archivetest.NewKey(t, archivetest.KeyOptions{Name: "stranger"})
	tests := []struct {
		name   string
		change func(*archivetest.Suite)
		tamper func(*archivetest.Archive)
		want   archive.Reason
		parts  []string
	}{
		{
			"changed text", nil,
			func(a *archivetest.Archive) { a.Replace(release, "Label: Debian", "Label: Debiam") },
			archive.BadSignature,
			[]string{release, "does not fit the text"},
		},
		{
			"changed text, detached", func(s *archivetest.Suite) { s.Detached = true }, flip("dists/trixie/Release"),
			archive.BadSignature,
			[]string{"trixie/Release"},
		},
		{
			"text before", nil,
			func(a *archivetest.Archive) {
				a.Edit(release, func(b []byte) []byte { return append([]byte("Suite: sid\n\n"), b...) })
			},
			archive.Malformed,
			[]string{"does not start"},
		},
		{
			"text after", nil,
			func(a *archivetest.Archive) {
				a.Edit(release, func(b []byte) []byte { return append(b, "SHA256:\n"...) })
			},
			archive.Malformed,
			[]string{"after its signature"},
		},
		{
			"two messages", nil,
			func(a *archivetest.Archive) { a.Edit(release, func(b []byte) []byte { return append(b, b...) }) },
			archive.Malformed,
			[]string{"after its signature"},
		},
		{
			"cut short", nil,
			func(a *archivetest.Archive) { a.Edit(release, func(b []byte) []byte { return b[:len(b)/3] }) },
			archive.Malformed, nil,
		},
		{"unsigned", func(s *archivetest.Suite) { s.Unsigned = true }, none, archive.Unsigned, []string{"neither InRelease nor Release.gpg"}},
		{
			"unknown key", func(s *archivetest.Suite) { s.Signers = []*archivetest.Key{stranger} }, none,
			archive.UnknownKey,
			[]string{stranger.Fingerprint()},
		},
		{"weak digest", func(s *archivetest.Suite) { s.Digest = crypto.SHA1 }, none, archive.WeakKey, []string{"SHA-1"}},
		{
			"expired", func(s *archivetest.Suite) { s.ValidUntil = now.AddDate(0, 0, -1) }, none,
			archive.Expired,
			[]string{now.AddDate(0, 0, -1).UTC().Format("2006-01-02 15:04:05 UTC"), "now is"},
		},
		{"from the future", func(s *archivetest.Suite) { s.Date = now.Add(time.Hour) }, none, archive.Future, nil},
		{
			"another suite", func(s *archivetest.Suite) { s.Alias, s.Codename = "oldstable", "bookworm" }, none,
			archive.WrongSuite,
			[]string{`"oldstable"`, `"bookworm"`, `"trixie"`},
		},
		{
			"index changed", nil,
			func(a *archivetest.Archive) {
				a.Flip("dists/trixie/main/binary-*/by-hash/*/*")
				a.Flip("dists/trixie/main/*/*")
			},
			archive.Mismatch,
			[]string{"sha256"},
		},
		{"two paragraphs", func(s *archivetest.Suite) { s.Extra = "\nSuite: sid\n" }, none, archive.Malformed, []string{"more than one paragraph"}},
		{"no suite", func(s *archivetest.Suite) { s.Alias, s.Codename, s.Detached = " ", " ", true }, none, archive.WrongSuite, []string{"does not say"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := archivetest.Debian("trixie", "stable", vector)
			if tt.change != nil {
				tt.change(&s)
			}
			a := archivetest.New(t, s)
			tt.tamper(a)
			_, err := archive.Open(t.Context(), custom(a, "trixie"), []string{"amd64"}, options(t))
			checkRefusal(t, err, tt.want, tt.parts...)
		})
	}
}

func TestKeys(t *testing.T) {
	year := 365 * 24 * time.Hour
	tests := []struct {
		name string
		key  archivetest.KeyOptions
		good bool
		want archive.Reason
		part string
	}{
		{name: "Ed25519", good: true},
		{name: "RSA 2048", key: archivetest.KeyOptions{RSABits: 2048}, good: true},
		{name: "subkey", key: archivetest.KeyOptions{Subkey: true}, good: true},
		{name: "not yet expired", key: archivetest.KeyOptions{Lifetime: 3 * year, Subkey: true, SubkeyLifetime: 3 * year}, good: true},
		{name: "expired", key: archivetest.KeyOptions{Lifetime: year}, want: archive.ExpiredKey, part: "expired on"},
		{name: "expired subkey", key: archivetest.KeyOptions{Subkey: true, SubkeyLifetime: year}, want: archive.ExpiredKey, part: "expired on"},
		{name: "sound subkey of an expired key", key: archivetest.KeyOptions{Subkey: true, Lifetime: year}, want: archive.ExpiredKey},
		{name: "revoked", key: archivetest.KeyOptions{Revoked: true}, want: archive.RevokedKey, part: "revoked"},
		{name: "RSA 1024", key: archivetest.KeyOptions{RSABits: 1024}, want: archive.WeakKey, part: "1024 bits"},
		{name: "SHA-1 self-signature", key: archivetest.KeyOptions{WeakSelf: true}, want: archive.UnfitKey, part: "SHA-1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key := archivetest.NewKey(t, tt.key)
			s := archivetest.Debian("trixie", "stable", vector)
			s.Signers = []*archivetest.Key{key}
			// A key that is expired now was sound when it signed.
			s.Date = time.Now().AddDate(-1, -6, 0)
			a := archivetest.New(t, s)
			d := custom(a, "trixie")
			d.Keyring = key.Public()
			got, err := archive.Open(t.Context(), d, []string{"amd64"}, options(t))
			if !tt.good {
				checkRefusal(t, err, tt.want, tt.part)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Releases[0].Fingerprint != key.Fingerprint() {
				t.Errorf("got fingerprint %s, want %s", got.Releases[0].Fingerprint, key.Fingerprint())
			}
		})
	}
}

func TestSeveralSignatures(t *testing.T) {
	stranger := archivetest.NewKey(t, archivetest.KeyOptions{})
	expired := archivetest.NewKey(t, archivetest.KeyOptions{Lifetime: time.Hour})
	good := archivetest.NewKey(t, archivetest.KeyOptions{Subkey: true})
	s := archivetest.Debian("trixie", "stable", vector)
	s.Signers = []*archivetest.Key{stranger, expired, good}
	a := archivetest.New(t, s)
	tests := []struct {
		name string
		keys []*archivetest.Key
		pins []string
		good bool
		want archive.Reason
	}{
		{name: "one good key is enough", keys: []*archivetest.Key{expired, good}, good: true},
		{name: "the same key twice", keys: []*archivetest.Key{good, good}, good: true},
		{name: "the expired one tells more than the unknown one", keys: []*archivetest.Key{expired}, want: archive.ExpiredKey},
		{name: "pinned by primary key", keys: []*archivetest.Key{good, stranger}, pins: []string{good.Fingerprint()}, good: true},
		{name: "pinned by subkey, as people write it", keys: []*archivetest.Key{good, stranger}, pins: []string{"0x" + strings.ToLower(good.SignerFingerprint())}, good: true},
		{name: "in the keyring but not pinned", keys: []*archivetest.Key{good}, pins: []string{expired.Fingerprint()}, want: archive.UnpinnedKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := custom(a, "trixie")
			d.Keyring, d.Fingerprints = nil, tt.pins
			for _, k := range tt.keys {
				d.Keyring = append(d.Keyring, k.Public()...)
			}
			got, err := archive.Open(t.Context(), d, []string{"amd64"}, options(t))
			if !tt.good {
				checkRefusal(t, err, tt.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Releases[0].Fingerprint != good.Fingerprint() {
				t.Errorf("got fingerprint %s, want %s", got.Releases[0].Fingerprint, good.Fingerprint())
			}
		})
	}
}

func TestAllowExpired(t *testing.T) {
	now := time.Now()
	fresh := archivetest.Debian("trixie", "stable", vector)
	stale := archivetest.Debian("trixie", "stable", vector)
	stale.Date, stale.ValidUntil = now.AddDate(0, -1, 0), now.AddDate(0, 0, -20)
	tests := []struct {
		name   string
		suite  archivetest.Suite
		change func(*archive.Archive, *archive.Options)
		want   bool
	}{
		{"nothing is expired", fresh, func(_ *archive.Archive, o *archive.Options) { o.AllowExpired = true }, false},
		{"allowed", stale, func(_ *archive.Archive, o *archive.Options) { o.AllowExpired = true }, true},
		{"not checked", stale, func(a *archive.Archive, _ *archive.Options) { a.NoValidUntil = true }, false},
		{"at that time", stale, func(_ *archive.Archive, o *archive.Options) { o.Now = func() time.Time { return stale.Date } }, false},
		{"snapshot", stale, func(a *archive.Archive, o *archive.Options) {
			o.Mirrors = map[string]archive.Mirror{a.Name: archive.Mirror(a.URL)}
			a.URL, a.Snapshot = "https://ftp.debian.org/debian", stale.Date
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := archivetest.New(t, tt.suite)
			a, o := custom(server, "trixie"), options(t)
			tt.change(&a, &o)
			got, err := archive.Open(t.Context(), a, []string{"amd64"}, o)
			if err != nil {
				t.Fatal(err)
			}
			if got.Releases[0].Expired != tt.want {
				t.Errorf("got Expired %v, want %v", got.Releases[0].Expired, tt.want)
			}
		})
	}
}

func TestIndexes(t *testing.T) {
	const folder = "dists/trixie/main/binary-amd64/"
	tests := []struct {
		name   string
		change func(*archivetest.Suite)
		tamper func(*archivetest.Archive)
		format string
		want   []string
	}{
		{name: "the smallest", format: "xz"},
		{name: "SHA512 alone", change: func(s *archivetest.Suite) { s.Digests = []string{"SHA512"} }, format: "xz"},
		{name: "SHA256 and SHA512", change: func(s *archivetest.Suite) { s.Digests = []string{"SHA256", "SHA512"} }, format: "xz"},
		{name: "detached signature", change: func(s *archivetest.Suite) { s.Detached = true }, format: "xz"},
		{name: "zstd", change: func(s *archivetest.Suite) { s.Formats = []string{".zst"} }, format: "zstd"},
		{name: "plain", change: func(s *archivetest.Suite) { s.Formats = []string{""} }, format: "none"},
		{name: "no by-hash", change: func(s *archivetest.Suite) { s.NoByHash = true }, format: "xz"},
		{
			name:   "by-hash promised and absent",
			tamper: func(a *archivetest.Archive) { a.Remove(folder + "by-hash/*/*") }, format: "xz",
		},
		{
			name:   "xz listed and absent",
			change: func(s *archivetest.Suite) { s.NoByHash = true },
			tamper: func(a *archivetest.Archive) { a.Remove(folder + "Packages.xz") }, format: "gzip",
		},
		{
			name:   "server busy, connection lost",
			change: func(s *archivetest.Suite) { s.NoByHash = true },
			tamper: func(a *archivetest.Archive) {
				a.Fail("dists/trixie/InRelease", http.StatusServiceUnavailable, 2)
				a.Truncate(folder+"Packages.xz", 1)
			},
			format: "xz",
		},
		{
			name: "all in an index of its own", change: func(s *archivetest.Suite) { s.SeparateAll = true }, format: "xz",
			want: []string{"trixie/main/amd64: postgresql-18-pgvector", "trixie/main/all: postgresql-18-postgis-3-scripts"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := archivetest.Debian("trixie", "stable", vector, scripts)
			for i := range 200 { // enough that xz is smaller than gzip
				s.Packages = append(s.Packages, pkg(fmt.Sprintf("filler-%d", i), "amd64"))
			}
			if tt.change != nil {
				tt.change(&s)
			}
			a := archivetest.New(t, s)
			if tt.tamper != nil {
				tt.tamper(a)
			}
			got, err := archive.Open(t.Context(), custom(a, "trixie"), []string{"amd64"}, options(t))
			if err != nil {
				t.Fatal(err)
			}
			want := tt.want
			if want == nil {
				want = []string{"trixie/main/amd64: postgresql-18-pgvector postgresql-18-postgis-3-scripts"}
			}
			lines := list(t, got)
			for i := range lines {
				lines[i] = regexp.MustCompile(` filler-\d+`).ReplaceAllString(lines[i], "")
			}
			if diff := cmp.Diff(lines, want); diff != "" {
				t.Errorf("packages (-got +want):\n%s", diff)
			}
			if got.Packages[0].Format != tt.format {
				t.Errorf("got format %s, want %s", got.Packages[0].Format, tt.format)
			}
		})
	}
}

func TestAbsent(t *testing.T) {
	a := archivetest.New(t, archivetest.Debian("trixie", "stable", vector))
	t.Run("optional suite", func(t *testing.T) {
		d := custom(a, "trixie", "trixie-updates")
		d.Optional = []string{"trixie-updates"}
		got, err := archive.Open(t.Context(), d, []string{"amd64"}, options(t))
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Releases) != 1 {
			t.Errorf("got %d releases, want 1", len(got.Releases))
		}
	})
	t.Run("suite", func(t *testing.T) {
		_, err := archive.Open(t.Context(), custom(a, "trixie", "duke"), []string{"amd64"}, options(t))
		var unknown *archive.UnknownSuiteError
		if !errors.As(err, &unknown) || unknown.ExitCode() != 12 || unknown.Suite != "duke" {
			t.Errorf("got error %v, want an UnknownSuiteError for duke", err)
		}
	})
	t.Run("architecture", func(t *testing.T) {
		_, err := archive.Open(t.Context(), custom(a, "trixie"), []string{"amd64", "s390x"}, options(t))
		var unknown *archive.UnknownIndexError
		if !errors.As(err, &unknown) || unknown.ExitCode() != 12 || unknown.Hint() != "it has them for amd64, arm64" {
			t.Errorf("got error %v, want an UnknownIndexError for s390x", err)
		}
	})
	t.Run("component", func(t *testing.T) {
		d := custom(a, "trixie")
		d.Components = []string{"main", "contrib"}
		_, err := archive.Open(t.Context(), d, []string{"amd64"}, options(t))
		var unknown *archive.UnknownIndexError
		if !errors.As(err, &unknown) || unknown.Hint() != "the suite has no component of that name" {
			t.Errorf("got error %v, want an UnknownIndexError for contrib", err)
		}
	})
	t.Run("index gone", func(t *testing.T) {
		b := archivetest.New(t, archivetest.Suite{Name: "trixie", NoByHash: true})
		b.Remove("dists/trixie/main/binary-amd64/*")
		_, err := archive.Open(t.Context(), custom(b, "trixie"), []string{"amd64"}, options(t))
		var gone *fetch.NotFoundError
		if !errors.As(err, &gone) {
			t.Errorf("got error %v, want a NotFoundError", err)
		}
	})
}

func TestOffline(t *testing.T) {
	c, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	a := archivetest.New(t, archivetest.Debian("trixie", "stable", vector))
	d := custom(a, "trixie", "trixie-updates")
	d.Optional = []string{"trixie-updates"}
	offline := optionsFor(c, fetch.Options{Offline: true})

	_, err = archive.Open(t.Context(), d, []string{"amd64"}, offline)
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

func TestOpenAll(t *testing.T) {
	first := archivetest.New(t, archivetest.Debian("trixie", "stable", vector))
	second := archivetest.New(t, archivetest.PGDG("trixie", vectorB))
	archives := []archive.Archive{custom(first, "trixie"), custom(second, "trixie-pgdg")}
	got, err := archive.OpenAll(t.Context(), archives, []string{"arm64"}, options(t))
	if err != nil {
		t.Fatal(err)
	}
	lines := slices.Concat(list(t, got[0]), list(t, got[1]))
	want := []string{"trixie/main/arm64:", "trixie-pgdg/main/arm64: postgresql-18-pgvector"}
	if diff := cmp.Diff(lines, want); diff != "" {
		t.Errorf("packages (-got +want):\n%s", diff)
	}

	first.Remove("dists/trixie/InRelease")
	second.Flip("dists/trixie-pgdg/InRelease")
	for range 3 { // the first archive's error, whichever fails first
		_, err = archive.OpenAll(t.Context(), archives, []string{"arm64"}, options(t))
		var unknown *archive.UnknownSuiteError
		if !errors.As(err, &unknown) {
			t.Errorf("got error %v, want the first archive's", err)
		}
	}
}

package archive_test

import (
	"errors"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/archive/archivetest"
	"github.com/pgext/pgext/internal/oracle"
)

// host returns a file system with apt sources, Debian's unless it says
// otherwise.
func host(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{"etc/os-release": {Data: []byte("PRETTY_NAME=\"Debian\"\nID=debian\n")}}
	for name, text := range files {
		out["etc/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

// mirrorNames returns what Mirrors says for an archive of trixie, without the
// official root at the end.
func mirrorNames(t *testing.T, name string, fsys fs.FS) []string {
	t.Helper()
	a, err := archive.Builtin(name, "trixie")
	if err != nil {
		t.Fatal(err)
	}
	list := archive.Mirrors(a, archive.Options{Host: fsys})
	if last := string(list[len(list)-1]); last != a.URL {
		t.Errorf("the last mirror is %s, want the official %s", last, a.URL)
	}
	var names []string
	for _, m := range list[:len(list)-1] {
		names = append(names, string(m))
	}
	return names
}

func TestHostMirrors(t *testing.T) {
	const deb822 = `# comment
Types: deb deb-src
URIs: http://mirror.example.org/debian/ https://second.example.org/debian
Suites: bookworm
# comment inside
 bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: https://user:secret@mirror.example.org/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://apt.example.org/pgdg
Suites: bookworm-pgdg
Components: main 17

Enabled: no
Types: deb
URIs: http://disabled.example.org/debian
Suites: sid

Types: deb-src
URIs: http://sources.example.org/debian
Suites: sid
`
	const list = `# deb http://comment.example.org/debian sid main
deb http://deb.example.org/debian bookworm main # contrib
deb [ arch=amd64,arm64 signed-by=/usr/share/keyrings/a.gpg ] https://opts.example.org/debian	bookworm main
deb [trusted=yes] http://third.example.org/repo/ stable main
deb-src http://src.example.org/debian bookworm main
deb cdrom:[Debian GNU/Linux 12 _Bookworm_]/ bookworm main
deb mirror+file:/etc/apt/mirrors/debian.list bookworm main
deb tor+http://onion.example.org/debian bookworm main
deb http://flat.example.org/debian ./
deb http://$(ARCH).example.org/debian bookworm main
deb http://short.example.org/debian
deb file:/srv/debian bookworm main
deb http://old.example.org/debian-security buster/updates main
`
	tests := []struct {
		name, archive string
		host          fs.FS
		want          []string
	}{
		{"deb822", "debian", host(map[string]string{"apt/sources.list.d/debian.sources": deb822}), []string{
			"http://mirror.example.org/debian", "https://second.example.org/debian",
		}},
		{"deb822, security", "debian-security", host(map[string]string{"apt/sources.list.d/debian.sources": deb822}), []string{
			"https://user:secret@mirror.example.org/debian-security",
		}},
		{"deb822, pgdg", "pgdg", host(map[string]string{"apt/sources.list.d/debian.sources": deb822}), []string{
			"http://apt.example.org/pgdg",
		}},
		{"one-line, the usual folder first", "debian", host(map[string]string{
			"apt/sources.list": "deb http://odd.example.org/trixie trixie main\n", "apt/sources.list.d/x.list": list,
		}), []string{
			"http://deb.example.org/debian", "https://opts.example.org/debian", "file:/srv/debian",
			"http://odd.example.org/trixie", "http://third.example.org/repo",
		}},
		{"one-line, security", "debian-security", host(map[string]string{"apt/sources.list": list}), []string{
			"http://old.example.org/debian-security",
		}},
		{"other files are not sources", "debian", host(map[string]string{"apt/sources.list.d/debian.sources.save": deb822, "apt/sources.list.d/x.list.disabled": list}), nil},
		{"broken in the middle", "debian", host(map[string]string{"apt/sources.list.d/debian.sources": "Types: deb\nURIs: http://good.example.org/debian\nSuites: sid\n\nno field\n"}), []string{
			"http://good.example.org/debian",
		}},
		{"not Debian", "debian", fstest.MapFS{
			"usr/lib/os-release":   {Data: []byte("ID=\"ubuntu\"\nID_LIKE=debian\n")},
			"etc/apt/sources.list": {Data: []byte(list)},
		}, nil},
		{"no os-release", "debian", fstest.MapFS{"etc/apt/sources.list": {Data: []byte(list)}}, nil},
		{"empty", "debian", host(nil), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(mirrorNames(t, tt.archive, tt.host), tt.want); diff != "" {
				t.Errorf("mirrors (-got +want):\n%s", diff)
			}
		})
	}
}

// apt reads the same roots out of the same files.
func TestSourcesAsAptReadsThem(t *testing.T) {
	apt := oracle.Need(t, "apt-get")
	const sources = "Types: deb\nURIs: http://a.example.org/debian http://b.example.org/debian/\nSuites: bookworm\nComponents: main\n\n" +
		"Types: deb\nURIs: http://off.example.org/debian\nSuites: bookworm\nComponents: main\nEnabled: false\n"
	const list = "deb http://c.example.org/debian bookworm main # deb http://d.example.org/debian\n" +
		"deb [ arch=amd64 trusted=yes ] http://e.example.org/debian bookworm main\n#deb http://f.example.org/debian bookworm main\n"
	dir := t.TempDir()
	for name, text := range map[string]string{"etc/os-release": "ID=debian\n", "etc/apt/sources.list": list, "etc/apt/sources.list.d/x.sources": sources} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), apt, "-o", "Dir::Etc="+dir+"/etc/apt", "-o", "Dir::State="+dir+"/state",
		"update", "--print-uris")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.Lines(string(out)) {
		if root, _, ok := strings.Cut(strings.TrimPrefix(line, "'"), "/dists/bookworm/InRelease'"); ok {
			want = append(want, root)
		}
	}
	got := mirrorNames(t, "debian", os.DirFS(dir))
	slices.Sort(got) // apt prints them in the order of its own queue
	slices.Sort(want)
	if diff := cmp.Diff(got, want); diff != "" || len(want) != 4 {
		t.Errorf("mirrors (-pgext +apt):\n%s", diff)
	}
}

// signedByDebian describes the test archive as if it were the built-in one.
func signedByDebian(t *testing.T, key *archivetest.Key) archive.Archive {
	t.Helper()
	a, err := archive.Builtin("debian", "trixie")
	if err != nil {
		t.Fatal(err)
	}
	a.Keyring = key.Public()
	a.URL = unreachable(t)
	return a
}

// unreachable returns a URL where nobody listens.
func unreachable(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(nil)
	defer server.Close()
	return server.URL + "/debian"
}

func TestMirrorChoice(t *testing.T) {
	key := archivetest.NewKey(t, archivetest.KeyOptions{})
	serve := func(s archivetest.Suite) *archivetest.Archive {
		if s.Signers == nil {
			s.Signers = []*archivetest.Key{key}
		}
		return archivetest.New(t, s)
	}
	good := serve(archivetest.Debian("trixie", "stable", vector))
	official := serve(archivetest.Debian("trixie", "stable", vector))
	foreign := archivetest.New(t, archivetest.Debian("trixie", "stable", vector))
	derived := serve(archivetest.Suite{Name: "trixie", Label: "Derivative"})
	lacking := serve(archivetest.Debian("bookworm", "oldstable", vector))
	stale := archivetest.Debian("trixie", "stable", vector)
	stale.Date, stale.ValidUntil = time.Now().AddDate(0, -1, 0), time.Now().AddDate(0, 0, -20)
	expired := serve(stale)

	tests := []struct {
		name     string
		sources  []string
		official string
		named    string
		want     string
	}{
		{name: "the host's", sources: []string{good.URL}, official: official.URL, want: good.URL},
		{name: "with credentials", sources: []string{good.WithUser("user", "secret")}, want: good.WithUser("user", "secret")},
		{name: "another key", sources: []string{foreign.URL, good.URL}, want: good.URL},
		{name: "another label", sources: []string{derived.URL, good.URL}, want: good.URL},
		{name: "without the suite", sources: []string{lacking.URL, good.URL}, want: good.URL},
		{name: "out of reach", sources: []string{unreachable(t), good.URL}, want: good.URL},
		{name: "none fits", sources: []string{lacking.URL, foreign.URL}, official: official.URL, want: official.URL},
		{name: "no sources", official: official.URL, want: official.URL},
		{name: "named", sources: []string{good.URL}, official: official.URL, named: good.WithUser("a", "b"), want: good.WithUser("a", "b")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, o := signedByDebian(t, key), options(t)
			if tt.official != "" {
				a.URL = tt.official
			}
			if tt.named != "" {
				o.Mirrors = map[string]archive.Mirror{"debian": archive.Mirror(tt.named)}
			}
			o.Host = host(map[string]string{"apt/sources.list": oneLine(tt.sources)})
			got, err := archive.Open(t.Context(), a, []string{"amd64"}, o)
			if err != nil {
				t.Fatal(err)
			}
			if string(got.Mirror) != tt.want {
				t.Errorf("got mirror %s, want %s", got.Mirror, archive.Mirror(tt.want))
			}
		})
	}

	t.Run("an expired one is chosen and refused", func(t *testing.T) {
		a, o := signedByDebian(t, key), options(t)
		a.URL = official.URL
		o.Host = host(map[string]string{"apt/sources.list": oneLine([]string{expired.URL, good.URL})})
		_, err := archive.Open(t.Context(), a, []string{"amd64"}, o)
		checkRefusal(t, err, archive.Expired, expired.URL)
	})
	t.Run("all fail: the error tells of both", func(t *testing.T) {
		a, o := signedByDebian(t, key), options(t)
		o.Host = host(map[string]string{"apt/sources.list": oneLine([]string{foreign.WithUser("user", "secret")})})
		_, err := archive.Open(t.Context(), a, []string{"amd64"}, o)
		if err == nil || !strings.Contains(err.Error(), a.URL) || !strings.Contains(err.Error(), foreign.URL) || strings.Contains(err.Error(), "secret") {
			t.Errorf("got error %v, want one that names both roots and no secret", err)
		}
	})
	t.Run("a named one is not passed over", func(t *testing.T) {
		a, o := signedByDebian(t, key), options(t)
		o.Host = host(map[string]string{"apt/sources.list": oneLine([]string{good.URL})})
		o.Mirrors = map[string]archive.Mirror{"debian": archive.Mirror(lacking.URL)}
		_, err := archive.Open(t.Context(), a, []string{"amd64"}, o)
		var unknown *archive.UnknownSuiteError
		if !errors.As(err, &unknown) {
			t.Errorf("got error %v, want an UnknownSuiteError", err)
		}
	})
}

// oneLine writes one-line sources.
func oneLine(roots []string) string {
	var b strings.Builder
	for _, root := range roots {
		b.WriteString("deb " + root + " bookworm main\n")
	}
	return b.String()
}

// The folder of an archive is served through a file URL as well.
func TestFileMirror(t *testing.T) {
	a := archivetest.New(t, archivetest.Debian("trixie", "stable", vector))
	dir := t.TempDir()
	a.Write(t, dir)
	d, o := custom(a, "trixie"), options(t)
	o.Mirrors = map[string]archive.Mirror{"test": archive.Mirror("file://" + dir)}
	a.ResetRequests()
	got, err := archive.Open(t.Context(), d, []string{"amd64"}, o)
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

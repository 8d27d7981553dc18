package apt_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/testmirror"
)

var (
	sweep = flag.String("apt.sweep", "", "compare every package of the archive that matches this pattern")
	batch = flag.Int("apt.batch", 6, "packages of the archive that are installed together")
)

// operand is what the base of a PostgreSQL operand image is asked for beside
// all packages of priority required.
func operand(ix *apt.Index, major string) []string {
	names := []string{
		"apt", "postgresql-common", "ca-certificates", "gnupg",
		"libsasl2-modules", "libldap-common", "postgresql-" + major,
	}
	for _, p := range ix.ByPriority("required") {
		names = append(names, p.Name)
	}
	return names
}

// extensions are of all kinds: many libraries, programs, other languages'
// runtimes, virtual dependencies, alternatives.
var extensions = strings.Fields(`
	18-postgis-3 18-postgis-3-scripts 18-pgrouting 18-mobilitydb 18-plr 18-ogr-fdw 18-mysql-fdw
	18-timescaledb 18-pgvector 18-cron 18-pgaudit 18-h3 18-pointcloud 18-documentdb 18-powa 18-pgpool2
	18-pg-pwhash 18-snakeoil 18-squeeze 18-pglogical 18-auto-failover 18-pg-stat-kcache 18-wal2json
	18-decoderbufs 18-unit 18-partman 18-repack 18-rum 18-tds-fdw 18-plproxy 18-plsh 18-pllua 18-jsquery
	18-debversion 18-orafce 18-ip4r 18-rdkit 18-semver 18-prefix 18-hll 18-hypopg 18-age 18-pgtap 18-pgq3
	18-pgsphere 18-q3c 18-plprofiler 18-pldebugger 18-bgw-replstatus 18-pgnodemx 18-pgfincore 18-periods
	18-jit plpython3-18 plperl-18 pltcl-18 contrib server-dev-all client-18 filedump all 18`)

// others have nothing to do with PostgreSQL.
var others = strings.Fields(`
	nginx-full default-mta mailutils emacs-nox gnome-core python3-django openjdk-21-jdk texlive-latex-base
	build-essential libreoffice-writer vim-nox dovecot-imapd ruby-rails r-base qemu-system-x86 systemd-sysv
	kde-plasma-desktop apache2 php gcc-multilib default-jre postfix cups network-manager wine xfce4`)

// archiveCase is one suite of the real archive, and how much of it is
// compared.
type archiveCase struct {
	suite, arch, major string
	every              int // of the names above
}

// TestArchive compares Install with apt-get over the real archive: the base
// of an operand image, then packages on top of it and on an empty system.
func TestArchive(t *testing.T) {
	for _, c := range []archiveCase{
		{"forky", "amd64", "18", 1},
		{"forky", "arm64", "18", 4},
		{"trixie", "amd64", "17", 4},
		{"trixie", "arm64", "17", 4},
	} {
		t.Run(c.suite+"/"+c.arch, func(t *testing.T) { compareWithApt(t, c) })
	}
}

func compareWithApt(t *testing.T, c archiveCase) {
	t.Helper()
	list := testmirror.Packages(t, c.suite, c.arch)
	data, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	o := &oracleMemo{system: newSystem(t, c.arch, true), key: sha256.Sum256(data)}
	o.system.write(t, listName, string(data))
	ix := openIndex(t, list, c.arch)

	names := operand(ix, c.major)
	base, err := ix.Install(nil, names)
	if err != nil {
		t.Fatal(err)
	}
	want, err := o.install(t.Context(), t, names)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.added, labels(base)); diff != "" {
		t.Fatalf("base (-apt-get +got):\n%s", diff)
	}
	picked := pickPackages(ix, c)
	compareOn(t, ix, o, nil, picked)
	o.system.write(t, "status", statusOf(string(data), base))
	o.base = true
	compareOn(t, ix, o, base, picked)
}

// statusOf is the dpkg status of a system that has packages: their stanzas
// word for word, else apt sees other builds of the same version in them.
func statusOf(packagesFile string, installed []apt.Package) string {
	var b strings.Builder
	for _, p := range installed {
		start := strings.Index("\n"+packagesFile, "\nPackage: "+p.Name+"\n")
		text, _, _ := strings.Cut(packagesFile[start:], "\n\n")
		b.WriteString(strings.TrimSpace(text) + "\nStatus: install ok installed\n\n")
	}
	return b.String()
}

func openIndex(tb testing.TB, file, arch string) *apt.Index {
	tb.Helper()
	ix, err := apt.Load(tb.Context(), nil, []apt.File{{
		Archive: "debian", Suite: "suite", Component: "main", Arch: arch,
		Open: func() (io.ReadCloser, error) { return os.Open(file) },
	}}, arch)
	if err != nil {
		tb.Fatal(err)
	}
	return ix
}

// pickPackages returns every nth of the names that the archive has.
func pickPackages(ix *apt.Index, c archiveCase) []string {
	var out []string
	if *sweep != "" {
		for _, p := range ix.Matching(*sweep) {
			out = append(out, p.Name)
		}
		return out
	}
	n := 0
	for _, name := range append(append([]string{}, extensions...), others...) {
		for _, full := range []string{"postgresql-" + strings.ReplaceAll(name, "18", c.major), name} {
			if _, ok := ix.Candidate(full); ok {
				if n++; n%c.every == 0 {
					out = append(out, full)
				}
				break
			}
		}
	}
	return out
}

// compareOn compares the installation of names, a few at a time: an apt-get
// needs more than half a second to read its own cache. Two run in parallel.
func compareOn(t *testing.T, ix *apt.Index, o *oracleMemo, installed []apt.Package, names []string) {
	t.Helper()
	batches := slices.Collect(slices.Chunk(names, max(1, *batch)))
	differences := make([]string, len(batches))
	g, ctx := errgroup.WithContext(t.Context())
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, names := range batches {
		g.Go(func() error {
			out, err := o.install(ctx, t, names)
			want := verdict(out.added, out.removes, err)
			added, gotErr := ix.Install(installed, names)
			if got := verdict(labels(added), false, gotErr); got != want {
				differences[i] = fmt.Sprintf("%v on %d packages (-apt-get +got):\n%s%v\n%v",
					names, len(installed), cmp.Diff(strings.Split(want, ", "), strings.Split(got, ", ")), err, gotErr)
			}
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	equal := 0
	for _, d := range differences {
		if d == "" {
			equal++
			continue
		}
		t.Error(d)
	}
	t.Logf("%d packages on %d installed ones: %d of %d closures are equal", len(names), len(installed), equal, len(batches))
}

// oracleMemo is an apt-get whose answers are kept beside the downloads of
// testmirror.
type oracleMemo struct {
	system *system
	key    [sha256.Size]byte // of the Packages file
	base   bool
}

func (o *oracleMemo) install(ctx context.Context, tb testing.TB, names []string) (outcome, error) {
	tb.Helper()
	user, err := os.UserCacheDir()
	if err != nil {
		tb.Fatal(err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "3 %x %v %s", o.key, o.base, strings.Join(names, " ")))
	file := filepath.Join(user, "pgext-test", "apt-get", hex.EncodeToString(sum[:]))
	if text, err := os.ReadFile(file); err == nil {
		return outcome{added: strings.Split(string(text), "\n")}, nil
	}
	out, err := o.system.install(ctx, names)
	if err == nil && !out.removes && len(out.added) > 0 && os.MkdirAll(filepath.Dir(file), 0o755) == nil {
		_ = os.WriteFile(file, []byte(strings.Join(out.added, "\n")), 0o644) // only a memo
	}
	return out, err
}

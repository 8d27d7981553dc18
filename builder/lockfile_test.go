package builder_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/session"
)

// Two processes that lock different targets of a recipe lose nothing of each
// other.
func TestLocksOfTwoProcesses(t *testing.T) {
	f := newFixture(t, thing("1.0-1"))
	r := f.recipe("")
	var plans []*builder.Plan
	for _, arch := range []string{"amd64", "arm64"} {
		p, err := f.builder().Plan(t.Context(), r, recipe.Selection{Archs: []string{arch}}, builder.Keep)
		if err != nil {
			t.Fatal(err)
		}
		plans = append(plans, p)
	}
	for _, p := range plans {
		if err := p.WriteLock(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	l, err := lock.Parse("pgext.lock", []byte(f.read("pgext.lock")))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, target := range l.Targets {
		got = append(got, target.Arch)
	}
	if diff := cmp.Diff([]string{"amd64", "arm64"}, got); diff != "" {
		t.Errorf("locked architectures (-want +got):\n%s", diff)
	}
}

// Other archives than those of the lock are another resolution.
func TestLockFromOtherArchives(t *testing.T) {
	f := newFixture(t, thing("1.0-1"))
	r := f.recipe("")
	f.plan(f.builder(), r, builder.Keep)
	for _, tc := range []struct {
		name     string
		archives []string
		want     string
	}{
		{"the same", []string{"test"}, ""},
		{"another", []string{"pgdg"}, "was locked from other archives"},
		{"one more", []string{"test", "pgdg"}, "was locked from other archives"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := f.builder(func(o *session.Options) { o.Archives = tc.archives })
			_, err := b.Plan(t.Context(), r, recipe.Selection{Archs: []string{"amd64"}}, builder.Locked)
			switch {
			case tc.want == "":
				if err != nil {
					t.Errorf("got %v, want the pins of the lock", err)
				}
			case err == nil || !strings.HasSuffix(err.Error(), " is out of date: forky/18/amd64 "+tc.want):
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

// A lock that names a package otherwise than it names itself makes no image:
// its tag and its SBOM would tell of a version that it does not have.
func TestLockThatContradictsItsPackage(t *testing.T) {
	f := newFixture(t, thing("1.0-1"))
	r := f.recipe("")
	f.plan(f.builder(), r, builder.Keep)
	honest := f.read("pgext.lock")
	for _, tc := range []struct{ name, old, new, pinned string }{
		{"version", `"version":"1.0-1"`, `"version":"1.1-1"`, "postgresql-18-thing 1.1-1 amd64 (of source thing 1.0-1)"},
		{"name", `"package":"postgresql-18-thing"`, `"package":"postgresql-18-thong"`, "postgresql-18-thong 1.0-1 amd64 (of source thing 1.0-1)"},
		{"source", `"source":"thing"`, `"source":"other"`, "postgresql-18-thing 1.0-1 amd64 (of source other 1.0-1)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if !strings.Contains(honest, tc.old) {
				t.Fatalf("%s is not in the lock:\n%s", tc.old, honest)
			}
			f.write("pgext.lock", strings.Replace(honest, tc.old, tc.new, 1))
			b := f.builder()
			p, err := b.Plan(t.Context(), r, recipe.Selection{Archs: []string{"amd64"}}, builder.Locked)
			if err != nil {
				t.Fatal(err)
			}
			dist := t.TempDir()
			_, err = b.Build(t.Context(), p, dist)
			var untrue *builder.ContradictionError
			if !errors.As(err, &untrue) || untrue.ExitCode() != 13 || !strings.HasSuffix(untrue.Hint(), "pgext lock "+r.Path) {
				t.Fatalf("got %v, want a *ContradictionError", err)
			}
			want := "the lock has the digest of postgresql-18-thing 1.0-1 amd64 (of source thing 1.0-1) under the name of " + tc.pinned
			if untrue.Error() != want {
				t.Errorf("got %q, want %q", untrue, want)
			}
		})
	}
}

// A package that is damaged in the cache, its size right, is fetched again.
func TestLockedPackageDamagedInTheCache(t *testing.T) {
	f := newFixture(t, thing("1.0-1"))
	r := f.recipe("")
	before := f.build(f.builder(), f.plan(f.builder(), r, builder.Keep), t.TempDir())
	var err error
	if f.cache, err = cache.Open(f.cache.Dir()); err != nil { // as another process, which has verified nothing
		t.Fatal(err)
	}
	p := f.plan(f.builder(), r, builder.Locked)
	for _, pin := range p.Lock.Targets[0].Packages {
		file := filepath.Join(f.cache.Dir(), "v1", "blobs", "sha256", pin.SHA256[:2], pin.SHA256)
		if err := errors.Join(os.Chmod(file, 0o600), os.WriteFile(file, make([]byte, pin.Size), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if after := f.build(f.builder(), p, t.TempDir()); after.Digest != before.Digest {
		t.Errorf("got digest %s, want %s", after.Digest, before.Digest)
	}
}

// A report is about what its tag names.
func TestReportsGoWithTheirArchitecture(t *testing.T) {
	f := newFixture(t, thing("1.0-1"))
	r, b, dist := f.recipe(""), f.builder(), t.TempDir()
	image := f.build(b, f.plan(b, r, builder.Keep), dist)
	report := func(arch string) string {
		return filepath.Join(dist, image.Name, image.Tags[0]+"-"+arch+".report.json")
	}
	p, err := b.Plan(t.Context(), r, recipe.Selection{Archs: []string{"arm64"}}, builder.Keep)
	if err != nil {
		t.Fatal(err)
	}
	f.build(b, p, dist)
	if _, err := os.Stat(report("arm64")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(report("amd64")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the report about amd64, which the tag no longer has, is still there (%v)", err)
	}
}

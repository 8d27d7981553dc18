package builder_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/imagetest"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/pgtest"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/session"
)

// statuses are the checks of a result, one a line.
func statuses(r pgtest.Result) []string {
	var out []string
	for _, c := range r.Checks {
		out = append(out, strings.TrimSpace(string(c.Status)+" "+c.Name+": "+c.Detail))
	}
	return out
}

// withoutLayers is the image with its last layer only, which is the
// extension's.
func withoutLayers(t *testing.T, img v1.Image) v1.Image {
	t.Helper()
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	out, err := image.New(image.Spec{
		Platform: *config.Platform(), Labels: config.Config.Labels,
		Parts: []image.Part{{Layer: layers[len(layers)-1]}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRead: an image that cannot be run is judged by its files and the base;
// that is not a test.
func TestRead(t *testing.T) {
	f := operandFixture(t)
	if err := image.At(filepath.Join(f.dir, "operands")).Write(t.Context(), image.Output{Set: oci.Set{Index: operandIndex(t, "amd64", "arm64")}, Tags: []string{"18"}}); err != nil {
		t.Fatal(err)
	}
	r := onOperand(t, f, "oci:operands:18")
	b := f.builder()
	p := f.plan(b, r, builder.Keep)
	if err := p.WriteLock(t.Context()); err != nil {
		t.Fatal(err)
	}
	built := f.build(b, p, t.TempDir())
	artifact, err := image.At(built.Path).Open(built.Tags[0])
	if err != nil {
		t.Fatal(err)
	}
	trials, err := imagetest.Subjects(artifact, "thing", r)
	if err != nil {
		t.Fatal(err)
	}
	arm := trials[1]
	sound := []string{
		"pass layers:", "pass files:", "pass objects:", "pass extensions:", "pass label:", "pass libraries:", "skip run: it is too hot",
	}
	broken := []string{
		"pass layers:", "pass files:", "pass objects:", "pass extensions:",
		"fail label: PGX049 warning: system: the label lists this directory, but it is missing or empty in the image",
		"fail libraries: PGX001 error: lib/thing.so: needs libx.so.1, which neither the base nor the image has",
		"skip run: it is too hot",
	}
	without := arm
	without.Image = withoutLayers(t, arm.Image)
	check := func(name string, s *session.Session, trial imagetest.Subject, want []string) {
		t.Helper()
		got, err := imagetest.New(s).CheckFiles(t.Context(), trial, "it is too hot")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, statuses(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if !got.Skipped() {
			t.Errorf("%s: it counts as tested", name)
		}
	}
	check("sound", f.session(), arm, sound)
	check("without its libraries", f.session(), without, broken)

	// The lock is enough, and so is the base without a lock.
	if err := os.Rename(filepath.Join(f.dir, "operands"), filepath.Join(f.dir, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	f.cache = newCache(t)
	offline := func() *session.Session {
		return f.session(func(o *session.Options) { o.Fetcher = fetch.New(o.Cache, fetch.Options{Offline: true}) })
	}
	check("by the lock", offline(), arm, sound)
	check("by the lock, without its libraries", offline(), without, broken)
	if err := os.Rename(filepath.Join(f.dir, "elsewhere"), filepath.Join(f.dir, "operands")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(recipe.LockPath(r.Path)); err != nil {
		t.Fatal(err)
	}
	check("by the base, without its libraries", offline(), without, broken)

	// What cannot be known is not passed.
	stranger := without
	stranger.Recipe, stranger.Metadata.Distro = nil, "nowhere"
	got, err := imagetest.New(offline()).CheckFiles(t.Context(), stranger, "it is too hot")
	if err != nil {
		t.Fatal(err)
	}
	if last := statuses(got)[5]; !strings.HasPrefix(last, "skip libraries: ") {
		t.Errorf("without a base: %s", last)
	}
}

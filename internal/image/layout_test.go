package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/oracle"
)

// isDamaged reports whether err is the error for a blob with another digest or
// size.
func isDamaged(err error) bool {
	var e *failure.Error
	return errors.As(err, &e) && e.ExitCode() == 13 && strings.Contains(e.Error(), "mismatch")
}

func write(tb testing.TB, l *Layout, o Output) {
	tb.Helper()
	if err := l.Write(context.Background(), o); err != nil {
		tb.Fatal(err)
	}
}

// state is every file of a folder with its time and size.
func state(tb testing.TB, dir string) map[string]string {
	tb.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		out[name] = fmt.Sprint(info.Size(), info.ModTime(), info.Mode())
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// listing is index.json as text: tag or artifact type, and digest.
func listing(tb testing.TB, l *Layout) []string {
	tb.Helper()
	all, err := l.Entries()
	if err != nil {
		tb.Fatal(err)
	}
	var out []string
	for _, d := range all {
		out = append(out, d.Annotations[oci.RefName]+d.ArtifactType+" "+d.Digest.Hex[:12])
	}
	return out
}

// referrer is an artifact about subject.
func referrer(tb testing.TB, subject partial.Describable, artifactType, content string) v1.Image {
	tb.Helper()
	img, err := oci.NewReferrer(subject, oci.Referrer{ArtifactType: artifactType, MediaType: "application/json", Content: []byte(content)})
	if err != nil {
		tb.Fatal(err)
	}
	return img
}

func TestWrite(t *testing.T) {
	c := newCache(t)
	l := At(Path(t.TempDir(), "pgvector"))
	idx := buildIndex(t, c, "amd64", "arm64")
	if _, ok := l.Current("1-18-trixie"); ok {
		t.Error("Current() of a layout that is not there is true")
	}
	write(t, l, Output{Set: oci.Set{Index: idx}, Tags: []string{"1-18-trixie", "1-202603011200-18-trixie"}})
	want := digestOf(t, idx)
	short := want.Hex[:12]
	if diff := cmp.Diff(listing(t, l), []string{"1-18-trixie " + short, "1-202603011200-18-trixie " + short}); diff != "" {
		t.Errorf("index.json (-got +want):\n%s", diff)
	}
	if got, ok := At(l.Dir()).Current("1-18-trixie"); got != want || !ok {
		t.Errorf("Current() = %v, %v; want %v", got, ok, want)
	}
	a, err := l.Open("1-18-trixie")
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(a.Index); err != nil || len(a.Images) != 2 {
		t.Errorf("validate.Index() = %v, %d images", err, len(a.Images))
	}

	t.Run("twice touches nothing", func(t *testing.T) {
		before := state(t, l.Dir())
		write(t, At(l.Dir()), Output{Set: oci.Set{Index: buildIndex(t, newCache(t), "arm64", "amd64")}, Tags: []string{"1-18-trixie", "1-202603011200-18-trixie"}})
		if diff := cmp.Diff(state(t, l.Dir()), before); diff != "" {
			t.Errorf("files (-after +before):\n%s", diff)
		}
	})
	t.Run("damage is seen and repaired", func(t *testing.T) {
		before := state(t, l.Dir())
		blobs, err := filepath.Glob(filepath.Join(l.Dir(), "blobs", "sha256", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for i, blob := range blobs {
			if i%2 == 0 {
				err = os.Remove(blob)
			} else {
				err = os.WriteFile(blob, []byte("damaged"), 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := l.Current("1-18-trixie"); ok {
				t.Errorf("Current() is true without %s", filepath.Base(blob))
			}
			write(t, l, Output{Set: oci.Set{Index: idx}, Tags: []string{"1-18-trixie"}})
			if _, ok := l.Current("1-18-trixie"); !ok {
				t.Errorf("Current() is false after %s was written again", filepath.Base(blob))
			}
		}
		if after := state(t, l.Dir()); len(after) != len(before) {
			t.Errorf("%d files, were %d", len(after), len(before))
		}
	})
}

// TestWriteReplaces shows what later writes leave of earlier ones.
func TestWriteReplaces(t *testing.T) {
	c := newCache(t)
	l := At(t.TempDir())
	first, second := buildIndex(t, c, "amd64"), buildIndex(t, c, "arm64")
	sbom := referrer(t, first, "application/spdx+json", "one")
	signature := referrer(t, sbom, "application/vnd.dev.sigstore.bundle.v0.3+json", "signature of the SBOM")
	name := func(prefix string, d interface{ Digest() (v1.Hash, error) }) string {
		return prefix + " " + digestOf(t, d).Hex[:12]
	}
	for _, step := range []struct {
		name string
		o    Output
		want []string
	}{
		{
			"a tag and referrers",
			Output{Set: oci.Set{Index: first, Referrers: []v1.Image{sbom, signature}}, Tags: []string{"moving", "fixed"}},
			[]string{name("fixed", first), name("moving", first), name("application/spdx+json", sbom), name("application/vnd.dev.sigstore.bundle.v0.3+json", signature)},
		},
		{
			"another build takes the tag, the first keeps its own",
			Output{Set: oci.Set{Index: second}, Tags: []string{"moving"}},
			[]string{name("fixed", first), name("moving", second), name("application/spdx+json", sbom), name("application/vnd.dev.sigstore.bundle.v0.3+json", signature)},
		},
		{
			"a referrer takes another's place",
			Output{Set: oci.Set{Referrers: []v1.Image{referrer(t, first, "application/spdx+json", "two")}}, Replace: true},
			[]string{name("fixed", first), name("moving", second), name("application/spdx+json", referrer(t, first, "application/spdx+json", "two"))},
		},
		{
			"the last tag goes, and the referrers with it",
			Output{Set: oci.Set{Index: second}, Tags: []string{"fixed"}},
			[]string{name("fixed", second), name("moving", second)},
		},
	} {
		t.Run(step.name, func(t *testing.T) {
			write(t, l, step.o)
			got := listing(t, l)
			slices.Sort(got[2:])
			slices.Sort(step.want[2:])
			if diff := cmp.Diff(got, step.want); diff != "" {
				t.Errorf("index.json (-got +want):\n%s", diff)
			}
		})
	}
	fresh := At(t.TempDir())
	write(t, fresh, Output{Set: oci.Set{Index: second}, Tags: []string{"moving", "fixed"}})
	if diff := cmp.Diff(keys(state(t, l.Dir())), keys(state(t, fresh.Dir()))); diff != "" {
		t.Errorf("files after all of it (-got +in a fresh layout):\n%s", diff)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func keys(m map[string]string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func TestReferrers(t *testing.T) {
	l := At(t.TempDir())
	idx := buildIndex(t, newCache(t), "amd64")
	sbom := referrer(t, idx, "application/spdx+json", "[]")
	write(t, l, Output{Set: oci.Set{Index: idx, Referrers: []v1.Image{sbom}}, Tags: []string{"a"}})
	got, err := l.Referrers(digestOf(t, idx))
	if err != nil || len(got) != 1 || digestOf(t, got[0]) != digestOf(t, sbom) {
		t.Errorf("Referrers() = %v, %v", got, err)
	}
	raw, err := got[0].RawManifest()
	want := strings.NewReplacer("SUBJECT", digestOf(t, idx).String(), "SIZE", fmt.Sprint(must(idx.Size()))).Replace(`{
 "artifactType": "application/spdx+json",
 "config": {
  "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
  "mediaType": "application/vnd.oci.empty.v1+json",
  "size": 2
 },
 "layers": [
  {
   "digest": "sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945",
   "mediaType": "application/json",
   "size": 2
  }
 ],
 "mediaType": "application/vnd.oci.image.manifest.v1+json",
 "schemaVersion": 2,
 "subject": {
  "digest": "SUBJECT",
  "mediaType": "application/vnd.oci.image.index.v1+json",
  "size": SIZE
 }
}
`)
	if diff := cmp.Diff(indented(t, raw, err), want); diff != "" {
		t.Errorf("manifest (-got +want):\n%s", diff)
	}
	if got, err := l.Referrers(digestOf(t, sbom)); err != nil || got != nil {
		t.Errorf("Referrers() of the SBOM = %v, %v", got, err)
	}
	if err := l.Write(t.Context(), Output{Set: oci.Set{Referrers: []v1.Image{build(t, newCache(t), "amd64")}}}); err == nil || !strings.HasSuffix(err.Error(), "has no subject") {
		t.Errorf("Write() of a referrer of nothing: %v", err)
	}
}

// TestWriters lets several builds write into one layout.
func TestWriters(t *testing.T) {
	dir := t.TempDir()
	c := newCache(t)
	idx := buildIndex(t, c, "amd64")
	var want []string
	var wg sync.WaitGroup
	for i := range 12 {
		tag := fmt.Sprintf("tag-%02d", i)
		want = append(want, tag+" "+digestOf(t, idx).Hex[:12])
		wg.Go(func() {
			if err := At(dir).Write(context.Background(), Output{Set: oci.Set{Index: idx}, Tags: []string{tag}}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(listing(t, At(dir)), want); diff != "" {
		t.Errorf("index.json (-got +want):\n%s", diff)
	}
}

func TestWriteInterrupted(t *testing.T) {
	l := At(t.TempDir())
	c := newCache(t)
	write(t, l, Output{Set: oci.Set{Index: buildIndex(t, c, "amd64")}, Tags: []string{"a"}})
	before := listing(t, l)
	broken, err := New(Spec{Platform: v1.Platform{Architecture: "arm64"}, Epoch: newer, Parts: []Part{
		{layer(t, libraries(t), LayerOptions{Cache: c}), ""}, {lying{layer(t, vector(t), LayerOptions{Cache: c, Compression: Zstd})}, ""},
	}})
	if err != nil {
		t.Fatal(err)
	}
	idx, err := NewIndex([]v1.Image{broken}, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = l.Write(t.Context(), Output{Set: oci.Set{Index: idx}, Tags: []string{"a"}})
	if !isDamaged(err) {
		t.Errorf("Write() of a layer that is not what it says: %v", err)
	}
	if diff := cmp.Diff(listing(t, l), before); diff != "" {
		t.Errorf("index.json (-got +before):\n%s", diff)
	}
	if _, ok := At(l.Dir()).Current("a"); !ok {
		t.Error("the old image is not whole any more")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	unlock, err := LockDir(ctx, l.Dir())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if err := l.Write(ctx, Output{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Write() beside another writer = %v, want a deadline exceeded", err)
	}
}

// lying is a layer whose digest belongs to other bytes.
type lying struct{ v1.Layer }

func (lying) Digest() (v1.Hash, error) {
	return v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("0", 64)}, nil
}

// TestWriteRefuses: what is not its digest's never stands under its name.
func TestWriteRefuses(t *testing.T) {
	good := layer(t, vector(t), LayerOptions{Cache: newCache(t)})
	for _, tc := range []struct {
		name  string
		layer v1.Layer
	}{
		{"other bytes", lying{good}},
		{"bytes without end", endless{good}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := At(t.TempDir())
			img, err := New(Spec{Platform: v1.Platform{Architecture: "arm64"}, Epoch: newer, Parts: []Part{{tc.layer, ""}}})
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Write(t.Context(), Output{Set: oci.Set{Images: []v1.Image{img}}, Tags: []string{"a"}}); !isDamaged(err) {
				t.Errorf("Write() = %v", err)
			}
			for name := range state(t, l.Dir()) {
				if strings.HasPrefix(name, "blobs/") || strings.HasPrefix(name, temporary) {
					t.Errorf("%s is there", name)
				}
			}
		})
	}
}

// TestDeviceIsNoBlob: a layout may come from a stranger's disk.
func TestDeviceIsNoBlob(t *testing.T) {
	l := At(t.TempDir())
	idx := buildIndex(t, newCache(t), "amd64")
	write(t, l, Output{Set: oci.Set{Index: idx}, Tags: []string{"a"}})
	img := must(idx.Image(must(idx.IndexManifest()).Manifests[0].Digest))
	blob := filepath.Join(l.Dir(), "blobs", "sha256", must(img.Manifest()).Layers[0].Digest.Hex)
	if err := errors.Join(os.Remove(blob), os.Symlink("/dev/zero", blob)); err != nil {
		t.Fatal(err)
	}
	if _, ok := At(l.Dir()).Current("a"); ok {
		t.Error("Current() is true")
	}
}

// endless is a layer whose bytes do not end.
type endless struct{ v1.Layer }

func (endless) Compressed() (io.ReadCloser, error) { return io.NopCloser(zeros{}), nil }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestLeftoversAreRemoved(t *testing.T) {
	l := At(t.TempDir())
	write(t, l, Output{Set: oci.Set{Index: buildIndex(t, newCache(t), "amd64")}, Tags: []string{"a"}})
	before := keys(state(t, l.Dir()))
	for _, name := range []string{".pgext-123", "blobs/sha256/" + strings.Repeat("0", 64)} {
		if err := os.WriteFile(filepath.Join(l.Dir(), name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(t, l, Output{})
	if diff := cmp.Diff(keys(state(t, l.Dir())), before); diff != "" {
		t.Errorf("files (-got +want):\n%s", diff)
	}
}

func TestSkopeo(t *testing.T) {
	skopeo := oracle.Need(t, "skopeo")
	l := At(t.TempDir())
	idx := buildIndex(t, newCache(t), "amd64", "arm64")
	write(t, l, Output{Set: oci.Set{Index: idx}, Tags: []string{"a", "b"}})
	for _, arch := range []string{"amd64", "arm64"} {
		out, err := exec.Command(skopeo, "--override-arch", arch, "inspect", "oci:"+l.Dir()+":b").CombinedOutput()
		if err != nil {
			t.Fatalf("skopeo inspect: %v\n%s", err, out)
		}
		var got struct {
			Architecture string
			Created      time.Time
			Labels       map[string]string
			Layers       []string
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		if got.Architecture != arch || !got.Created.Equal(newer) || got.Labels["a"] != "1" || len(got.Layers) != 2 {
			t.Errorf("skopeo inspect: %s", out)
		}
	}
	target := "oci:" + t.TempDir() + ":copy"
	if out, err := exec.Command(skopeo, "copy", "--all", "oci:"+l.Dir()+":a", target).CombinedOutput(); err != nil {
		t.Errorf("skopeo copy: %v\n%s", err, out)
	}
}

func TestUmoci(t *testing.T) {
	umoci := oracle.Need(t, "umoci")
	c := newCache(t)
	l := At(t.TempDir())
	write(t, l, Output{Set: oci.Set{Index: buildIndex(t, c, "amd64")}, Tags: []string{"a"}})
	bundle := filepath.Join(t.TempDir(), "bundle")
	if out, err := exec.Command(umoci, "unpack", "--rootless", "--image", l.Dir()+":a", bundle).CombinedOutput(); err != nil {
		t.Fatalf("umoci unpack: %v\n%s", err, out)
	}
	a, err := l.Open("a")
	if err != nil {
		t.Fatal(err)
	}
	flat, err := Flatten(t.Context(), a.Images[0], FlattenOptions{Cache: c})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(flat.Tree.Dump(), onDisk(t, filepath.Join(bundle, "rootfs")).Dump()); diff != "" {
		t.Errorf("files (-read back +unpacked by umoci):\n%s", diff)
	}
}

// BenchmarkCurrent asks in a new process whether anything must be done.
func BenchmarkCurrent(b *testing.B) {
	c := newCache(b)
	dir := b.TempDir()
	write(b, At(dir), Output{Set: oci.Set{Index: buildIndex(b, c, "amd64", "arm64")}, Tags: []string{"a"}})
	for b.Loop() {
		if _, ok := At(dir).Current("a"); !ok {
			b.Fatal("not current")
		}
	}
}

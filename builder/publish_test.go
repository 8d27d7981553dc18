package builder_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/location"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/publish"
	"github.com/pgext/pgext/internal/registry"
)

// attester makes a signature and a layer for older tools.
type attester struct {
	repo string
	err  error
}

func (a *attester) Attest(_ context.Context, repo string, about oci.Set) (oci.Set, error) {
	if a.err != nil {
		return oci.Set{}, a.err
	}
	a.repo = repo
	signed, err := oci.NewReferrer(about.Index, oci.Referrer{ArtifactType: "application/x", Content: []byte("signed")})
	if err != nil {
		return oci.Set{}, err
	}
	legacy, err := oci.NewReferrer(about.Index, oci.Referrer{ArtifactType: "application/y", Content: []byte("legacy")})
	return oci.Set{Referrers: []v1.Image{signed}, Legacy: map[string]v1.Image{oci.SignatureTag(about.Digest): legacy}}, err
}

// TestPublishAttested carries an image with what is made on the way through a
// registry into a layout.
func TestPublishAttested(t *testing.T) {
	ctx := t.Context()
	server := httptest.NewServer(registry.Memory())
	t.Cleanup(server.Close)
	repo := strings.TrimPrefix(server.URL, "http://") + "/ext/thing"
	client := registry.New(registry.Options{})
	idx := operandIndex(t, "amd64")
	out := t.TempDir()
	if err := image.At(image.Path(out, "thing")).Write(ctx, image.Output{Set: oci.Set{Index: idx}, Tags: []string{"1-18-forky", "1-202601020304-18-forky"}}); err != nil {
		t.Fatal(err)
	}
	dist, err := location.Dist(out)
	if err != nil || len(dist) != 1 {
		t.Fatalf("Dist() = %+v, %v", dist, err)
	}
	refused := errors.New("no key")
	if _, err := publish.Publish(ctx, dist[0], repo, client, &attester{err: refused}); !errors.Is(err, refused) {
		t.Errorf("Publish() without a key = %v", err)
	}
	if _, err := client.Resolve(ctx, repo+":1-18-forky"); err == nil {
		t.Error("it was published all the same")
	}

	a := &attester{}
	got, err := publish.Publish(ctx, dist[0], repo, client, a)
	want := publish.Published{Repository: repo, Digest: dist[0].Digest, Tags: dist[0].Tags, Referrers: 1, Evidence: 1}
	if diff := cmp.Diff(got, want); diff != "" || err != nil || a.repo != repo {
		t.Errorf("Publish() = %v, of %s (-got +want):\n%s", err, a.repo, diff)
	}

	copied := oci.Ref{Layout: filepath.Join(out, "copy")}
	all, err := location.TagsIn(ctx, client, oci.Ref{Repository: repo})
	if err != nil || len(all) != 1 || !cmp.Equal(all[0].Tags, dist[0].Tags) {
		t.Fatalf("TagsIn() = %+v, %v", all, err)
	}
	c, err := publish.Copy(ctx, client, oci.Ref{Repository: repo, Digest: all[0].Digest}, copied, all[0].Tags)
	if err != nil || c.Referrers != 2 || c.Evidence != 1 { // what lies under the tag has a subject, too
		t.Errorf("Copy() = %+v, %v", c, err)
	}
	if digest, ok := image.At(copied.Layout).Current("1-18-forky"); !ok || digest.String() != dist[0].Digest {
		t.Errorf("the copy is %v, %t", digest, ok)
	}
}

// TestPublishInVain: what a tag that never moves forbids is not signed either.
func TestPublishInVain(t *testing.T) {
	server := httptest.NewServer(registry.Memory())
	t.Cleanup(server.Close)
	repo := strings.TrimPrefix(server.URL, "http://") + "/ext/thing"
	client := registry.New(registry.Options{})
	for i, arch := range []string{"amd64", "arm64"} {
		out := t.TempDir()
		if err := image.At(image.Path(out, "thing")).Write(t.Context(), image.Output{Set: oci.Set{Index: operandIndex(t, arch)}, Tags: []string{"1-202601020304-18-forky"}}); err != nil {
			t.Fatal(err)
		}
		link := filepath.Join(t.TempDir(), "dist")
		if err := os.Symlink(out, link); err != nil {
			t.Fatal(err)
		}
		dist, err := location.Dist(link)
		if err != nil || len(dist) != 1 || dist[0].Name != "thing" {
			t.Fatalf("Dist() of a link = %+v, %v", dist, err)
		}
		a := &attester{}
		_, err = publish.Publish(t.Context(), dist[0], repo, client, a)
		refused := err != nil && strings.Contains(err.Error(), "never moves")
		if first := i == 0; refused == first || (a.repo != "") != first {
			t.Errorf("Publish() of %s = %v, attested for %q", arch, err, a.repo)
		}
	}
}

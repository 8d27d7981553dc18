package registry

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/registry/registrytest"
)

// deep is a publication with a referrer of a referrer, one that is an index,
// and evidence about a referrer.
func deep(tb testing.TB, text string) Publication {
	tb.Helper()
	p := full(tb, text)
	sbom := p.Referrers[0]
	about := must(partial.Descriptor(sbom))
	inside := mutate.IndexMediaType(quickIndex(tb, text+" inside"), types.OCIImageIndex)
	idx := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{Add: inside})
	p.ReferrerIndexes = []v1.ImageIndex{mutate.Subject(idx, *about).(v1.ImageIndex)}
	p.Referrers = append(p.Referrers, newReferrer(tb, sbom, "application/vnd.example.signature"))
	p.Legacy[oci.SignatureTag(digestOf(tb, sbom))] = newIndexImage(tb, text+" of the SBOM")
	return p
}

// TestCollect carries an image from each kind of registry to each.
func TestCollect(t *testing.T) {
	hosts := map[string]string{"API": serve(t, Memory()), "fallback": serve(t, plain()), "docker-registry": registrytest.Docker(t)}
	p := deep(t, "deep")
	want := expected(t, p)
	for from, host := range hosts {
		t.Run(from, func(t *testing.T) {
			must(quick().Push(t.Context(), host+"/from", p))
			got, err := quick().Collect(t.Context(), host+"/from:"+p.Moving[0])
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Referrers) != len(p.Referrers) || len(got.ReferrerIndexes) != 1 || len(got.Legacy) != 2 || len(got.Missing) != 0 {
				t.Errorf("%d referrers, %d indexes, %d of evidence, %d missing", len(got.Referrers), len(got.ReferrerIndexes), len(got.Legacy), len(got.Missing))
			}
			q := Publication{Set: got, Moving: p.Moving, Immutable: p.Immutable}
			for to, target := range hosts {
				repo := target + "/from-" + strings.ToLower(from)
				if _, err := quick().Push(t.Context(), repo, q); err != nil {
					t.Errorf("to %s: Push() = %v", to, err)
				} else if diff := cmp.Diff(stateOf(t, repo, p), want); diff != "" {
					t.Errorf("to %s (-got +want):\n%s", to, diff)
				}
			}
		})
	}
}

// TestCollectMissing lists a referrer that is not there.
func TestCollectMissing(t *testing.T) {
	p := full(t, "a")
	gone := digestOf(t, p.Referrers[0])
	r := &recording{next: plain()}
	repo := serve(t, r) + "/x"
	must(quick().Push(t.Context(), repo, p))
	r.reset(times(-1, http.MethodGet, "/manifests/"+gone.String(), http.StatusNotFound))
	got, err := quick().Collect(t.Context(), repo+":"+p.Moving[0])
	if err != nil || !slices.Equal(got.Missing, []v1.Hash{gone}) || len(got.Referrers) != len(p.Referrers)-1 {
		t.Errorf("Collect() = %v, %v", got.Missing, err)
	}
	_, err = quick().Collect(t.Context(), repo+":nope")
	checkError(t, err, "check the name; a private repository is visible after: docker login "+strings.TrimSuffix(repo, "/x"))
}

// TestCollectBounded: what a registry gives beyond what it announced is refused.
func TestCollectBounded(t *testing.T) {
	p := full(t, "a")
	img := must(p.Index.Image(must(p.Index.IndexManifest()).Manifests[0].Digest))
	layer := must(img.Manifest()).Layers[0]
	next := Memory()
	r := &recording{next: next}
	repo := serve(t, r) + "/x"
	must(quick().Push(t.Context(), repo, p))

	t.Run("a blob that goes on", func(t *testing.T) {
		r.reset(func(w http.ResponseWriter, req *http.Request) bool {
			if req.Method != http.MethodGet || !strings.HasSuffix(req.URL.Path, "/blobs/"+layer.Digest.String()) {
				return false
			}
			w.WriteHeader(http.StatusOK) // no Content-Length
			for chunk := make([]byte, 64<<10); req.Context().Err() == nil; {
				if _, err := w.Write(chunk); err != nil {
					break
				}
			}
			return true
		})
		got := must(quick().Collect(t.Context(), repo+":"+p.Moving[0]))
		blob, err := must(must(got.Index.Image(must(got.Index.IndexManifest()).Manifests[0].Digest)).LayerByDigest(layer.Digest)).Compressed()
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, blob)
		if err == nil || n > layer.Size || !strings.Contains(err.Error(), "more than ") {
			t.Errorf("reading %d bytes of %d: %v", n, layer.Size, err)
		}
		if err := blob.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Run("manifests without end", func(t *testing.T) {
		r.reset(nil)
		s := must(quick().session(t.Context(), must(name.NewRepository(repo)), transport.PullScope))
		s.spent.Store(maxOpened - 2*minOpened) // for the index and one of its images
		if _, _, err := s.open(t.Context(), p.Moving[0], 0); err == nil || !strings.Contains(err.Error(), "exceed the limit") {
			t.Errorf("open() = %v", err)
		}
		s.spent.Store(maxOpened)
		if _, err := s.referrers(t.Context(), digestOf(t, p.Index)); err == nil || !strings.Contains(err.Error(), "exceed the limit") {
			t.Errorf("referrers() = %v", err)
		}
	})
}

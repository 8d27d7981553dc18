package image

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// TestBesides: every entry of an index is an image of an architecture, an
// attestation, or said to be unread.
func TestBesides(t *testing.T) {
	var idx v1.ImageIndex = empty.Index
	for _, d := range []v1.Descriptor{
		{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}},
		{},
		{Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}},
		{Platform: &v1.Platform{OS: "linux", Architecture: "unknown"}},
		{MediaType: types.OCIImageIndex},
	} {
		idx = mutate.AppendManifests(idx, mutate.IndexAddendum{Add: plain(t, tarOf(t, member("f 1"))), Descriptor: d})
	}
	a, err := FromIndex(idx)
	if err != nil {
		t.Fatal(err)
	}
	rest, err := Besides(idx)
	if err != nil {
		t.Fatal(err)
	}
	got := [3]int{len(a.Images), len(rest.Attestations), len(rest.Unread)}
	if diff := cmp.Diff(got, [3]int{2, 1, 2}); diff != "" {
		t.Errorf("images, attestations, unread (-got +want):\n%s", diff)
	}
}

package image

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

func TestSelect(t *testing.T) {
	images := map[string]v1.Image{}
	var idx v1.ImageIndex = empty.Index
	for _, p := range []v1.Platform{
		{OS: "unknown", Architecture: "unknown"},
		{OS: "linux", Architecture: "amd64"},
		{OS: "linux", Architecture: "arm", Variant: "v7"},
		{OS: "linux", Architecture: "arm64", Variant: "v8"},
	} {
		img, err := mutate.ConfigFile(plain(t, tarOf(t, member("f"+p.Architecture+" 1"))), &v1.ConfigFile{
			OS: p.OS, Architecture: p.Architecture, Variant: p.Variant, RootFS: v1.RootFS{Type: "layers"},
		})
		if err != nil {
			t.Fatal(err)
		}
		images[p.Architecture] = img
		idx = mutate.AppendManifests(idx, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &p}})
	}
	index, err := FromIndex(idx)
	if err != nil {
		t.Fatal(err)
	}
	alone, err := FromImage(images["amd64"])
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		from Artifact
		want v1.Platform
		got  string // "" for none
	}{
		{"the index has it", index, v1.Platform{OS: "linux", Architecture: "amd64"}, "amd64"},
		{"a variant that was not asked for", index, v1.Platform{OS: "linux", Architecture: "arm64"}, "arm64"},
		{"another variant", index, v1.Platform{OS: "linux", Architecture: "arm", Variant: "v5"}, ""},
		{"not there", index, v1.Platform{OS: "linux", Architecture: "s390x"}, ""},
		{"another system", index, v1.Platform{OS: "windows", Architecture: "amd64"}, ""},
		{"no index", alone, v1.Platform{OS: "linux", Architecture: "amd64"}, "amd64"},
		{"no index, another one", alone, v1.Platform{OS: "linux", Architecture: "arm64"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			img, ok, err := tc.from.Select(tc.want)
			if err != nil || ok != (tc.got != "") {
				t.Fatalf("Select() = %v, %v", ok, err)
			}
			if !ok {
				return
			}
			got, err := img.Digest()
			if err != nil {
				t.Fatal(err)
			}
			if want, err := images[tc.got].Digest(); err != nil || got != want {
				t.Errorf("Select() = %s, want %s of %s (%v)", got, want, tc.got, err)
			}
		})
	}
}

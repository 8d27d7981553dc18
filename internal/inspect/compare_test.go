package inspect

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/oci"
)

func TestCompare(t *testing.T) {
	libraries := layer(t, types.OCILayer, member{path: "system/libx.so.1", content: object("amd64", "libx.so.1")})
	before := vector("amd64")
	after := []member{
		{path: "lib/vector.so", content: object("amd64", "", "libc.so.6", "libm.so.6")},
		{path: "share/extension/vector.control", content: "default_version = '0.9'\n"},
		{path: "share/extension/vector--0.9.sql", content: "select 1;\n"},
	}
	newer := label(t, func(m *metadata.Metadata) { m.Version, m.Extensions[0].Version = "0.9", "0.9" })
	take1 := func(img v1.Image) Result {
		idx := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: img})
		a, err := oci.FromIndex(idx)
		return take(t, a, err)
	}
	a := take1(made(t, "amd64", label(t, nil), libraries, layer(t, types.OCILayer, append(before, database("p", "1-1", before...)...)...)))
	b := take1(made(t, "amd64", newer, libraries, layer(t, types.OCILayer, append(after, database("p", "1-2", after...)...)...)))

	t.Run("an update", func(t *testing.T) {
		got := Compare(a, b)
		if got.Identical || len(got.Images) != 1 || got.Images[0].Same() {
			t.Fatalf("Compare() = %+v", got)
		}
		d := got.Images[0]
		wantNamed := map[string][]NamedChange{
			"extensions": {{"vector", Change[string]{"0.8.1", "0.9"}}},
			"packages":   {{"p", Change[string]{"1-1", "1-2"}}},
			"needs":      {{"libm.so.6", Change[string]{"", "needed"}}},
		}
		if diff := cmp.Diff(wantNamed, map[string][]NamedChange{"extensions": d.Extensions, "packages": d.Packages, "needs": d.Needs}); diff != "" {
			t.Errorf("named changes (-want +got):\n%s", diff)
		}
		var files []string
		for _, f := range d.Files {
			switch {
			case f.A == nil:
				files = append(files, "+ "+f.Path)
			case f.B == nil:
				files = append(files, "- "+f.Path)
			default:
				files = append(files, "~ "+f.Path)
			}
		}
		wantFiles := []string{
			"~ lib/vector.so", "- share/extension/vector--0.8.1.sql", "+ share/extension/vector--0.9.sql",
			"~ share/extension/vector.control", "~ var/lib/dpkg/status.d/p", "~ var/lib/dpkg/status.d/p.md5sums",
		}
		if diff := cmp.Diff(wantFiles, files); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
		if len(d.Layers.Shared) != 1 || len(d.Layers.Removed) != 1 || len(d.Layers.Added) != 1 {
			t.Errorf("Layers = %+v", d.Layers)
		}
		wantFields := []FieldChange{
			{"extensions", Change[json.RawMessage]{
				json.RawMessage(`[{"name":"vector","version":"0.8.1","requires":[],"relocatable":false,"trusted":false,"schema":""}]`),
				json.RawMessage(`[{"name":"vector","version":"0.9","requires":[],"relocatable":false,"trusted":false,"schema":""}]`),
			}},
			{"version", Change[json.RawMessage]{json.RawMessage(`"0.8.1"`), json.RawMessage(`"0.9"`)}},
		}
		if diff := cmp.Diff(wantFields, d.Metadata); diff != "" {
			t.Errorf("Metadata (-want +got):\n%s", diff)
		}
	})
	t.Run("with itself", func(t *testing.T) {
		got := Compare(a, a)
		if !got.Identical || !got.Images[0].Same() {
			t.Errorf("Compare() = %+v", got)
		}
	})
	t.Run("platforms of one alone", func(t *testing.T) {
		other := take1(made(t, "arm64", nil, layer(t, types.OCILayer, vector("arm64")...)))
		got := Compare(a, other)
		if len(got.Images) != 2 || got.Images[0].Only != "a" || got.Images[1].Only != "b" || got.Images[1].Platform != "linux/arm64" {
			t.Errorf("Compare() = %+v", got)
		}
	})
}

func TestCompareLabels(t *testing.T) {
	words := func(vendor, created string) map[string]string {
		return map[string]string{"org.opencontainers.image.vendor": vendor, "org.opencontainers.image.created": created, metadata.Label: vendor}
	}
	a := Image{Labels: words("a", "then"), Annotations: words("a", "then")}
	b := Image{Labels: words("a", "now"), Annotations: words("b", "now")}
	d := compare(a, b)
	if len(d.Labels) > 0 || d.Same() {
		t.Errorf("labels %v, the same: %v", d.Labels, d.Same())
	}
	want := []NamedChange{{"org.opencontainers.image.vendor", Change[string]{"a", "b"}}}
	if diff := cmp.Diff(d.Annotations, want); diff != "" {
		t.Errorf("annotations (-got +want):\n%s", diff)
	}
}

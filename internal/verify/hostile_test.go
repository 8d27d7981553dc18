package verify

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/recipe"
)

// edited replaces the first occurrence of a text in the documents with those
// indexes.
func edited(kinds []int, old, text string) func(*testing.T) Input {
	return unsigned(func(i *Image) {
		for _, kind := range kinds {
			before := i.Documents[kind].Content
			i.Documents[kind].Content = bytes.Replace(before, []byte(old), []byte(text), 1)
			if bytes.Equal(before, i.Documents[kind].Content) {
				panic("text not found: " + old)
			}
		}
	})
}

// TestAmbiguousDocuments refuses documents that another reader can interpret
// differently, and content that documents do not describe.
func TestAmbiguousDocuments(t *testing.T) {
	const (
		invalid  = "sbom (linux/amd64): the attached SBOM is invalid: reading an SPDX document: "
		cdx      = "cyclonedx (linux/amd64): the attached CycloneDX document is invalid: "
		packages = "sbom packages (linux/amd64): the SBOM does not match the package database of the image: "
		differ   = "cyclonedx (linux/amd64): CycloneDX and SPDX document differ: "
		url      = "pkg:deb/debian/liba1@1%3A2-1?arch=amd64&distro=debian-14"
	)
	check(t, []fault{
		{"repeated key files", edited([]int{0}, `"spdxVersion"`, `"files":[],"spdxVersion"`), []string{invalid + `key "files" repeats`}},
		{"files in another case", edited([]int{0}, `"files"`, `"Files"`), []string{invalid + `key "Files" is not "files"`}},
		{"repeated key components", edited([]int{1}, `"components"`, `"components":[],"components"`), []string{cdx + `key "components" repeats`}},
		{"components in another case", edited([]int{1}, `"components":[{"bom-ref":"package:`, `"Components":[{"bom-ref":"package:`), []string{cdx + `key "Components" is not "components"`}},
		{"library with type file", edited([]int{1}, `"library"`, `"file"`), []string{differ + "liba1 has type file in CycloneDX, want library"}},
		{"two digests of the image", edited([]int{1}, `"hashes":[`, `"hashes":[{"alg":"SHA-256","content":"`+hexOf("evil")+`"},`), []string{"cyclonedx (linux/amd64): the CycloneDX document has no image digest"}},
		{"URL of another distribution", edited([]int{0, 1}, "pkg:deb/debian/liba1", "pkg:deb/ubuntu/liba1"), []string{packages + "liba1 1:2-1: wrong package URL: " + strings.Replace(url, "debian", "ubuntu", 1)}},
		{"URL of another release", edited([]int{0, 1}, url, strings.Replace(url, "-14", "-99", 1)), []string{packages + "liba1 1:2-1: wrong package URL: " + strings.Replace(url, "-14", "-99", 1)}},
		{"URL of another architecture", edited([]int{0, 1}, url, strings.Replace(url, "amd64", "arm64", 1)), []string{packages + "liba1 1:2-1: wrong package URL: " + strings.Replace(url, "amd64", "arm64", 1)}},
		{"dependency of another version", edited([]int{2}, "pkg:deb/debian/liba1@1:2-1", "pkg:deb/debian/liba1@1:9-1"), []string{
			"provenance recipe (linux/amd64): the provenance is inconsistent: liba1: wrong package URL: pkg:deb/debian/liba1@1:9-1",
		}},
		{"device", unsigned(func(i *Image) { i.Special = []string{"lib/null"} }), []string{
			"sbom files (linux/amd64): the SBOM does not match the layers: lib/null: a device, pipe or socket, which an SBOM cannot list",
		}},
		{"data after the end of a layer", unsigned(func(i *Image) { i.TrailingData = []string{"sha256:12"} }), []string{
			"sbom files (linux/amd64): the SBOM does not match the layers: layer sha256:12: data follows the end of the archive",
		}},
		{"platform of another architecture", unsigned(func(i *Image) { i.Arch = "arm64" }), []string{
			"provenance labels (linux/amd64): the labels do not match the provenance: platform architecture is arm64 in the image, amd64 in the provenance",
		}},
		{"changed annotation", unsigned(func(i *Image) {
			i.Annotations = map[string]string{"org.opencontainers.image.version": "9", "org.example.team": "x"}
		}), []string{
			"provenance labels (linux/amd64): the labels do not match the provenance: annotation org.opencontainers.image.version is 9, the label 1.0",
		}},
	})
}

// TestFileOwners requires exactly one package of the SBOM as the owner of a file.
func TestFileOwners(t *testing.T) {
	const path = "system/liba.so.1"
	contains := func(owner, file string) map[string]any {
		return map[string]any{"spdxElementId": owner, "relationshipType": "CONTAINS", "relatedSpdxElement": file}
	}
	for _, tt := range []struct {
		name   string
		owners []string
		want   string
	}{
		{"one", []string{"liba1"}, ""},
		{"none", nil, path + ": the SBOM lists 0 owners, want 1"},
		{"two", []string{"liba1", "postgresql-18-thing"}, path + ": the SBOM lists 2 owners, want 1"},
		{"the same twice", []string{"liba1", "liba1"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := published(t)
			in.Trusted, in.Verdicts, in.Images = false, nil, in.Images[:1]
			var document map[string]any
			if err := json.Unmarshal(in.Images[0].Documents[0].Content, &document); err != nil {
				t.Fatal(err)
			}
			ids := map[string]string{}
			for _, list := range []string{"packages", "files"} {
				for _, e := range document[list].([]any) {
					name, ok := e.(map[string]any)["fileName"].(string)
					if !ok {
						name = e.(map[string]any)["name"].(string)
					}
					ids[strings.TrimPrefix(name, "./")] = e.(map[string]any)["SPDXID"].(string)
				}
			}
			relations := slices.DeleteFunc(document["relationships"].([]any), func(r any) bool {
				return r.(map[string]any)["relationshipType"] == "CONTAINS" && r.(map[string]any)["relatedSpdxElement"] == ids[path]
			})
			for _, owner := range tt.owners {
				relations = append(relations, contains(ids[owner], ids[path]))
			}
			document["relationships"] = relations
			var err error
			if in.Images[0].Documents[0].Content, err = json.Marshal(document); err != nil {
				t.Fatal(err)
			}
			var want []string
			if tt.want != "" {
				want = []string{"sbom files (linux/amd64): the SBOM does not match the layers: " + tt.want}
			}
			if diff := cmp.Diff(want, failures(Verify(in))); diff != "" {
				t.Errorf("failed checks (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTwoSubjects refuses provenance with two subjects.
func TestTwoSubjects(t *testing.T) {
	in := published(t)
	in.Trusted, in.Verdicts, in.Images = false, nil, in.Images[:1]
	s := newBuild(t, "amd64").statement(t)
	s.Subject = append(s.Subject, provenance.Descriptor{Name: "other", Digest: map[string]string{"sha256": hexOf("other")}})
	data, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	in.Images[0].Documents[2].Content = data
	got := failures(Verify(in))
	want := "provenance (linux/amd64): the provenance describes " + in.Images[0].Digest + ", " + digestOf("other") + ", want " + in.Images[0].Digest
	if len(got) != 1 || got[0] != want {
		t.Errorf("failed checks: %q, want %q", got, want)
	}
}

// TestRequestedAnnotations accepts annotations that differ from the labels if the
// recipe or the command line sets them.
func TestRequestedAnnotations(t *testing.T) {
	for name, change := range map[string]func(*build){
		"recipe": func(m *build) { m.recipe += "annotations: {org.opencontainers.image.title: Things}\n" },
		"caller": func(m *build) { m.annotations = map[string]string{"org.opencontainers.image.title": "Things"} },
	} {
		in := rebuilt(t, change)
		in.Images[0].Annotations = map[string]string{"org.opencontainers.image.title": "Things"}
		if got := failures(Verify(in)); len(got) > 0 {
			t.Errorf("%s: failed checks: %q", name, got)
		}
	}
}

// TestRecipeFiles requires the files and patches of the statement to be those that
// its recipe names.
func TestRecipeFiles(t *testing.T) {
	const file = "https://thing.example/x.deb"
	withFile := func(m *build) {
		m.recipe = strings.Replace(m.recipe, "targets:", "    files: [{url: \""+file+"?token=secret\", sha256: "+hexOf("x")+", arch: amd64}]\ntargets:", 1)
	}
	files := []recipe.DebFile{{URL: file, SHA256: hexOf("x")}}
	contradicts := "provenance recipe (linux/amd64): the provenance is inconsistent: "
	for _, tt := range []struct {
		name   string
		change func(*build)
		want   string
	}{
		{"in both", func(m *build) { withFile(m); m.debFiles = files }, ""},
		{"missing in the recipe", func(m *build) { m.debFiles = files }, "file " + file + " SHA-256 " + hexOf("x") + " is in the parameters, not in the recipe"},
		{"missing in the statement", withFile, "file " + file + " SHA-256 " + hexOf("x") + " is in the recipe, not in the parameters"},
		{"patch missing in the recipe", func(m *build) { m.patches = []provenance.NamedFile{{Path: "evil.patch"}} }, "evil.patch as a patch is in the parameters, not in the recipe"},
	} {
		in := rebuilt(t, func(m *build) {
			tt.change(m)
			r, err := recipe.Parse("recipe.yaml", []byte(m.recipe))
			if err != nil {
				t.Fatal(err)
			}
			targets, err := r.Select(recipe.Selection{Archs: []string{m.arch}})
			if err != nil {
				t.Fatal(err)
			}
			m.pins.Recipe = recipe.ResolutionChecksum(targets[0], m.arch)
		})
		in.Trusted, in.Verdicts, in.Images = false, nil, in.Images[:1]
		got := strings.Join(failures(Verify(in)), "\n")
		if want := tt.want; want == "" && got != "" || want != "" && got != contradicts+want {
			t.Errorf("%s: failed checks: %q, want %q", tt.name, got, want)
		}
	}
}

// TestRepeatedDependency refuses two dependencies with one name: readers differ in
// which one they use.
func TestRepeatedDependency(t *testing.T) {
	in := published(t)
	s := newBuild(t, "amd64").statement(t)
	d := &s.Predicate.BuildDefinition
	first := d.Of(provenance.KindPackage)[0]
	first.Digest = map[string]string{"sha256": hexOf("evil")}
	d.ResolvedDependencies = append([]provenance.Descriptor{first}, d.ResolvedDependencies...)
	data, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	in.Trusted, in.Verdicts, in.Images = false, nil, in.Images[:1]
	in.Images[0].Documents[2].Content = data
	want := "provenance recipe (linux/amd64): the provenance is inconsistent: liba1 is in the dependencies more than once"
	if got := failures(Verify(in)); len(got) != 1 || got[0] != want {
		t.Errorf("failed checks: %q, want %q", got, want)
	}
}

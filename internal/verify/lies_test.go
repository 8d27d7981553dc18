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

// edited changes the text of documents.
func edited(kinds []int, old, text string) func(*testing.T) Input {
	return unsigned(func(i *Image) {
		for _, kind := range kinds {
			before := i.Documents[kind].Content
			i.Documents[kind].Content = bytes.Replace(before, []byte(old), []byte(text), 1)
			if bytes.Equal(before, i.Documents[kind].Content) {
				panic("nothing was changed: " + old)
			}
		}
	})
}

// TestLies: documents that say one thing here and another to somebody else.
func TestLies(t *testing.T) {
	const (
		useless  = "sbom (linux/amd64): the SBOM that is attached is of no use: reading an SPDX document: "
		unread   = "cyclonedx (linux/amd64): the CycloneDX document that is attached cannot be read: "
		packages = "sbom packages (linux/amd64): the SBOM does not agree with the image's package database: "
		two      = "cyclonedx (linux/amd64): the two SBOMs do not agree: "
		url      = "pkg:deb/debian/liba1@1%3A2-1?arch=amd64&distro=debian-14"
	)
	check(t, []fault{
		{"files twice", edited([]int{0}, `"spdxVersion"`, `"files":[],"spdxVersion"`), []string{useless + `key "files" repeats`}},
		{"files in another case", edited([]int{0}, `"files"`, `"Files"`), []string{useless + `key "Files" is not "files"`}},
		{"components twice", edited([]int{1}, `"components"`, `"components":[],"components"`), []string{unread + `key "components" repeats`}},
		{"components in another case", edited([]int{1}, `"components":[{"bom-ref":"package:`, `"Components":[{"bom-ref":"package:`), []string{unread + `key "Components" is not "components"`}},
		{"a library that is a file", edited([]int{1}, `"library"`, `"file"`), []string{two + "liba1 is of type file in CycloneDX, and should be of type library"}},
		{"two digests", edited([]int{1}, `"hashes":[`, `"hashes":[{"alg":"SHA-256","content":"`+hexOf("evil")+`"},`), []string{"cyclonedx (linux/amd64): the CycloneDX document does not say which image it is about"}},
		{"URL of another distribution", edited([]int{0, 1}, "pkg:deb/debian/liba1", "pkg:deb/ubuntu/liba1"), []string{packages + "liba1 1:2-1: its package URL is of something else: " + strings.Replace(url, "debian", "ubuntu", 1)}},
		{"URL of another release", edited([]int{0, 1}, url, strings.Replace(url, "-14", "-99", 1)), []string{packages + "liba1 1:2-1: its package URL is of something else: " + strings.Replace(url, "-14", "-99", 1)}},
		{"URL of another architecture", edited([]int{0, 1}, url, strings.Replace(url, "amd64", "arm64", 1)), []string{packages + "liba1 1:2-1: its package URL is of something else: " + strings.Replace(url, "amd64", "arm64", 1)}},
		{"dependency of another version", edited([]int{2}, "pkg:deb/debian/liba1@1:2-1", "pkg:deb/debian/liba1@1:9-1"), []string{
			"provenance recipe (linux/amd64): the provenance contradicts itself: liba1: its package URL is of something else: pkg:deb/debian/liba1@1:9-1",
		}},
		{"a device", unsigned(func(i *Image) { i.Special = []string{"lib/null"} }), []string{
			"sbom files (linux/amd64): the SBOM does not agree with the layers: lib/null: it is a device or a pipe, which no SBOM lists",
		}},
		{"something behind the end", unsigned(func(i *Image) { i.Hiding = []string{"sha256:12"} }), []string{
			"sbom files (linux/amd64): the SBOM does not agree with the layers: layer sha256:12: something follows the end of its archive",
		}},
		{"a platform of another architecture", unsigned(func(i *Image) { i.Arch = "arm64" }), []string{
			"provenance labels (linux/amd64): the provenance is of another build than the labels: architecture of the platform: the image says arm64, the provenance amd64",
		}},
		{"an annotation", unsigned(func(i *Image) {
			i.Annotations = map[string]string{"org.opencontainers.image.version": "9", "org.example.team": "x"}
		}), []string{
			"provenance labels (linux/amd64): the provenance is of another build than the labels: annotation org.opencontainers.image.version: the manifest says 9, the label 1.0",
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
		{"none", nil, path + ": the SBOM gives it 0 owners, not one"},
		{"two", []string{"liba1", "postgresql-18-thing"}, path + ": the SBOM gives it 2 owners, not one"},
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
				want = []string{"sbom files (linux/amd64): the SBOM does not agree with the layers: " + tt.want}
			}
			if diff := cmp.Diff(want, failures(Verify(in))); diff != "" {
				t.Errorf("failed checks (-want +got):\n%s", diff)
			}
		})
	}
}

// TestStatementAboutMore refuses provenance with a second subject: it is evidence
// for that image too.
func TestStatementAboutMore(t *testing.T) {
	in := published(t)
	in.Trusted, in.Verdicts, in.Images = false, nil, in.Images[:1]
	s := newMade(t, "amd64").statement(t)
	s.Subject = append(s.Subject, provenance.Descriptor{Name: "other", Digest: map[string]string{"sha256": hexOf("other")}})
	data, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	in.Images[0].Documents[2].Content = data
	got := failures(Verify(in))
	want := "provenance (linux/amd64): the provenance is about " + in.Images[0].Digest + ", " + digestOf("other") + ", which is another image than " + in.Images[0].Digest
	if len(got) != 1 || got[0] != want {
		t.Errorf("failed checks: %q, want %q", got, want)
	}
}

// TestAnnotationsWin: what the recipe or the caller wants an annotation to say
// is no lie.
func TestAnnotationsWin(t *testing.T) {
	for name, change := range map[string]func(*made){
		"recipe": func(m *made) { m.recipe += "annotations: {org.opencontainers.image.title: Things}\n" },
		"caller": func(m *made) { m.annotations = map[string]string{"org.opencontainers.image.title": "Things"} },
	} {
		in := remade(t, change)
		in.Images[0].Annotations = map[string]string{"org.opencontainers.image.title": "Things"}
		if got := failures(Verify(in)); len(got) > 0 {
			t.Errorf("%s: failed checks: %q", name, got)
		}
	}
}

// TestFilesOfTheRecipe: files and patches that the statement has, and its recipe
// does not name, and the other way round.
func TestFilesOfTheRecipe(t *testing.T) {
	const file = "https://thing.example/x.deb"
	withFile := func(m *made) {
		m.recipe = strings.Replace(m.recipe, "targets:", "    files: [{url: \""+file+"?token=secret\", sha256: "+hexOf("x")+", arch: amd64}]\ntargets:", 1)
	}
	files := []recipe.DebFile{{URL: file, SHA256: hexOf("x")}}
	contradicts := "provenance recipe (linux/amd64): the provenance contradicts itself: "
	for _, tt := range []struct {
		name   string
		change func(*made)
		want   string
	}{
		{"both", func(m *made) { withFile(m); m.beside = files }, ""},
		{"none in the recipe", func(m *made) { m.beside = files }, "file " + file + " SHA-256 " + hexOf("x") + " is in its parameters, and not in its recipe"},
		{"none in the statement", withFile, "file " + file + " SHA-256 " + hexOf("x") + " is in its recipe, and not in its parameters"},
		{"patch", func(m *made) { m.patches = []provenance.NamedFile{{Path: "evil.patch"}} }, "evil.patch as a patch is in its parameters, and not in its recipe"},
	} {
		in := remade(t, func(m *made) {
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

// TestDependencyTwice: of two dependencies of a name readers differ in which
// they believe.
func TestDependencyTwice(t *testing.T) {
	in := published(t)
	s := newMade(t, "amd64").statement(t)
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
	want := "provenance recipe (linux/amd64): the provenance contradicts itself: liba1 is in its dependencies more than once"
	if got := failures(Verify(in)); len(got) != 1 || got[0] != want {
		t.Errorf("failed checks: %q, want %q", got, want)
	}
}

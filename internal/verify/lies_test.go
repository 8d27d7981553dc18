package verify

import (
	"bytes"
	"strings"
	"testing"

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
		{"an annotation", unsigned(func(i *Image) {
			i.Annotations = map[string]string{"org.opencontainers.image.version": "9", "org.example.team": "x"}
		}), []string{
			"provenance labels (linux/amd64): the provenance is of another build than the labels: annotation org.opencontainers.image.version: the manifest says 9, the label 1.0",
		}},
	})
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

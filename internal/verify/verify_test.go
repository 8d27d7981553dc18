package verify

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/license"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/layout"
	"github.com/pgext/pgext/sbom"
	"github.com/pgext/pgext/sign"
)

func TestVerify(t *testing.T) {
	in := published(t)
	in.Policy = Policy{
		Licenses: &Licenses{Profile: "cncf"}, Identities: []sign.Identity{{Subject: theRelease.Identity, Issuer: theRelease.Issuer}},
		Builders: []string{"^https://github.com/octo/images/"},
	}
	result := Verify(in)
	var got []string
	for _, c := range result.Checks {
		if c.Status != Pass {
			t.Errorf("%s %q", c, c.Items)
		}
		got = append(got, c.Of+": "+c.Name)
	}
	want := []string{"index: images", "index: signature"}
	for _, of := range []string{"linux/amd64", "linux/arm64"} {
		for _, name := range []string{
			"signature", "layers", "sbom", "sbom files", "sbom packages", "cyclonedx", "provenance", "provenance recipe", "provenance labels",
			"provenance packages", "sbom attestation", "cyclonedx attestation", "provenance attestation", "builder", "licenses",
		} {
			want = append(want, of+": "+name)
		}
	}
	if diff := cmp.Diff(append(want, "all: findings"), got); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
	if err := result.Err(); err != nil {
		t.Errorf("Err() = %v", err)
	}
}

// TestVerifyUnsigned verifies documents without keys and identities: the signature
// checks are skipped.
func TestVerifyUnsigned(t *testing.T) {
	in := published(t)
	in.Trusted, in.Verdicts = false, nil
	result := Verify(in)
	if err := result.Err(); err != nil || result.Count(Skip) != 9 || result.Count(Fail) != 0 {
		t.Errorf("Err() = %v with %d skipped, want nil and 9", err, result.Count(Skip))
	}
}

// failures returns the name and detail of the failed checks.
func failures(r Result) []string {
	var out []string
	for _, c := range r.Checks {
		if c.Status == Fail {
			out = append(out, fmt.Sprintf("%s (%s): %s", c.Name, c.Of, c.Detail))
		}
	}
	return out
}

// amd is the digest of the first image.
var amd = digestOf("manifest of amd64")

// fault is an input with the checks that it must fail.
type fault struct {
	name  string
	input func(*testing.T) Input
	want  []string
}

// change returns a function that changes the input of published.
func change(fn func(*Input)) func(*testing.T) Input {
	return func(t *testing.T) Input {
		t.Helper()
		in := published(t)
		fn(&in)
		return in
	}
}

// check requires each input to fail exactly the wanted checks, with exit code 13.
func check(t *testing.T, faults []fault) {
	t.Helper()
	for _, tt := range faults {
		t.Run(tt.name, func(t *testing.T) {
			result := Verify(tt.input(t))
			if diff := cmp.Diff(tt.want, failures(result)); diff != "" {
				t.Errorf("failed checks (-want +got):\n%s", diff)
			}
			var untrusted *failure.Error
			if err := result.Err(); !errors.As(err, &untrusted) || untrusted.ExitCode() != 13 || untrusted.Hint() == "" {
				t.Errorf("Err() = %v, want exit code 13 and a hint", err)
			}
		})
	}
}

func TestSignatures(t *testing.T) {
	rejection := func(reason sign.Reason, text string) *sign.Rejection {
		return &sign.Rejection{Format: sign.FormatBundle, Reason: reason, Err: errors.New(text)}
	}
	missing := []string{
		"signature (linux/amd64): " + amd + " has no signature", "sbom attestation (linux/amd64): " + amd + " has no sbom attestation",
		"cyclonedx attestation (linux/amd64): " + amd + " has no cyclonedx attestation", "provenance attestation (linux/amd64): " + amd + " has no provenance attestation",
	}
	accepted := func(m string) string { return strings.Replace(m, " has no ", " has no accepted ", 1) }
	because := func(text string) []string {
		var out []string
		for _, m := range missing {
			out = append(out, accepted(m)+": "+text)
		}
		return out
	}
	check(t, []fault{
		{"nothing attached", change(func(in *Input) { in.Verdicts = slices.Delete(in.Verdicts, 1, 2) }), missing},
		{"index not signed", change(func(in *Input) { in.Verdicts = in.Verdicts[1:] }), []string{"signature (index): " + digestOf("index") + " has no signature"}},
		{"missing attestation", change(func(in *Input) { in.Verdicts[1].Attestations = slices.Delete(in.Verdicts[1].Attestations, 1, 2) }), missing[2:3]},
		{"attestation without signature", change(func(in *Input) { in.Verdicts[1].Signatures = nil }), missing[:1]},
		{"signature of another digest", change(func(in *Input) {
			in.Verdicts[1].Signatures, in.Verdicts[1].Attestations = nil, nil
			in.Verdicts[1].Rejected = []*sign.Rejection{rejection(sign.OtherSubject, "it is about sha256:1234, not this")}
		}), because("made for another image: bundle :: wrong subject: it is about sha256:1234, not this")},
		{"wrong key", change(func(in *Input) {
			in.Verdicts[1].Signatures, in.Verdicts[1].Attestations = nil, nil
			in.Verdicts[1].Rejected = []*sign.Rejection{rejection(sign.WrongKey, "made with another")}
		}), because("bundle :: wrong key: made with another")},
		{"signer that the policy does not accept", change(func(in *Input) {
			in.Policy.Keys = []string{theKey.Key}
			in.Verdicts = append(in.Verdicts[:1], in.Verdicts[2:]...)
			in.Verdicts[0].Signatures[0].By = theKey
			in.Verdicts[1].Signatures[0].By = theKey
			for i := range in.Verdicts[1].Attestations {
				in.Verdicts[1].Attestations[i].By = theKey
			}
			v := sign.Verdict{Subject: in.Verdicts[1].Subject}
			in.Images, v.Signatures = in.Images[:1], []sign.VerifiedSignature{{By: theRelease}}
			v.Subject.Hex = strings.TrimPrefix(amd, "sha256:")
			in.Verdicts = append(in.Verdicts, v)
		}), append([]string{
			accepted(missing[0]) + ": signed by " + theRelease.String() + ", which the policy does not accept",
		}, missing[1:]...)},
	})
}

func TestAttestations(t *testing.T) {
	check(t, []fault{
		{"signed SBOM of another build", func(t *testing.T) Input {
			t.Helper()
			in := published(t)
			other := rebuilt(t, func(m *build) { m.document.Packages[0].Homepage = "https://elsewhere.example" })
			in.Verdicts[1] = other.Verdicts[1]
			return in
		}, []string{
			"sbom attestation (linux/amd64): the predicate that " + theRelease.String() + " signed for " + amd + " differs from the attached document",
			"cyclonedx attestation (linux/amd64): the predicate that " + theRelease.String() + " signed for " + amd + " differs from the attached document",
		}},
		{"signed provenance of another build", func(t *testing.T) Input {
			t.Helper()
			in := published(t)
			other := rebuilt(t, func(m *build) { m.recipe += "# changed\n" })
			in.Verdicts[1] = other.Verdicts[1]
			return in
		}, []string{"provenance attestation (linux/amd64): the predicate that " + theRelease.String() + " signed for " + amd + " differs from the attached document"}},
		{"statement that cannot be read", change(func(in *Input) { in.Verdicts[1].Attestations[0].Statement = []byte("{") }), []string{
			"sbom attestation (linux/amd64): " + amd + " has no sbom attestation",
		}},
		{"builder that the policy does not accept", change(func(in *Input) { in.Policy.Builders = []string{"^https://gitlab.com/"} }), []string{
			"builder (linux/amd64): built by " + theRelease.Identity + ", which the policy does not accept",
			"builder (linux/arm64): built by " + theRelease.Identity + ", which the policy does not accept",
		}},
		{"builder without signed provenance", change(func(in *Input) {
			in.Trusted, in.Verdicts, in.Policy.Builders = false, nil, []string{"."}
			in.Images = in.Images[:1]
		}), []string{"builder (linux/amd64): there is no signed provenance with a builder"}},
	})
}

func TestMissingDocuments(t *testing.T) {
	in := published(t)
	in.Images[0].Documents = nil
	got := failures(Verify(in))
	want := []string{
		"sbom (linux/amd64): no SBOM is attached to " + amd,
		"cyclonedx (linux/amd64): no CycloneDX document is attached to " + amd,
		"provenance (linux/amd64): no provenance is attached to " + amd,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("failed checks (-want +got):\n%s", diff)
	}
}

// TestBuilderWithoutProvenance skips the check of the builder if there is no
// provenance.
func TestBuilderWithoutProvenance(t *testing.T) {
	in := published(t)
	in.Images, in.Policy.Builders = in.Images[:1], []string{"."}
	in.Images[0].Documents = in.Images[0].Documents[:2]
	checks := Verify(in).Checks
	i := slices.IndexFunc(checks, func(c Check) bool { return c.Name == "builder" })
	if i < 0 || checks[i].Status != Skip {
		t.Errorf("checks: %v, want builder to be skipped", checks)
	}
}

// unsigned returns a function that changes the first image of published, without
// signatures.
func unsigned(fn func(*Image)) func(*testing.T) Input {
	return change(func(in *Input) {
		in.Trusted, in.Verdicts, in.Images = false, nil, in.Images[:1]
		fn(&in.Images[0])
	})
}

// entries returns a function that changes the files of an image.
func entries(fn func([]filetree.Entry) []filetree.Entry) func(*testing.T) Input {
	return unsigned(func(i *Image) {
		tree, err := filetree.New(fn(slices.Collect(i.Tree.All())))
		if err != nil {
			panic(err)
		}
		i.Tree = tree
	})
}

func TestLayers(t *testing.T) {
	at := func(path string, fn func(*filetree.Entry)) func([]filetree.Entry) []filetree.Entry {
		return func(list []filetree.Entry) []filetree.Entry {
			for i := range list {
				if list[i].Path == path {
					fn(&list[i])
				}
			}
			return list
		}
	}
	const mismatch = "sbom files (linux/amd64): the SBOM does not match the layers: "
	check(t, []fault{
		{"blob with other bytes", unsigned(func(i *Image) {
			i.Damage, i.Tree, i.Packages = errors.New("blob sha256:12: has digest sha256:34"), filetree.Tree{}, nil
		}), []string{"layers (linux/amd64): the layers do not match the manifest: blob sha256:12: has digest sha256:34"}},
		{"file changed", entries(at("lib/thing.so", func(e *filetree.Entry) { e.SHA256 = hexOf("evil") })), []string{
			mismatch + "lib/thing.so: SHA-256 is " + hexOf("evil") + " in the image, " + hexOf("lib/thing.so of amd64") + " in the SBOM",
		}},
		{"file added", entries(func(list []filetree.Entry) []filetree.Entry {
			return append(list, filetree.Entry{Path: "lib/evil.so", Kind: filetree.File, SHA256: hexOf("evil")})
		}), []string{mismatch + "lib/evil.so: in the image, not listed in the SBOM"}},
		{"file removed", entries(at("system/liba.so.1", func(e *filetree.Entry) { e.Path = "lib/x"; e.Kind = filetree.Dir })), []string{
			mismatch + "system/liba.so.1: listed in the SBOM, missing in the image",
		}},
		{"link changed", entries(at("system/liba.so", func(e *filetree.Entry) { e.Link = "../evil" })), []string{
			mismatch + "system/liba.so: link target is ../evil in the image, liba.so.1 in the SBOM",
		}},
		{"link instead of a file", entries(at("lib/thing.so", func(e *filetree.Entry) { e.Kind, e.SHA256, e.Link = filetree.Symlink, "", "/evil" })), []string{
			mismatch + "lib/thing.so: a link in the image, a file in the SBOM",
		}},
		{"package that the image does not list", unsigned(func(i *Image) { i.Packages = i.Packages[1:] }), []string{
			"sbom packages (linux/amd64): the SBOM does not match the package database of the image: liba1 1:2-1 is in the SBOM, not in the package database",
		}},
		{"package of another version", unsigned(func(i *Image) { i.Packages[0].Version = "1:1-1" }), []string{
			"sbom packages (linux/amd64): the SBOM does not match the package database of the image: liba1 is 1:2-1 in the SBOM, 1:1-1 in the package database",
		}},
		{"package that the SBOM does not list", unsigned(func(i *Image) { i.Packages = append(i.Packages, layout.Installed{Package: "evil", Version: "1"}) }), []string{
			"sbom packages (linux/amd64): the SBOM does not match the package database of the image: evil 1 is in the package database, not in the SBOM",
		}},
	})
}

func TestDocuments(t *testing.T) {
	arm := digestOf("manifest of arm64")
	swap := func(kind int) func(*testing.T) Input {
		return change(func(in *Input) {
			in.Images[0].Documents[kind] = in.Images[1].Documents[kind]
			in.Trusted, in.Verdicts, in.Images = false, nil, in.Images[:1]
		})
	}
	content := func(kind int, text string) func(*testing.T) Input {
		return unsigned(func(i *Image) { i.Documents[kind].Content = []byte(text) })
	}
	check(t, []fault{
		{"SBOM of another image", swap(0), []string{"sbom (linux/amd64): the SBOM describes " + arm + ", want " + amd}},
		{"CycloneDX of another image", swap(1), []string{"cyclonedx (linux/amd64): the CycloneDX document describes " + arm + ", want " + amd}},
		{"provenance of another image", swap(2), []string{"provenance (linux/amd64): the provenance describes " + arm + ", want " + amd}},
		{"invalid SBOM", content(0, "{}"), []string{`sbom (linux/amd64): the attached SBOM is invalid: reading an SPDX document: unsupported version "", want SPDX-2.3`}},
		{"invalid CycloneDX", content(1, "[]"), []string{"cyclonedx (linux/amd64): the attached CycloneDX document is invalid: json: cannot unmarshal array into Go value of type verify.bom"}},
		{"CycloneDX without a subject", content(1, `{"bomFormat":"CycloneDX"}`), []string{"cyclonedx (linux/amd64): the CycloneDX document has no image digest"}},
		{"invalid provenance", content(2, "{}"), []string{`provenance (linux/amd64): the attached provenance is invalid: reading provenance: _type: got "", want "https://in-toto.io/Statement/v1"`}},
		{"SPDX and CycloneDX differ", func(t *testing.T) Input {
			t.Helper()
			in := published(t)
			other := rebuilt(t, func(m *build) { m.document.Packages[0].Version = "9" })
			in.Images[0].Documents[1] = other.Images[0].Documents[1]
			in.Trusted, in.Verdicts = false, nil
			return in
		}, []string{
			"cyclonedx (linux/amd64): CycloneDX and SPDX document differ: liba1 is 9 pkg:deb/debian/liba1@9?arch=amd64&distro=debian-14 with SHA-256 " + hexOf("liba1") +
				" in CycloneDX, 1:2-1 pkg:deb/debian/liba1@1%3A2-1?arch=amd64&distro=debian-14 with SHA-256 " + hexOf("liba1") + " in SPDX",
		}},
		{"URLs of another version", unsigned(func(i *Image) {
			for n := range i.Documents[:2] {
				i.Documents[n].Content = bytes.ReplaceAll(i.Documents[n].Content, []byte("liba1@1%3A2-1"), []byte("liba1@1%3A9-1"))
			}
		}), []string{
			"sbom packages (linux/amd64): the SBOM does not match the package database of the image: " +
				"liba1 1:2-1: wrong package URL: pkg:deb/debian/liba1@1%3A9-1?arch=amd64&distro=debian-14",
		}},
		{"URLs of another package in CycloneDX only", unsigned(func(i *Image) {
			i.Documents[1].Content = bytes.ReplaceAll(i.Documents[1].Content, []byte("liba1@1%3A2-1"), []byte("other@1%3A2-1"))
		}), []string{
			"cyclonedx (linux/amd64): CycloneDX and SPDX document differ: liba1 is 1:2-1 pkg:deb/debian/other@1%3A2-1?arch=amd64&distro=debian-14 with SHA-256 " + hexOf("liba1") +
				" in CycloneDX, 1:2-1 pkg:deb/debian/liba1@1%3A2-1?arch=amd64&distro=debian-14 with SHA-256 " + hexOf("liba1") + " in SPDX",
		}},
	})
}

// TestProvenanceHint gives the hint of package provenance for provenance of another
// program, and the general one otherwise.
func TestProvenanceHint(t *testing.T) {
	for content, want := range map[string]string{`{"_type":"other"}`: "another program", `{"bomFormat":"CycloneDX"}`: wrongImage} {
		in := published(t)
		in.Trusted, in.Verdicts, in.Images = false, nil, in.Images[:1]
		i, name := 2, "provenance"
		if want == wrongImage {
			i, name = 1, "cyclonedx"
		}
		in.Images[0].Documents[i].Content = []byte(content)
		checks := Verify(in).Checks
		n := slices.IndexFunc(checks, func(c Check) bool { return c.Name == name })
		if n < 0 || checks[n].Status != Fail || !strings.Contains(checks[n].Hint, want) {
			t.Errorf("%s: checks %v, want a hint with %q", content, checks, want)
		}
	}
}

// TestSeveralDocuments passes if one of several attached documents is right.
func TestSeveralDocuments(t *testing.T) {
	in := published(t)
	in.Images[0].Documents = append(slices.Clone(in.Images[1].Documents), in.Images[0].Documents...)
	if got := failures(Verify(in)); len(got) > 0 {
		t.Errorf("failed checks: %q", got)
	}
}

// TestForgedCopies ignores documents that match the files but differ from the
// signed ones, whatever their order.
func TestForgedCopies(t *testing.T) {
	for _, first := range []bool{true, false} {
		in := rebuilt(t, func(m *build) { m.document.Packages[0].License = license.License{Expression: "GPL-3.0-only"} })
		in.Policy.Licenses = &Licenses{Profile: "cncf"}
		forged := published(t).Images[0].Documents
		if first {
			in.Images[0].Documents = append(slices.Clone(forged), in.Images[0].Documents...)
		} else {
			in.Images[0].Documents = append(in.Images[0].Documents, forged...)
		}
		want := []string{"licenses (linux/amd64): the policy does not allow liba1 1:2-1: GPL-3.0-only"}
		if diff := cmp.Diff(want, failures(Verify(in))); diff != "" {
			t.Errorf("forged copies first %v: failed checks (-want +got):\n%s", first, diff)
		}
	}
}

// TestSamePredicate compares signed and unsigned documents: equal for every reader
// of JSON.
func TestSamePredicate(t *testing.T) {
	for _, tc := range []struct {
		name, signed, document string
		want                   bool
	}{
		{"the same bytes", `{"name":"a","Name":"b"}`, `{"name":"a","Name":"b"}`, true},
		{"another order, other spaces", `{"name":"a","files":[1]}`, `{"files": [1], "name": "a"}`, true},
		{"another value", `{"name":"a"}`, `{"name":"b"}`, false},
		{"another number", `{"size":1}`, `{"size":1.0}`, false},
		{"repeated key", `{"name":"a"}`, `{"name":"b","name":"a"}`, false},
		{"keys that differ by case, in another order", `{"name":"a","Name":"b"}`, `{"Name":"b","name":"a"}`, false},
		{"trailing data", `{"name":"a"}`, `{"name":"a"} {"name":"b"}`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := samePredicate(SPDX, []byte(tc.signed), []byte(tc.document)); got != tc.want {
				t.Errorf("samePredicate() = %v, want %v", got, tc.want)
			}
		})
	}
}

// TestRepeatedKeys refuses a document with a repeated key, also as a copy of a
// signed document: readers differ in which one they use.
func TestRepeatedKeys(t *testing.T) {
	in := published(t)
	d := &in.Images[0].Documents[0]
	d.Content = append([]byte(`{"name":"evil",`), d.Content[1:]...)
	want := []string{`sbom (linux/amd64): the attached SBOM is invalid: reading an SPDX document: key "name" repeats`, "sbom attestation (linux/amd64): the predicate that " + theRelease.String() + " signed for " + amd + " differs from the attached document"}
	if diff := cmp.Diff(want, failures(Verify(in))); diff != "" {
		t.Errorf("failed checks (-want +got):\n%s", diff)
	}
}

// TestIndexes fails for an index with entries that cannot be verified, or without
// images.
func TestIndexes(t *testing.T) {
	check(t, []fault{
		{"no image for a platform", change(func(in *Input) { in.Images, in.Others = nil, []string{"sha256:12 (for unknown/unknown)"} }), []string{
			"images (index): the index lists no image for a platform",
		}},
		{"unsupported entry", change(func(in *Input) { in.Unsupported = []string{"sha256:12 (application/x)"} }), []string{
			"images (index): the index lists entries that cannot be verified: sha256:12 (application/x)",
		}},
	})
}

func TestProvenance(t *testing.T) {
	after := func(fn func(*build)) func(*testing.T) Input {
		return func(t *testing.T) Input {
			t.Helper()
			in := rebuilt(t, fn)
			in.Trusted, in.Verdicts, in.Images = false, nil, in.Images[:1]
			return in
		}
	}
	contradicts := "provenance recipe (linux/amd64): the provenance is inconsistent: "
	labels := "provenance labels (linux/amd64): the labels do not match the provenance: "
	packages := "provenance packages (linux/amd64): the provenance does not match the SBOM: "
	check(t, []fault{
		{"of another recipe", after(func(m *build) { m.recipe = strings.ReplaceAll(m.recipe, "thing", "other") }), []string{
			contradicts + "the lock was made from another recipe", labels + "name is thing in the image, other in the provenance",
		}},
		{"recipe for other targets", after(func(m *build) { m.recipe = strings.Replace(m.recipe, "amd64, ", "", 1) }), []string{
			contradicts + "the recipe has no target forky/18/amd64",
		}},
		{"another version", after(func(m *build) { m.internal.Version = "2.0" }), []string{
			labels + "label org.opencontainers.image.version is 1.0 in the image, 2.0 in the provenance; version is 1.0 in the image, 2.0 in the provenance",
		}},
		{"another time", after(func(m *build) { m.internal.Created = created.Add(time.Hour) }), []string{
			labels + "creation time is 2026-09-01T08:30:00Z in the image, 2026-09-01T09:30:00Z in the provenance; label org.opencontainers.image.created is 2026-09-01T08:30:00Z in the image, 2026-09-01T09:30:00Z in the provenance",
		}},
		{"another base", after(func(m *build) {
			m.pins.Base = lock.Base{Name: "image:x", Image: digestOf("x"), Postgres: "18.5", Checksum: digestOf("y")}
		}), []string{
			labels + "base PostgreSQL is 18.6 in the image, 18.5 in the provenance; base is cnpg-minimal in the image, image:x in the provenance",
		}},
		{"no label", unsigned(func(i *Image) { delete(i.Labels, "io.pgext.metadata") }), []string{
			"provenance labels (linux/amd64): reading label io.pgext.metadata: the image has none",
		}},
		{"package of other bytes", after(func(m *build) { m.pins.Packages[0].SHA256 = hexOf("evil") }), []string{
			packages + "liba1 is 1:2-1 with SHA-256 " + hexOf("evil") + " in the provenance, 1:2-1 with SHA-256 " + hexOf("liba1") + " in the SBOM",
		}},
		{"package too many", after(func(m *build) {
			m.document.Packages = m.document.Packages[1:]
			m.document.Files = m.document.Files[:0]
			m.document.Links = nil
		}), []string{
			"sbom files (linux/amd64): the SBOM does not match the layers: lib/thing.so: in the image, not listed in the SBOM; system/liba.so.1: in the image, not listed in the SBOM; system/liba.so: in the image, not listed in the SBOM; and 1 more",
			"sbom packages (linux/amd64): the SBOM does not match the package database of the image: liba1 1:2-1 is in the package database, not in the SBOM",
			packages + "liba1 1:2-1 with SHA-256 " + hexOf("liba1") + " is in the provenance, not in the SBOM",
		}},
	})
	t.Run("dependencies of another lock", func(t *testing.T) {
		in := published(t)
		s := newBuild(t, "amd64").statement(t)
		for _, d := range s.Predicate.BuildDefinition.ResolvedDependencies {
			d.Digest["sha256"] = hexOf("evil")
		}
		data, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		in.Trusted, in.Verdicts, in.Images = false, nil, in.Images[:1]
		in.Images[0].Documents[2].Content = data
		got := failures(Verify(in))
		want := contradicts + "base cnpg-minimal is SHA-256 " + hexOf("evil") + " in the dependencies, SHA-256 " + hexOf("base") + " in the lock"
		if len(got) != 1 || !strings.HasPrefix(got[0], want) || !strings.HasSuffix(got[0], "; and 1 more") {
			t.Errorf("failed checks: %q, want %q", got, want)
		}
	})
}

// TestUpstream requires the source archive of the SBOM in the provenance, not in
// the package database.
func TestUpstream(t *testing.T) {
	built := func(m *build) {
		m.document.Packages = append(m.document.Packages, sbom.Package{
			Kind: sbom.Upstream, Name: "thing-src", Version: "1.0", SHA256: hexOf("source"), License: license.License{Expression: "MIT"},
		})
	}
	in := rebuilt(t, func(m *build) {
		built(m)
		m.upstream = &provenance.Upstream{URL: "https://thing.example/1.0.tar.gz", SHA256: hexOf("source")}
	})
	if got := failures(Verify(in)); len(got) > 0 {
		t.Errorf("failed checks: %q", got)
	}
	want := []string{"provenance packages (linux/amd64): the provenance does not match the SBOM: source archive SHA-256 " + hexOf("source") + " is in the SBOM, not in the provenance"}
	if diff := cmp.Diff(failures(Verify(rebuilt(t, built))), want); diff != "" {
		t.Errorf("an archive that the provenance lacks (-got +want):\n%s", diff)
	}
}

// TestPolicyRefuses distinguishes the exit code of a policy violation from that of
// wrong evidence.
func TestPolicyRefuses(t *testing.T) {
	findings := []finding.Finding{
		finding.New("PGX001", "lib/thing.so", "libx.so.1 is missing", ""),
		finding.New("PGX043", "lib/dev", "a device", ""),
	}
	for _, tt := range []struct {
		name   string
		policy Policy
		want   []string
	}{
		{"errors fail", Policy{}, []string{"findings (all): 1 of 2 are not accepted: PGX001 error: lib/thing.so: libx.so.1 is missing"}},
		{"accepted", Policy{Findings: &Findings{Accept: []string{"PGX001"}}}, nil},
		{"none fail", Policy{Findings: &Findings{Fail: []string{}}}, nil},
		{"warnings fail", Policy{Findings: &Findings{Fail: []string{"warning"}}}, []string{"findings (all): 1 of 2 are not accepted: PGX043 warning: lib/dev: a device"}},
		{"a code fails", Policy{Findings: &Findings{Fail: []string{"PGX043"}}}, []string{"findings (all): 1 of 2 are not accepted: PGX043 warning: lib/dev: a device"}},
		{"licences", Policy{Findings: &Findings{Fail: []string{}}, Licenses: &Licenses{Allow: []string{"MIT"}, Packages: map[string][]string{"liba1": {"PostgreSQL"}}}}, []string{
			"licenses (linux/amd64): the policy does not allow postgresql-18-thing 1.0-1: PostgreSQL",
			"licenses (linux/arm64): the policy does not allow postgresql-18-thing 1.0-1: PostgreSQL",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := published(t)
			in.Findings, in.Policy = findings, tt.policy
			result := Verify(in)
			if diff := cmp.Diff(tt.want, failures(result)); diff != "" {
				t.Errorf("failed checks (-want +got):\n%s", diff)
			}
			err := result.Err()
			var refused *failure.Error
			if len(tt.want) > 0 && (!errors.As(err, &refused) || refused.ExitCode() != 3 || refused.Hint() == "") || len(tt.want) == 0 && err != nil {
				t.Errorf("Err() = %v", err)
			}
			in.Images[0].Documents = nil
			if err := Verify(in).Err(); !errors.As(err, &refused) || refused.ExitCode() != 13 {
				t.Errorf("with evidence missing as well: %v, want exit code 13", err)
			}
		})
	}
}

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

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/license"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/provenance"
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

// TestVerifyUnsigned: without a key or identity documents are judged, and
// signatures are skipped, which is no pass.
func TestVerifyUnsigned(t *testing.T) {
	in := published(t)
	in.Trusted, in.Verdicts = false, nil
	result := Verify(in)
	if err := result.Err(); err != nil || result.Count(Skip) != 9 || result.Count(Fail) != 0 {
		t.Errorf("Err() = %v with %d skipped, want nil and 9", err, result.Count(Skip))
	}
}

// failures are the checks that failed, each with its detail.
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

// A fault, and what is said about it: every line is a failed check.
type fault struct {
	name  string
	input func(*testing.T) Input
	want  []string
}

// change is published with something done to it.
func change(fn func(*Input)) func(*testing.T) Input {
	return func(t *testing.T) Input {
		t.Helper()
		in := published(t)
		fn(&in)
		return in
	}
}

// check holds that the faults, and nothing else, are found.
func check(t *testing.T, faults []fault) {
	t.Helper()
	for _, tt := range faults {
		t.Run(tt.name, func(t *testing.T) {
			result := Verify(tt.input(t))
			if diff := cmp.Diff(tt.want, failures(result)); diff != "" {
				t.Errorf("failed checks (-want +got):\n%s", diff)
			}
			var untrusted *CheckError
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
		}), because("what is attached was made for another image and attached to this one: bundle :: about something else: it is about sha256:1234, not this")},
		{"wrong key", change(func(in *Input) {
			in.Verdicts[1].Signatures, in.Verdicts[1].Attestations = nil, nil
			in.Verdicts[1].Rejected = []*sign.Rejection{rejection(sign.WrongKey, "made with another")}
		}), because("bundle :: wrong key: made with another")},
		{"signer whom the policy does not name", change(func(in *Input) {
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
			accepted(missing[0]) + ": one is by " + theRelease.String() + ", whom the policy does not name",
		}, missing[1:]...)},
	})
}

func TestAttestations(t *testing.T) {
	check(t, []fault{
		{"signed SBOM of another build", func(t *testing.T) Input {
			t.Helper()
			in := published(t)
			other := remade(t, func(m *made) { m.bill.Packages[0].Homepage = "https://elsewhere.example" })
			in.Verdicts[1] = other.Verdicts[1]
			return in
		}, []string{
			"sbom attestation (linux/amd64): what " + theRelease.String() + " signed about " + amd + " is not what the plain copy says",
			"cyclonedx attestation (linux/amd64): what " + theRelease.String() + " signed about " + amd + " is not what the plain copy says",
		}},
		{"signed provenance of another build", func(t *testing.T) Input {
			t.Helper()
			in := published(t)
			other := remade(t, func(m *made) { m.recipe += "# changed\n" })
			in.Verdicts[1] = other.Verdicts[1]
			return in
		}, []string{"provenance attestation (linux/amd64): what " + theRelease.String() + " signed about " + amd + " is not what the plain copy says"}},
		{"statement that cannot be read", change(func(in *Input) { in.Verdicts[1].Attestations[0].Statement = []byte("{") }), []string{
			"sbom attestation (linux/amd64): " + amd + " has no sbom attestation",
		}},
		{"builder whom the policy does not name", change(func(in *Input) { in.Policy.Builders = []string{"^https://gitlab.com/"} }), []string{
			"builder (linux/amd64): built by " + theRelease.Identity + ", which the policy does not name",
			"builder (linux/arm64): built by " + theRelease.Identity + ", which the policy does not name",
		}},
		{"builder that nobody signed", change(func(in *Input) {
			in.Trusted, in.Verdicts, in.Policy.Builders = false, nil, []string{"."}
			in.Images = in.Images[:1]
		}), []string{"builder (linux/amd64): no signed provenance says who built the image"}},
	})
}

func TestPlainCopiesAreMissing(t *testing.T) {
	in := published(t)
	in.Images[0].Documents = nil
	got := failures(Verify(in))
	want := []string{
		"sbom (linux/amd64): no SBOM (SPDX) is attached to " + amd,
		"cyclonedx (linux/amd64): no SBOM (CycloneDX) is attached to " + amd,
		"provenance (linux/amd64): no provenance is attached to " + amd,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("failed checks (-want +got):\n%s", diff)
	}
}

// unsigned is an image with a fault, without signatures in the way.
func unsigned(fn func(*Image)) func(*testing.T) Input {
	return change(func(in *Input) {
		in.Trusted, in.Verdicts, in.Images = false, nil, in.Images[:1]
		fn(&in.Images[0])
	})
}

// entries changes the files of an image.
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
	const disagree = "sbom files (linux/amd64): the SBOM does not agree with the layers: "
	check(t, []fault{
		{"blob with other bytes", unsigned(func(i *Image) {
			i.Damage, i.Tree, i.Packages = errors.New("blob sha256:12: has digest sha256:34"), filetree.Tree{}, nil
		}), []string{"layers (linux/amd64): what the layers hold is not what the manifest says: blob sha256:12: has digest sha256:34"}},
		{"file changed", entries(at("lib/thing.so", func(e *filetree.Entry) { e.SHA256 = hexOf("evil") })), []string{
			disagree + "lib/thing.so: its bytes have SHA-256 " + hexOf("evil") + ", and the SBOM says " + hexOf("lib/thing.so of amd64"),
		}},
		{"file added", entries(func(list []filetree.Entry) []filetree.Entry {
			return append(list, filetree.Entry{Path: "lib/evil.so", Kind: filetree.File, SHA256: hexOf("evil")})
		}), []string{disagree + "lib/evil.so: the image has it, and the SBOM does not list it"}},
		{"file removed", entries(at("system/liba.so.1", func(e *filetree.Entry) { e.Path = "lib/x"; e.Kind = filetree.Dir })), []string{
			disagree + "system/liba.so.1: the SBOM lists it, and the image does not have it",
		}},
		{"link changed", entries(at("system/liba.so", func(e *filetree.Entry) { e.Link = "../evil" })), []string{
			disagree + "system/liba.so: it leads to ../evil, and the SBOM says liba.so.1",
		}},
		{"link instead of a file", entries(at("lib/thing.so", func(e *filetree.Entry) { e.Kind, e.SHA256, e.Link = filetree.Symlink, "", "/evil" })), []string{
			disagree + "lib/thing.so: the SBOM says it is a file, and in the image it is a link",
		}},
		{"package that the image does not list", unsigned(func(i *Image) { i.Packages = i.Packages[1:] }), []string{
			"sbom packages (linux/amd64): the SBOM does not agree with the image's package database: liba1 1:2-1 is in the SBOM, and not in the image's package database",
		}},
		{"package of another version", unsigned(func(i *Image) { i.Packages[0].Version = "1:1-1" }), []string{
			"sbom packages (linux/amd64): the SBOM does not agree with the image's package database: liba1 is 1:2-1 in the SBOM, and 1:1-1 in the image's package database",
		}},
		{"package that the SBOM does not list", unsigned(func(i *Image) { i.Packages = append(i.Packages, Package{Name: "evil", Version: "1"}) }), []string{
			"sbom packages (linux/amd64): the SBOM does not agree with the image's package database: evil 1 is in the image's package database, and not in the SBOM",
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
		{"SBOM of another image", swap(0), []string{"sbom (linux/amd64): the SBOM is about " + arm + ", which is another image than " + amd}},
		{"CycloneDX of another image", swap(1), []string{"cyclonedx (linux/amd64): the CycloneDX document is about " + arm + ", which is another image than " + amd}},
		{"provenance of another image", swap(2), []string{"provenance (linux/amd64): the provenance is about " + arm + ", which is another image than " + amd}},
		{"SBOM that is none", content(0, "{}"), []string{`sbom (linux/amd64): the SBOM that is attached is of no use: reading an SPDX document: version "", not SPDX-2.3`}},
		{"CycloneDX that is none", content(1, "[]"), []string{"cyclonedx (linux/amd64): the CycloneDX document that is attached cannot be read: json: cannot unmarshal array into Go value of type verify.bom"}},
		{"CycloneDX about nothing", content(1, `{"bomFormat":"CycloneDX"}`), []string{"cyclonedx (linux/amd64): the CycloneDX document does not say which image it is about"}},
		{"provenance that is none", content(2, "{}"), []string{`provenance (linux/amd64): the provenance that is attached is of no use: reading provenance: _type: is "", not "https://in-toto.io/Statement/v1"`}},
		{"two SBOMs that do not agree", func(t *testing.T) Input {
			t.Helper()
			in := published(t)
			other := remade(t, func(m *made) { m.bill.Packages[0].Version = "9" })
			in.Images[0].Documents[1] = other.Images[0].Documents[1]
			in.Trusted, in.Verdicts = false, nil
			return in
		}, []string{
			"cyclonedx (linux/amd64): the two SBOMs do not agree: liba1 is 9 pkg:deb/debian/liba1@9?arch=amd64&distro=debian-14 with SHA-256 " + hexOf("liba1") +
				" in CycloneDX, and 1:2-1 pkg:deb/debian/liba1@1%3A2-1?arch=amd64&distro=debian-14 with SHA-256 " + hexOf("liba1") + " in SPDX",
		}},
		{"URLs of another version", unsigned(func(i *Image) {
			for n := range i.Documents[:2] {
				i.Documents[n].Content = bytes.ReplaceAll(i.Documents[n].Content, []byte("liba1@1%3A2-1"), []byte("liba1@1%3A9-1"))
			}
		}), []string{
			"sbom packages (linux/amd64): the SBOM does not agree with the image's package database: " +
				"liba1 1:2-1: its package URL is of something else: pkg:deb/debian/liba1@1%3A9-1?arch=amd64&distro=debian-14",
		}},
		{"URLs of another package, in CycloneDX alone", unsigned(func(i *Image) {
			i.Documents[1].Content = bytes.ReplaceAll(i.Documents[1].Content, []byte("liba1@1%3A2-1"), []byte("other@1%3A2-1"))
		}), []string{
			"cyclonedx (linux/amd64): the two SBOMs do not agree: liba1 is 1:2-1 pkg:deb/debian/other@1%3A2-1?arch=amd64&distro=debian-14 with SHA-256 " + hexOf("liba1") +
				" in CycloneDX, and 1:2-1 pkg:deb/debian/liba1@1%3A2-1?arch=amd64&distro=debian-14 with SHA-256 " + hexOf("liba1") + " in SPDX",
		}},
	})
}

// TestSeveralDocuments: one that is right is enough, whatever else somebody
// attached.
func TestSeveralDocuments(t *testing.T) {
	in := published(t)
	in.Images[0].Documents = append(slices.Clone(in.Images[1].Documents), in.Images[0].Documents...)
	if got := failures(Verify(in)); len(got) > 0 {
		t.Errorf("failed checks: %q", got)
	}
}

// TestForgedCopies: a copy that agrees with the files, and says something else
// than the signed one about the rest, decides nothing, wherever it stands.
func TestForgedCopies(t *testing.T) {
	for _, first := range []bool{true, false} {
		in := remade(t, func(m *made) { m.bill.Packages[0].License = license.License{Expression: "GPL-3.0-only"} })
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

// TestSame: a copy says what was signed when nobody could read it otherwise.
func TestSame(t *testing.T) {
	for _, tc := range []struct {
		name, signed, document string
		want                   bool
	}{
		{"the same bytes", `{"name":"a","Name":"b"}`, `{"name":"a","Name":"b"}`, true},
		{"another order, other spaces", `{"name":"a","files":[1]}`, `{"files": [1], "name": "a"}`, true},
		{"another value", `{"name":"a"}`, `{"name":"b"}`, false},
		{"another number", `{"size":1}`, `{"size":1.0}`, false},
		{"a key twice", `{"name":"a"}`, `{"name":"b","name":"a"}`, false},
		{"keys that are one to us, in another order", `{"name":"a","Name":"b"}`, `{"Name":"b","name":"a"}`, false},
		{"something after it", `{"name":"a"}`, `{"name":"a"} {"name":"b"}`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := same(SPDX, []byte(tc.signed), []byte(tc.document)); got != tc.want {
				t.Errorf("same() = %v, want %v", got, tc.want)
			}
		})
	}
}

// TestRepeatedKeys: readers differ in which of two they believe, so such a copy
// says something else than the signed one.
func TestRepeatedKeys(t *testing.T) {
	in := published(t)
	d := &in.Images[0].Documents[0]
	d.Content = append([]byte(`{"name":"evil",`), d.Content[1:]...)
	want := []string{`sbom (linux/amd64): the SBOM that is attached is of no use: reading an SPDX document: key "name" repeats`, "sbom attestation (linux/amd64): what " + theRelease.String() + " signed about " + amd + " is not what the plain copy says"}
	if diff := cmp.Diff(want, failures(Verify(in))); diff != "" {
		t.Errorf("failed checks (-want +got):\n%s", diff)
	}
}

// TestIndexes: what an index lists beside images is judged too, or is no yes.
func TestIndexes(t *testing.T) {
	check(t, []fault{
		{"nothing that runs", change(func(in *Input) { in.Images, in.Others = nil, []string{"sha256:12 (for unknown/unknown)"} }), []string{
			"images (index): the index lists no image for a platform",
		}},
		{"an index in the index", change(func(in *Input) { in.Unjudged = []string{"sha256:12 (application/x)"} }), []string{
			"images (index): not all that the index lists can be judged: sha256:12 (application/x)",
		}},
	})
}

func TestProvenance(t *testing.T) {
	after := func(fn func(*made)) func(*testing.T) Input {
		return func(t *testing.T) Input {
			t.Helper()
			in := remade(t, fn)
			in.Trusted, in.Verdicts, in.Images = false, nil, in.Images[:1]
			return in
		}
	}
	contradicts := "provenance recipe (linux/amd64): the provenance contradicts itself: "
	labels := "provenance labels (linux/amd64): the provenance is of another build than the labels: "
	packages := "provenance packages (linux/amd64): the provenance does not agree with the SBOM: "
	check(t, []fault{
		{"of another recipe", after(func(m *made) { m.recipe = strings.ReplaceAll(m.recipe, "thing", "other") }), []string{
			contradicts + "its lock was made for another recipe", labels + "name: the image says thing, the provenance other",
		}},
		{"recipe for other targets", after(func(m *made) { m.recipe = strings.Replace(m.recipe, "amd64, ", "", 1) }), []string{
			contradicts + "its recipe is not for forky/18/amd64",
		}},
		{"another version", after(func(m *made) { m.internal.Version = "2.0" }), []string{
			labels + "label org.opencontainers.image.version: the image says 1.0, the provenance 2.0; version: the image says 1.0, the provenance 2.0",
		}},
		{"another time", after(func(m *made) { m.internal.Created = created.Add(time.Hour) }), []string{
			labels + "label org.opencontainers.image.created: the image says 2026-09-01T08:30:00Z, the provenance 2026-09-01T09:30:00Z; time: the image says 2026-09-01T08:30:00Z, the provenance 2026-09-01T09:30:00Z",
		}},
		{"another base", after(func(m *made) {
			m.pins.Base = lock.Base{Name: "image:x", Image: digestOf("x"), Postgres: "18.5", Checksum: digestOf("y")}
		}), []string{
			labels + "PostgreSQL of the base: the image says 18.6, the provenance 18.5; base: the image says cnpg-minimal, the provenance image:x",
		}},
		{"no label", unsigned(func(i *Image) { delete(i.Labels, "io.pgext.metadata") }), []string{
			"provenance labels (linux/amd64): the image does not say what it is: reading label io.pgext.metadata: the image has none",
		}},
		{"package of other bytes", after(func(m *made) { m.pins.Packages[0].SHA256 = hexOf("evil") }), []string{
			packages + "liba1 is 1:2-1 with SHA-256 " + hexOf("evil") + " in the provenance, and 1:2-1 with SHA-256 " + hexOf("liba1") + " in the SBOM",
		}},
		{"package too many", after(func(m *made) {
			m.bill.Packages = m.bill.Packages[1:]
			m.bill.Files = m.bill.Files[:0]
			m.bill.Links = nil
		}), []string{
			"sbom files (linux/amd64): the SBOM does not agree with the layers: lib/thing.so: the image has it, and the SBOM does not list it; system/liba.so.1: the image has it, and the SBOM does not list it; system/liba.so: the image has it, and the SBOM does not list it; and 1 more",
			"sbom packages (linux/amd64): the SBOM does not agree with the image's package database: liba1 1:2-1 is in the image's package database, and not in the SBOM",
			packages + "liba1 1:2-1 with SHA-256 " + hexOf("liba1") + " is in the provenance, and not in the SBOM",
		}},
	})
	t.Run("dependencies of another lock", func(t *testing.T) {
		in := published(t)
		s := newMade(t, "amd64").statement(t)
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
		want := contradicts + "base cnpg-minimal is SHA-256 " + hexOf("evil") + " in its dependencies, and SHA-256 " + hexOf("base") + " in its lock"
		if len(got) != 1 || !strings.HasPrefix(got[0], want) || !strings.HasSuffix(got[0], "; and 1 more") {
			t.Errorf("failed checks: %q, want %q", got, want)
		}
	})
}

// TestUpstream: an archive that files were built from is in no package
// database, and in the provenance.
func TestUpstream(t *testing.T) {
	built := func(m *made) {
		m.bill.Packages = append(m.bill.Packages, sbom.Package{
			Kind: sbom.Upstream, Name: "thing-src", Version: "1.0", SHA256: hexOf("source"), License: license.License{Expression: "MIT"},
		})
	}
	in := remade(t, func(m *made) {
		built(m)
		m.upstream = &provenance.Upstream{URL: "https://thing.example/1.0.tar.gz", SHA256: hexOf("source")}
	})
	if got := failures(Verify(in)); len(got) > 0 {
		t.Errorf("failed checks: %q", got)
	}
	want := []string{"provenance packages (linux/amd64): the provenance does not agree with the SBOM: source archive SHA-256 " + hexOf("source") + " is in the SBOM, and not in the provenance"}
	if diff := cmp.Diff(failures(Verify(remade(t, built))), want); diff != "" {
		t.Errorf("an archive that nobody used (-got +want):\n%s", diff)
	}
}

// TestPolicyRefuses: what holds and is not accepted has another exit code than
// what does not hold.
func TestPolicyRefuses(t *testing.T) {
	findings := []finding.Finding{
		finding.New("PGX001", "lib/thing.so", "nobody has libx.so.1", ""),
		finding.New("PGX043", "lib/dev", "a device", ""),
	}
	for _, tt := range []struct {
		name   string
		policy Policy
		want   []string
	}{
		{"errors fail", Policy{}, []string{"findings (all): 1 of 2 are not accepted: PGX001 error: lib/thing.so: nobody has libx.so.1"}},
		{"accepted", Policy{Findings: Findings{Accept: []string{"PGX001"}}}, nil},
		{"none fail", Policy{Findings: Findings{Fail: []string{}}}, nil},
		{"warnings fail", Policy{Findings: Findings{Fail: []string{"warning"}}}, []string{"findings (all): 1 of 2 are not accepted: PGX043 warning: lib/dev: a device"}},
		{"a code fails", Policy{Findings: Findings{Fail: []string{"PGX043"}}}, []string{"findings (all): 1 of 2 are not accepted: PGX043 warning: lib/dev: a device"}},
		{"licences", Policy{Findings: Findings{Fail: []string{}}, Licenses: &Licenses{Allow: []string{"MIT"}, Packages: map[string][]string{"liba1": {"PostgreSQL"}}}}, []string{
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
			var refused *CheckError
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

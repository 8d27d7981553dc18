package builder_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/inspect"
	"github.com/pgext/pgext/internal/verify"
)

// evidence are the documents about what was built.
func evidence(t *testing.T, b *builder.Builder, part builder.Built) []verify.Document {
	t.Helper()
	bill, err := b.Bill(t.Context(), part)
	if err != nil {
		t.Fatal(err)
	}
	spdx, err := bill.SPDX()
	if err != nil {
		t.Fatal(err)
	}
	cyclonedx, err := bill.CycloneDX()
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Provenance(part)
	if err != nil {
		t.Fatal(err)
	}
	origin, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return []verify.Document{
		{Predicate: verify.SPDX, Content: spdx}, {Predicate: verify.CycloneDX, Content: cyclonedx}, {Predicate: verify.Provenance, Content: origin},
	}
}

// TestEvidenceHolds: what is said about an image is true of its bytes, and the
// same each time it is said.
func TestEvidenceHolds(t *testing.T) {
	f := bundling(t)
	b := f.builder()
	p := f.plan(b, f.recipe("annotations: {org.example.x: y}\n"), builder.Keep)
	built := f.build(b, p, t.TempDir())
	artifact, err := image.At(built.Path).Open(built.Tags[0])
	if err != nil {
		t.Fatal(err)
	}
	taken, err := inspect.Inspect(t.Context(), artifact, f.cache)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := b.Parts(t.Context(), p, built.Tags[0])
	if err != nil {
		t.Fatal(err)
	}
	in := verify.Input{Index: built.Digest, Policy: verify.Policy{Licenses: &verify.Licenses{Profile: "cncf"}}}
	for i, s := range taken.Images {
		img := verify.Image{
			Platform: s.Platform, Arch: s.Arch, Digest: s.Digest, Created: s.Created, Labels: s.Labels, Tree: s.Tree,
			Packages: s.Packages, Documents: evidence(t, b, parts[i]),
		}
		if again := evidence(t, b, parts[i]); !slices.EqualFunc(again, img.Documents, func(a, b verify.Document) bool { return string(a.Content) == string(b.Content) }) {
			t.Errorf("%s: the evidence differs the second time:\n%s", s.Platform, cmp.Diff(img.Documents, again))
		}
		in.Images = append(in.Images, img)
	}
	result := verify.Verify(in)
	for _, c := range result.Checks {
		if c.Status == verify.Fail {
			t.Errorf("%s %q", c, c.Items)
		}
	}
	if got := result.Count(verify.Pass); got != 22 {
		t.Errorf("%d checks passed, want 22: %v", got, result.Checks)
	}
}

package apt_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/debian"
)

// FromControl of a package's control paragraph equals the package in an index, except
// for the fields that only an index has.
func TestFromControl(t *testing.T) {
	for _, tt := range []struct{ name, stanza string }{
		{"every field", fullStanza},
		{"its own source", "Package: a\nVersion: 2\nArchitecture: all\n"},
		{"a source of the same version", "Package: a\nVersion: 2\nSource: b\nArchitecture: all\n"},
		{"relations over several lines", "Package: a\nVersion: 2\nArchitecture: all\nProvides: x,\n\ty (= 1),\n  z\nBreaks:\n q\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			scanner := debian.NewScanner(strings.NewReader(tt.stanza))
			if !scanner.Scan() {
				t.Fatal(scanner.Err())
			}
			got := apt.FromControl(scanner.Paragraph())
			want, ok := load(t, "amd64", tt.stanza).Candidate(got.Name)
			if !ok {
				t.Fatalf("the index has no package %q", got.Name)
			}
			want.Archive, want.Suite, want.Filename, want.Size, want.SHA256, want.SHA512 = "", "", "", 0, "", ""
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

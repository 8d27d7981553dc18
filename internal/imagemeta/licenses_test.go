package imagemeta

import (
	"testing"

	"github.com/pgext/pgext/internal/license"
)

func TestTogether(t *testing.T) {
	for _, tc := range []struct{ name, amd64, arm64, want string }{
		{"equal expressions are unchanged", "MIT AND Apache-2.0", "MIT AND Apache-2.0", "MIT AND Apache-2.0"},
		{"one has more", "MIT", "MIT AND BSD-3-Clause", license.Join(license.License{Expression: "MIT"}, license.License{Expression: "BSD-3-Clause"}).Expression},
		{"one unknown", "MIT", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var a, b Description
			a.standard.Licenses, a.standard.Version, b.standard.Licenses = tc.amd64, "1", tc.arm64
			got := Together([]Description{a, b})
			if got.standard.Licenses != tc.want || got.standard.Version != "1" {
				t.Errorf("Together() = %q, want %q", got.standard.Licenses, tc.want)
			}
		})
	}
}

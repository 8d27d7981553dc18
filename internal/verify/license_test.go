package verify

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/github/go-spdx/v2/spdxexp"
	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"
	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/sbom"
)

func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		name, expression, allowed, want string
	}{
		{"allowed", "MIT", "MIT", ""},
		{"not allowed", "GPL-3.0-only", "MIT", "GPL-3.0-only"},
		{"both needed", "MIT AND GPL-3.0-only AND GPL-2.0-only", "MIT", "GPL-3.0-only GPL-2.0-only"},
		{"one of two", "GPL-3.0-only OR MIT", "MIT", ""},
		{"none of two", "GPL-3.0-only OR AGPL-3.0-only", "MIT", "GPL-3.0-only AGPL-3.0-only"},
		{"AND before OR", "GPL-3.0-only AND ISC OR MIT", "MIT", ""},
		{"parentheses", "(GPL-3.0-only OR MIT) AND (ISC OR Zlib)", "MIT Zlib", ""},
		{"parentheses that matter", "GPL-3.0-only AND (ISC OR MIT)", "MIT", "GPL-3.0-only"},
		{"older or newer", "GPL-2.0-or-later", "GPL-3.0-only", ""},
		{"exception", "GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only", "GPL-2.0-only WITH Classpath-exception-2.0"},
		{"allowed exception", "GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only_WITH_Classpath-exception-2.0", ""},
		{"reference", "MIT AND LicenseRef-thing-1a2b3c4d", "MIT", "LicenseRef-thing-1a2b3c4d"},
		{"listed reference", "LicenseRef-thing-1a2b3c4d", "LicenseRef-thing-1a2b3c4d", ""},
		{"reference with a wildcard", "LicenseRef-thing-1a2b3c4d", "LicenseRef-thing-*", ""},
		{"reference in another document", "DocumentRef-x:LicenseRef-y", "MIT", "DocumentRef-x:LicenseRef-y"},
		{"nothing allowed", "MIT", "", "MIT"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var allowed []string
			for _, a := range strings.Fields(tt.allowed) {
				allowed = append(allowed, strings.ReplaceAll(a, "_", " "))
			}
			got, err := refused(tt.expression, allowed)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Fields(tt.want)
			if strings.Contains(tt.want, "WITH") {
				want = []string{tt.want}
			}
			if !slices.Equal(got, want) {
				t.Errorf("refused(%q) = %q, want %q", tt.expression, got, want)
			}
		})
	}
}

func TestRefusedFails(t *testing.T) {
	for _, expression := range []string{
		"", "MIT AND", "AND MIT", "(MIT", "MIT)", "MIT MIT", "NotALicence", "MIT WITH", "MIT WITH nothing", strings.Repeat("(", 200) + "MIT" + strings.Repeat(")", 200),
	} {
		if got, err := refused(expression, []string{"MIT"}); err == nil && len(got) == 0 {
			t.Errorf("refused(%q) allows it", expression)
		}
	}
}

// TestManyAlternatives evaluates an expression with 2^2000 alternatives: the time
// is linear in its length.
func TestManyAlternatives(t *testing.T) {
	expression := strings.TrimSuffix(strings.Repeat("(MIT OR GPL-3.0-only) AND ", 2000), " AND ")
	if got, err := refused(expression, []string{"MIT"}); err != nil || len(got) > 0 {
		t.Errorf("refused() = %q, %v", got, err)
	}
}

// TestManyPackages evaluates an expression that many packages share once. Once per
// package would take half an hour.
func TestManyPackages(t *testing.T) {
	inv := sbom.Inventory{Packages: []sbom.Entry{{Name: "own", License: "GPL-3.0-only"}, {Name: "other", License: "GPL-3.0-only"}}}
	for range 20_000 {
		inv.Packages = append(inv.Packages, sbom.Entry{Name: "many", License: strings.Join(spdxlicenses.GetLicenses()[:100], " AND ") + " OR MIT"})
	}
	v := verifier{in: Input{Policy: Policy{Licenses: &Licenses{Profile: "cncf", Packages: map[string][]string{"own": {"GPL-3.0-only"}}}}}}
	v.checkLicenses(&inv)
	if got := v.checks[0]; got.Status != Fail || len(got.Items) != 1 || got.Items[0] != "other : GPL-3.0-only" {
		t.Errorf("licenses: %s %q", got, got.Items)
	}
}

// TestProfiles requires go-spdx to know each licence; others never match.
func TestProfiles(t *testing.T) {
	for name, list := range profiles {
		if ok, bad := spdxexp.ValidateLicenses(list); !ok {
			t.Errorf("profile %s: %q are not SPDX licences", name, bad)
		}
	}
}

func TestPackageLicenses(t *testing.T) {
	l := &Licenses{Profile: "cncf", Allow: []string{"Artistic-2.0"}, Packages: map[string][]string{"libgeos": {"LGPL-2.1-or-later"}}}
	for _, tt := range []struct{ pkg, expression, want string }{
		{"a", "PostgreSQL AND Apache-2.0", ""},
		{"a", "Artistic-2.0", ""},
		{"a", "", "no licence is declared"},
		{"a", "LGPL-2.1-or-later", "LGPL-2.1-or-later"},
		{"libgeos", "LGPL-2.1-or-later", ""},
		{"a", "MIT AND GPL-2.0-only", "GPL-2.0-only"},
		{"a", "(", `invalid licence expression "(": missing licence`},
	} {
		if diff := cmp.Diff(tt.want, l.refuses(tt.pkg, tt.expression)); diff != "" {
			t.Errorf("refuses(%s, %q) (-want +got):\n%s", tt.pkg, tt.expression, diff)
		}
	}
}

// FuzzRefused compares with go-spdx for short expressions: it takes exponential
// time.
func FuzzRefused(f *testing.F) {
	for _, seed := range []string{"MIT", "MIT OR GPL-2.0-only AND ISC", "(MIT)", "LicenseRef-a", "gpl-2.0+ WITH Classpath-exception-2.0", "MIT and isc"} {
		f.Add(seed)
	}
	allowed := []string{"MIT", "ISC", "LicenseRef-a", "GPL-2.0-or-later"}
	f.Fuzz(func(t *testing.T, expression string) {
		if len(expression) > 200 || strings.Count(strings.ToUpper(expression), "OR") > 8 {
			return
		}
		got, err := refused(expression, allowed)
		ok, errSatisfies := satisfies(expression, allowed)
		if err == nil && errSatisfies == nil && ok != (len(got) == 0) {
			t.Errorf("%q: go-spdx allows it: %v, refused by us: %q", expression, ok, got)
		}
		if err == nil && len(got) == 0 && errSatisfies != nil {
			t.Errorf("%q is allowed although it is invalid: %v", expression, errSatisfies)
		}
	})
}

// satisfies calls go-spdx, which panics on some invalid expressions.
func satisfies(expression string, allowed []string) (ok bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return spdxexp.Satisfies(expression, allowed)
}

// TestProfileIsDocumented compares the list in docs/verify.md with the profile.
func TestProfileIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/verify.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "allowed-third-party-license-policy.md): ")
	text, _, _ = strings.Cut(text, ". The policy")
	got := append([]string{"Apache-2.0"}, strings.Split(text, ", ")...)
	want := slices.Sorted(slices.Values(profiles["cncf"]))
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/verify.md (-want +got):\n%s", diff)
	}
}

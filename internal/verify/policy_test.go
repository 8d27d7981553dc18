package verify

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/sign"
)

const fullPolicy = `
licenses:
  profile: cncf
  allow: [Artistic-2.0, GPL-2.0-only WITH Classpath-exception-2.0, LicenseRef-public-domain-*]
  packages:
    libgeos3.14.1: [LGPL-2.1-or-later]
identities:
  - issuer: https://token.actions.githubusercontent.com
    subject_regexp: ^https://github.com/octo/images/
keys: ["SHA256:abababababababababababababababababababababababababababababababab"]
builders: [^https://github.com/octo/]
findings:
  fail: [error, PGX020]
  accept: [PGX053]
`

func TestParsePolicy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte(fullPolicy), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := LoadPolicy(file)
	if err != nil {
		t.Fatal(err)
	}
	want := Policy{
		Licenses: &Licenses{
			Profile: "cncf", Allow: []string{"Artistic-2.0", "GPL-2.0-only WITH Classpath-exception-2.0", "LicenseRef-public-domain-*"},
			Packages: map[string][]string{"libgeos3.14.1": {"LGPL-2.1-or-later"}},
		},
		Identities: []sign.Identity{{Issuer: "https://token.actions.githubusercontent.com", SubjectRegexp: "^https://github.com/octo/images/"}},
		Keys:       []string{theKey.Key},
		Builders:   []string{"^https://github.com/octo/"},
		Findings:   &Findings{Fail: []string{"error", "PGX020"}, Accept: []string{"PGX053"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	for by, accepted := range map[sign.Who]bool{
		theKey:     true,
		theRelease: true,
		{Key: "SHA256:" + strings.Repeat("cd", 32)}:                                          false,
		{Identity: theRelease.Identity, Issuer: "https://elsewhere.example"}:                 false,
		{Identity: "https://evil.example/" + theRelease.Identity, Issuer: theRelease.Issuer}: false,
	} {
		if got.accepts(by) != accepted {
			t.Errorf("accepts(%s) = %v", by, !accepted)
		}
	}
}

func TestParsePolicyRefuses(t *testing.T) {
	for _, tt := range []struct{ name, yaml, want string }{
		{"empty", "", "p.yaml:1:1: is empty; set a value or remove it"},
		{"no field", "{}\n", "p.yaml:1:1: the policy is empty"},
		{"no findings", "findings: {}\n", "p.yaml:1:11: findings: is empty; set fail or accept"},
		{"not YAML", "a: [\n", "p.yaml:2:1: not YAML: while parsing a flow node: did not find expected node content"},
		{"unknown field", "licences: {}\n", `p.yaml:1:1: licences: unknown field (did you mean "licenses"?)`},
		{"repeated", "keys: [a]\nkeys: [b]\n", "p.yaml:2:1: keys: repeats line 1"},
		{"no value", "licenses:\n", "p.yaml:1:10: licenses: has no value; give one or remove the field"},
		{"no licence allowed", "licenses: {}\n", "p.yaml:1:11: licenses: allows no licence; set profile, allow or packages"},
		{"empty list", "identities: []\n", "p.yaml:1:13: identities: is an empty list; add an entry, or remove the field to accept all"},
		{"not a list", "keys: abc\n", `p.yaml:1:7: keys: want a list, got the text "abc"; write [abc]`},
		{"profile", "licenses: {profile: osi}\n", `p.yaml:1:21: licenses.profile: unknown profile "osi"; known profiles: cncf`},
		{"expression", "licenses:\n  allow:\n  - MIT OR ISC\n", `p.yaml:3:5: licenses.allow[0]: "MIT OR ISC" is not a single SPDX licence or LicenseRef name`},
		{"parenthesis", "licenses:\n  allow: ['(']\n", `p.yaml:2:11: licenses.allow[0]: "(" is not a single SPDX licence or LicenseRef name`},
		{"reference to everything", "licenses: {packages: {a: ['LicenseRef-*']}}\n", `p.yaml:1:27: licenses.packages.a[0]: "LicenseRef-*" is not a single SPDX licence or LicenseRef name`},
		{"identity without a subject", "identities: [{issuer: a}]\n", "p.yaml:1:14: identities[0]: needs either subject or subject_regexp"},
		{"two issuers", "identities: [{issuer: a, issuer_regexp: b, subject: c}]\n", "p.yaml:1:14: identities[0]: needs either issuer or issuer_regexp"},
		{"bad expression", "identities: [{issuer: a, subject_regexp: '('}]\n", "p.yaml:1:42: identities[0].subject_regexp: error parsing regexp: missing closing ): `(`"},
		{"expression for all", "builders: ['']\n", "p.yaml:1:12: builders[0]: is empty, which matches everything"},
		{"unknown code", "findings: {fail: [PGX999, fatal], accept: [error]}\n", strings.Join([]string{
			`p.yaml:1:19: findings.fail[0]: "PGX999" is not a code of pgext explain, nor error, warning or note`,
			`p.yaml:1:27: findings.fail[1]: "fatal" is not a code of pgext explain, nor error, warning or note`,
			`p.yaml:1:44: findings.accept[0]: "error" is not a code of pgext explain`,
		}, "\n")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParsePolicy("p.yaml", []byte(tt.yaml))
			var e *failure.Error
			if !errors.As(err, &e) || e.Hint() == "" {
				t.Fatalf("ParsePolicy() = %v, want an error with a hint", err)
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := LoadPolicy(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("LoadPolicy() of a missing file = %v", err)
	}
}

// FuzzDocuments requires Verify to fail for any changed document.
func FuzzDocuments(f *testing.F) {
	f.Add(0, []byte(`{"spdxVersion":"SPDX-2.3"}`))
	f.Add(1, []byte(`{"bomFormat":"CycloneDX","components":[{"name":"a","components":[{"name":"a"}]}]}`))
	f.Add(2, []byte(`{"_type":"https://in-toto.io/Statement/v1"}`))
	f.Fuzz(func(t *testing.T, kind int, data []byte) {
		if kind < 0 || kind > 2 {
			return
		}
		in := published(t)
		in.Policy.Licenses = &Licenses{Profile: "cncf"}
		if string(in.Images[0].Documents[kind].Content) == string(data) {
			return
		}
		in.Images[0].Documents[kind].Content = data
		in.Verdicts[1].Attestations[kind].Statement = data
		if Verify(in).Err() == nil {
			t.Errorf("passes with\n%s", data)
		}
	})
}

package provenance

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/failure"
)

func TestParse(t *testing.T) {
	want := statement(t)
	got, err := Parse(encoded(t, want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse() (-want +got):\n%s", diff)
	}
	e := got.Predicate.BuildDefinition.ExternalParameters
	if e.Recipe != theRecipe {
		t.Errorf("the recipe was changed:\n%s", cmp.Diff(theRecipe, e.Recipe))
	}
	locked, err := e.Pins()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(pins(), locked); diff != "" {
		t.Errorf("Pins() (-want +got):\n%s", diff)
	}
	if got := string(e.Patches[1].Bytes()); got != "caf\xe9\n" {
		t.Errorf("patch = %q, want the original bytes", got)
	}
	if diff := cmp.Diff([]string{"sha256:" + hex64a}, got.Digests()); diff != "" {
		t.Errorf("Digests() (-want +got):\n%s", diff)
	}
}

// TestParseTolerates ignores unknown fields outside of the external parameters, as
// required by SLSA's parsing rules.
func TestParseTolerates(t *testing.T) {
	text := strings.Replace(string(encoded(t, statement(t))), `"runDetails": {`, `"runDetails": {"later_field": {"a": 1},`, 1)
	if _, err := Parse([]byte(text)); err != nil {
		t.Error(err)
	}
}

func TestParseRefuses(t *testing.T) {
	text := string(encoded(t, statement(t)))
	replace := func(old, with string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("the statement has no %q", old)
		}
		return strings.Replace(text, old, with, 1)
	}
	for _, tt := range []struct {
		name, text, want string
		foreign          bool
	}{
		{"empty", "", "reading provenance: unexpected end of JSON input", false},
		{"not JSON", "{", "reading provenance: unexpected end of JSON input", false},
		{"a list", "[]", "reading provenance: json: cannot unmarshal array into Go value", false},
		{"two documents", text + "{}", "reading provenance: something follows the document", false},
		{"too large", strings.Repeat(" ", maxSize+1), "reading provenance: 16777217 bytes, more than 16777216", false},
		{"too deep", strings.Repeat("[", 100), "reading provenance: nested more than 64 deep", false},
		{"repeated key", replace(`"predicateType"`, `"predicateType": "a", "predicateType"`), `reading provenance: key "predicateType" repeats`, false},
		{"key in another case", replace(`"subject"`, `"Subject"`), `reading provenance: key "Subject" is not "subject"`, false},
		{"parameter in another case", replace(`"recipe": `, `"Recipe": `), `reading provenance: key "Recipe" is not "recipe"`, false},
		{"key with another s", replace(`"subject"`, `"ſubject": [], "subject"`), `reading provenance: key "ſubject" is not "subject"`, false},
		{"another statement", replace(StatementType, "https://in-toto.io/Statement/v0.1"), `reading provenance: _type: got "https://in-toto.io/Statement/v0.1"`, true},
		{"another predicate", replace(PredicateType, "https://spdx.dev/Document"), `reading provenance: predicateType: got "https://spdx.dev/Document"`, true},
		{"another build type", replace("#build-type-1", "#build-type-2"), `reading provenance: buildDefinition.buildType: got "` + strings.Replace(BuildType, "1", "2", 1), true},
		{"no subject", `{"_type": "` + StatementType + `", "predicateType": "` + PredicateType + `"}`, "reading provenance: subject: is empty", false},
		{"no digest", replace(`"sha256": "`+hex64a, `"sha256": "x`), "reading provenance: subject[0]: has no SHA-256 digest", false},
		{"unknown parameter", replace(`"distro": "forky"`, `"distro": "forky", "hook": "rm"`), `reading provenance: buildDefinition.externalParameters: json: unknown field "hook"`, false},
		{"broken recipe", replace(`name: pgvector\n`, ``), "reading provenance: buildDefinition.externalParameters.recipe: recipe:3:1: name: is required", false},
		{"broken lock", replace(`\"lock\": 1`, `\"lock\": 9`), "reading provenance: buildDefinition.externalParameters.lock: reading lock lock: version 9", false},
		{"lock of another target", replace(`"arch": "amd64",`, `"arch": "arm64",`), "reading provenance: buildDefinition.externalParameters.lock: must have exactly the target forky/18/arm64", false},
		{"compression", replace(`"compression": "gzip"`, `"compression": "lzma"`), `reading provenance: buildDefinition.externalParameters.compression: "lzma", want gzip`, false},
		{"epoch", replace(`"sourceDateEpoch": `, `"sourceDateEpoch": -`), "reading provenance: buildDefinition.externalParameters.sourceDateEpoch: -1788251400, want", false},
		{"revision", replace(`"revision": 2`, `"revision": -2`), "reading provenance: buildDefinition.externalParameters.revision: -2 is negative", false},
		{"absolute patch", replace(`"patches/one.patch"`, `"/etc/passwd"`), `reading provenance: buildDefinition.externalParameters.patches[0]: "/etc/passwd" is not`, false},
		{"absolute file", replace(`"../debs/vendor.deb"`, `"/etc/passwd"`), "reading provenance: buildDefinition.externalParameters.files[0]: needs", false},
		{"no builder", replace(`"id": "`+BuilderID, `"id": "`), "reading provenance: runDetails.builder.id: ", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.text))
			var e *failure.Error
			if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), tt.want) {
				t.Fatalf("Parse() error = %v, want %q", err, tt.want)
			}
			if e.ExitCode() != 13 || e.Hint() == "" || (e.Hint() == newer) != tt.foreign {
				t.Errorf("exit code %d, hint %q, want the hint for other programs: %v", e.ExitCode(), e.Hint(), tt.foreign)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(encoded(f, statement(f)))
	f.Add(encoded(f, statement(f, func(in *Input) { *in = smallest(*in) })))
	f.Add([]byte(`{"_type": 1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse(data)
		if err != nil {
			return
		}
		again, err := Parse(encoded(t, s))
		if err != nil {
			t.Fatalf("Parse refuses its own output after Encode: %v", err)
		}
		if first, second := encoded(t, s), encoded(t, again); !bytes.Equal(first, second) {
			t.Errorf("after a second round trip:\n%s\nwant\n%s", second, first)
		}
	})
}

package sbom

import (
	"bytes"
	"testing"

	"github.com/pgext/pgext/sbom/sbomtest"
)

// TestSchemas validates the documents with the official schemas, and checks that the
// schemas reject an invalid document.
func TestSchemas(t *testing.T) {
	for _, tc := range []struct {
		name, old, wrong string
		validate         func(testing.TB, []byte) error
		data             []byte
	}{
		{"SPDX", `"PACKAGE-MANAGER"`, `"PACKAGER"`, sbomtest.SPDX, spdxOf(t, sample())},
		{"CycloneDX", `"aggregate":"complete"`, `"aggregate":"whole"`, sbomtest.CycloneDX, cyclonedxOf(t, sample())},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := tc.validate(t, tc.data); err != nil {
				t.Errorf("%v\n%s", err, tc.data)
			}
			broken := bytes.ReplaceAll(tc.data, []byte(tc.old), []byte(tc.wrong))
			if tc.validate(t, broken) == nil {
				t.Error("the schema accepts an invalid document")
			}
		})
	}
}

package sbom

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemas is the folder of the official schemas, which syft's module carries.
var schemas = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/anchore/syft").Output()
	return filepath.Join(strings.TrimSpace(string(out)), "schema"), err
})

// anything stands for schemas that documents of pgext make no use of:
// signatures inside of them and descriptions of cryptography.
const anything = `{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"signature":{},"algorithmFamiliesEnum":{},"ellipticCurvesEnum":{}}}`

// schemaOf compiles a schema with those that it refers to; nothing is fetched.
func schemaOf(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	dir, err := schemas()
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	c.AssertFormat()
	c.UseLoader(jsonschema.SchemeURLLoader{}) // none
	add := func(url string, text []byte) {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err == nil {
			err = c.AddResource(url, doc)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	const at = "http://cyclonedx.org/schema/"
	add(at+"spdx.schema.json", read("cyclonedx/spdx.schema.json"))
	add(at+"jsf-0.82.schema.json", []byte(anything))
	add(at+"cryptography-defs.schema.json", []byte(anything))
	add(at+"document.json", read(file))
	schema, err := c.Compile(at + "document.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

const (
	spdxSchema      = "spdx-json/spdx-schema-2.3.json"
	cyclonedxSchema = "cyclonedx/cyclonedx.json"
)

func validate(t *testing.T, schema *jsonschema.Schema, data []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(doc)
}

// TestSchemas holds the documents against the official schemas, and the
// schemas against documents that are none.
func TestSchemas(t *testing.T) {
	for _, tc := range []struct {
		name, file, old, wrong string
		data                   []byte
	}{
		{"SPDX", spdxSchema, `"PACKAGE-MANAGER"`, `"PACKAGER"`, spdxOf(t, sample())},
		{"CycloneDX", cyclonedxSchema, `"aggregate":"complete"`, `"aggregate":"whole"`, cyclonedxOf(t, sample())},
	} {
		t.Run(tc.name, func(t *testing.T) {
			schema := schemaOf(t, tc.file)
			if err := validate(t, schema, tc.data); err != nil {
				t.Errorf("%v\n%s", err, tc.data)
			}
			broken := bytes.ReplaceAll(tc.data, []byte(tc.old), []byte(tc.wrong))
			if validate(t, schema, broken) == nil {
				t.Error("the schema finds nothing wrong with a wrong document")
			}
		})
	}
}

package sbomtest

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// SPDX validates an SPDX 2.3 document in JSON with the official schema.
func SPDX(tb testing.TB, data []byte) error {
	tb.Helper()
	return validate(tb, spdx, data)
}

// CycloneDX validates a CycloneDX 1.7 document in JSON with the official schema.
func CycloneDX(tb testing.TB, data []byte) error {
	tb.Helper()
	return validate(tb, cyclonedx, data)
}

var (
	spdx      = sync.OnceValues(func() (*jsonschema.Schema, error) { return compile("spdx-json/spdx-schema-2.3.json") })
	cyclonedx = sync.OnceValues(func() (*jsonschema.Schema, error) { return compile("cyclonedx/cyclonedx.json") })
)

func validate(tb testing.TB, schema func() (*jsonschema.Schema, error), data []byte) error {
	tb.Helper()
	s, err := schema()
	if err != nil {
		tb.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

// anything replaces schemas that documents of pgext do not use: embedded signatures
// and descriptions of cryptography.
const anything = `{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"signature":{},"algorithmFamiliesEnum":{},"ellipticCurvesEnum":{}}}`

// compile reads a schema and the schemas that it refers to.
func compile(name string) (*jsonschema.Schema, error) {
	dir, err := exec.CommandContext(context.Background(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/anchore/syft").Output()
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	c.AssertFormat()
	c.UseLoader(jsonschema.SchemeURLLoader{}) // no network access
	const at = "http://cyclonedx.org/schema/"
	for url, source := range map[string]string{"spdx.schema.json": "cyclonedx/spdx.schema.json", "document.json": name, "jsf-0.82.schema.json": "", "cryptography-defs.schema.json": ""} {
		text := []byte(anything)
		if source != "" {
			if text, err = os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "schema", source)); err != nil {
				return nil, err
			}
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err == nil {
			err = c.AddResource(at+url, doc)
		}
		if err != nil {
			return nil, err
		}
	}
	return c.Compile(at + "document.json")
}

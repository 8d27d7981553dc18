package recipe

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

var update = flag.Bool("update", false, "rewrite the committed schema")

const committed = "../../schema/recipe.schema.json"

// TestSchemaIsCommitted keeps schema/ equal to the types. To rewrite it:
// go test ./internal/recipe -run TestSchemaIsCommitted -update
func TestSchemaIsCommitted(t *testing.T) {
	got, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(committed, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("Schema() (-committed +got):\n%s", diff)
	}
}

// schemaOf returns the schema as a document, and whether data fits it.
func schemaOf(t *testing.T) checker {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	return checker{root}
}

// document returns a YAML document as an editor sees it.
func editorView(t *testing.T, text string) any {
	t.Helper()
	var doc any
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	if err := json.Unmarshal(data, &plain); err != nil {
		t.Fatal(err)
	}
	return plain
}

func TestSchemaAcceptsWhatParseAccepts(t *testing.T) {
	schema := schemaOf(t)
	for _, tt := range good {
		t.Run(tt.name, func(t *testing.T) {
			if err := schema.check(schema.root, editorView(t, tt.yaml), "recipe"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSchemaRefuses(t *testing.T) {
	schema := schemaOf(t)
	for _, text := range []string{
		"name: a\n",
		"name: A\nsource: {tree: [{path: a}]}\n",
		"name: a\nsource: {}\n",
		"name: a\nsource: {deb: {packages: [ab]}, tree: [{path: a}]}\n",
		smallest + "homepge: x\n",
		smallest + "rewrite: maybe\n",
		smallest + "targets: [{archs: [x86_64]}]\n",
		smallest + "targets: [{postgres: 18}]\n",
		smallest + "archives: [debain]\n",
		smallest + "test: {colour: red}\n",
	} {
		if err := schema.check(schema.root, editorView(t, text), "recipe"); err == nil {
			t.Errorf("the schema accepts %q", text)
		}
		if _, err := Parse("r.yaml", []byte(text)); err == nil {
			t.Errorf("Parse accepts %q", text)
		}
	}
}

// TestSchemaDescribesEveryField keeps the comments of types.go complete, and
// the table of constraints free of fields that do not exist.
func TestSchemaDescribesEveryField(t *testing.T) {
	schema := schemaOf(t)
	definitions := maps.Clone(schema.root["$defs"].(map[string]any))
	archive := definitions["Archive"].(map[string]any)
	definitions["Archive"] = archive["oneOf"].([]any)[1]
	definitions["Recipe"] = schema.root
	unused := maps.Clone(constraints)
	for name, definition := range definitions {
		for field, property := range definition.(map[string]any)["properties"].(map[string]any) {
			if description, _ := property.(map[string]any)["description"].(string); !strings.HasSuffix(description, ".") {
				t.Errorf("%s.%s has the description %q", name, field, description)
			}
			delete(unused, name+"."+field)
		}
	}
	if len(unused) > 0 {
		t.Errorf("constraints of fields that do not exist: %v", slices.Sorted(maps.Keys(unused)))
	}
}

// checker checks documents by the part of JSON Schema that Schema uses; any
// other keyword is an error.
type checker struct{ root map[string]any }

func (c checker) check(schema map[string]any, doc any, at string) error {
	for keyword, value := range schema {
		if err := c.keyword(schema, keyword, value, doc, at); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) keyword(schema map[string]any, keyword string, value, doc any, at string) error {
	fail := func() error { return fmt.Errorf("%s: %v breaks %s %v", at, doc, keyword, value) }
	text, isText := doc.(string)
	number, isNumber := doc.(float64)
	list, isList := doc.([]any)
	mapping, isMapping := doc.(map[string]any)
	ok := true
	switch keyword {
	case "$schema", "$id", "$defs", "title", "description", "format":
	case "$ref":
		name := strings.TrimPrefix(value.(string), "#/$defs/")
		return c.check(c.root["$defs"].(map[string]any)[name].(map[string]any), doc, at)
	case "type":
		ok = slices.Contains(typesOf(doc), fmt.Sprint(value))
		if several, is := value.([]any); is {
			ok = slices.ContainsFunc(several, func(v any) bool { return slices.Contains(typesOf(doc), v.(string)) })
		}
	case "enum":
		ok = slices.Contains(value.([]any), doc)
	case "pattern":
		ok = !isText || regexp.MustCompile(value.(string)).MatchString(text)
	case "minLength":
		ok = !isText || len(text) >= int(value.(float64))
	case "maxLength":
		ok = !isText || len(text) <= int(value.(float64))
	case "minimum":
		ok = !isNumber || number >= value.(float64)
	case "maximum":
		ok = !isNumber || number <= value.(float64)
	case "minItems":
		ok = !isList || len(list) >= int(value.(float64))
	case "uniqueItems":
		seen := map[string]bool{}
		for _, element := range list {
			ok = ok && !seen[fmt.Sprint(element)]
			seen[fmt.Sprint(element)] = true
		}
	case "required":
		for _, name := range value.([]any) {
			if _, has := mapping[name.(string)]; isMapping && !has {
				return fail()
			}
		}
	case "items":
		for i, element := range list {
			if err := c.check(value.(map[string]any), element, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	case "oneOf", "anyOf":
		fit := 0
		for _, alternative := range value.([]any) {
			if c.check(alternative.(map[string]any), doc, at) == nil {
				fit++
			}
		}
		ok = fit == 1 || fit > 1 && keyword == "anyOf"
	case "properties", "additionalProperties", "propertyNames":
		return c.members(schema, keyword, mapping, at)
	default:
		return fmt.Errorf("%s: unknown keyword %s", at, keyword)
	}
	if !ok {
		return fail()
	}
	return nil
}

// members checks the fields of a mapping by one keyword.
func (c checker) members(schema map[string]any, keyword string, mapping map[string]any, at string) error {
	properties, _ := schema["properties"].(map[string]any)
	for name, member := range mapping {
		property, known := properties[name].(map[string]any)
		var err error
		switch {
		case keyword == "properties" && known:
			err = c.check(property, member, at+"."+name)
		case keyword == "propertyNames":
			err = c.check(schema[keyword].(map[string]any), name, at+" key")
		case keyword == "additionalProperties" && !known:
			if further, is := schema[keyword].(map[string]any); is {
				err = c.check(further, member, at+"."+name)
			} else if schema[keyword] == false {
				err = fmt.Errorf("%s: unknown field %s", at, name)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// typesOf returns the JSON Schema types of a value.
func typesOf(doc any) []string {
	switch doc := doc.(type) {
	case string:
		return []string{"string"}
	case bool:
		return []string{"boolean"}
	case float64:
		if doc == float64(int64(doc)) {
			return []string{"number", "integer"}
		}
		return []string{"number"}
	case []any:
		return []string{"array"}
	case map[string]any:
		return []string{"object"}
	}
	return []string{"null"}
}

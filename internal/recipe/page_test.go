package recipe

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// TestPage: docs/recipe.md has every field of a recipe, as code.
func TestPage(t *testing.T) {
	text, err := os.ReadFile("../../docs/recipe.md")
	if err != nil {
		t.Fatal(err)
	}
	code := map[string]bool{}
	for _, quoted := range regexp.MustCompile("`[^`\n]+`").FindAllString(string(text), -1) {
		code[strings.TrimSuffix(strings.Trim(quoted, "`"), "[]")] = true
	}
	for _, path := range fieldPaths(reflect.TypeFor[Recipe](), "") {
		last := path[strings.LastIndexByte(path, '.')+1:]
		if !code[path] && (!strings.Contains(path, ".") || !code[last]) {
			t.Errorf("docs/recipe.md lacks %s", path)
		}
	}
}

// fieldPaths returns the fields of a type that have none in them. A source
// within a target is like the recipe's.
func fieldPaths(of reflect.Type, within string) []string {
	for of.Kind() == reflect.Slice || of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct || within == "targets.source" {
		return nil
	}
	var out []string
	for _, f := range fieldsOf(of) {
		path := join(within, f.name)
		if inner := fieldPaths(of.Field(f.index).Type, path); inner != nil {
			out = append(out, inner...)
		} else {
			out = append(out, path)
		}
	}
	return out
}

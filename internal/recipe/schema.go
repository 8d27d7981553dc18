package recipe

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"
)

// schemaID is where the JSON Schema of recipes is published.
const schemaID = "https://raw.githubusercontent.com/pgext/pgext/main/schema/recipe.schema.json"

// types is the source of the recipe's types: their comments describe the
// fields to authors.
//
//go:embed types.go
var types string

// Schema returns the JSON Schema (draft 2020-12) of recipes, indented, with a
// final newline. What it cannot express (variables, SPDX, one against another
// field) only Parse refuses.
func Schema() ([]byte, error) {
	comments, err := comments()
	if err != nil {
		return nil, fmt.Errorf("reading comments of the recipe types: %w", err)
	}
	reflector := jsonschema.Reflector{
		Anonymous:      true,
		ExpandedStruct: true,
		LookupComment: func(t reflect.Type, field string) string {
			return comments[strings.TrimSuffix(t.Name()+"."+field, ".")]
		},
	}
	schema := reflector.Reflect(&Recipe{})
	schema.ID = schemaID
	schema.Title = "pgext recipe, version 1"
	for name, def := range schema.Definitions {
		constrain(def, name)
	}
	constrain(schema, "Recipe")
	schema.Definitions["Source"].OneOf = exactlyOne("deb", "pgxs", "tree")
	schema.Definitions["DebFile"].OneOf = exactlyOne("url", "path")
	schema.Definitions["PGXS"].OneOf = exactlyOne("url", "path")
	schema.Definitions["Deb"].AnyOf = exactlyOne("packages", "files")
	schema.Definitions["Archive"] = archiveSchema(schema.Definitions["Archive"])
	out, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding schema: %w", err)
	}
	return append(out, '\n'), nil
}

// exactlyOne returns the alternatives of which each requires one field.
func exactlyOne(fields ...string) []*jsonschema.Schema {
	var out []*jsonschema.Schema
	for _, field := range fields {
		out = append(out, &jsonschema.Schema{Required: []string{field}})
	}
	return out
}

// archiveSchema returns what an archive may be: a built-in name or a mapping.
func archiveSchema(mapping *jsonschema.Schema) *jsonschema.Schema {
	description := mapping.Description
	mapping.Description = ""
	return &jsonschema.Schema{
		Description: description,
		OneOf:       []*jsonschema.Schema{{Type: "string", Enum: anyOf(builtinArchives)}, mapping},
	}
}

// comments returns the doc comments of types and fields, by TYPE and
// TYPE.FIELD, each on one line.
func comments() (map[string]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "types.go", types, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.TYPE {
			continue
		}
		for _, spec := range gen.Specs {
			spec := spec.(*ast.TypeSpec)
			out[spec.Name.Name] = oneLine(gen.Doc.Text())
			structure, ok := spec.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, field := range structure.Fields.List {
				for _, name := range field.Names {
					out[spec.Name.Name+"."+name.Name] = oneLine(field.Doc.Text())
				}
			}
		}
	}
	return out, nil
}

func anyOf(values []string) []any {
	var out []any
	for _, v := range values {
		out = append(out, v)
	}
	return out
}

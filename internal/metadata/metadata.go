package metadata

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Label is the image config label that holds the encoded Metadata.
const Label = "io.pgext.metadata"

// Schema is the version of the document that this package writes. Within one
// version the document only grows; readers ignore keys they do not know.
const Schema = 1

// maxEncoded bounds a document that is read back, in bytes.
const maxEncoded = 1 << 20

// Metadata is the label's document, keys in the order of the fields. Paths
// are relative to the image's root. A nil slice or map is written empty.
type Metadata struct {
	Schema int `json:"schema"`
	// Name is the extension's name in a CNPG catalog and its mount folder.
	Name string `json:"name"`
	// Image is the repository's base name.
	Image   string `json:"image"`
	Version string `json:"version"`
	// Distro is the Debian suite's codename.
	Distro string `json:"distro"`
	// Postgres is the major version.
	Postgres int `json:"postgres"`
	// Arch is a Debian architecture; "" in the union of several.
	Arch       string      `json:"arch"`
	Base       Base        `json:"base"`
	Extensions []Extension `json:"extensions"`
	// Create lists the extensions to CREATE, in order.
	Create []string `json:"create"`
	// Modules are the loadable modules below lib, without ".so".
	Modules []string `json:"modules"`
	// Requires is what other images or the base must supply.
	Requires             []Requirement `json:"requires"`
	ExtensionControlPath []string      `json:"extension_control_path"`
	DynamicLibraryPath   []string      `json:"dynamic_library_path"`
	LDLibraryPath        []string      `json:"ld_library_path"`
	BinPath              []string      `json:"bin_path"`
	// Env are variables of the PostgreSQL process, in the recipe's order.
	Env                    []EnvVar          `json:"env"`
	SharedPreloadLibraries []string          `json:"shared_preload_libraries"`
	Parameters             map[string]string `json:"parameters"`
	// OutputPlugins belong into output_plugin_libraries from 18.6 on.
	OutputPlugins []string `json:"output_plugins"`
	// Mount is the path the image must be mounted at; "" when any will do.
	Mount string `json:"mount"`
}

// Base names the operand that the image was made for.
type Base struct {
	Name string `json:"name"`
	// Postgres is the server version the base had, such as "18.6".
	Postgres string `json:"postgres"`
}

// Extension is what one control file says.
type Extension struct {
	Name        string   `json:"name"`
	Version     string   `json:"version"`
	Requires    []string `json:"requires"`
	Relocatable bool     `json:"relocatable"`
	Trusted     bool     `json:"trusted"`
	Schema      string   `json:"schema"`
}

// Requirement is an extension or a module that this image does not hold.
// Package and Image are hints where to find it.
type Requirement struct {
	Extension string `json:"extension,omitempty"`
	Module    string `json:"module,omitempty"`
	Package   string `json:"package,omitempty"`
	Image     string `json:"image,omitempty"`
}

// EnvVar is one environment variable; ${image_root} in Value stands for the
// mount path and $${x} for a literal ${x}.
type EnvVar struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// SchemaError reports a document of a schema this pgext does not know.
type SchemaError struct {
	Got int
}

func (e *SchemaError) Error() string {
	return fmt.Sprintf("schema %d of %s is not known (this pgext reads up to %d)", e.Got, Label, Schema)
}

// Hint says what a user can do about it.
func (e *SchemaError) Hint() string {
	if e.Got < 1 {
		return "the image was not made by pgext, or its label was changed"
	}
	return "use a newer pgext"
}

// Encode returns the document as compact JSON: keys in a fixed order, empty
// lists as [], no HTML escapes, no newline at the end. Schema is set.
func (m Metadata) Encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m.complete()); err != nil {
		return nil, fmt.Errorf("encoding %s: %w", Label, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Decode reads what Encode wrote. Unknown keys are ignored and absent lists
// are empty, never nil; a schema other than the known one is a *SchemaError.
func Decode(data []byte) (Metadata, error) {
	if len(data) > maxEncoded {
		return Metadata{}, fmt.Errorf("decoding %s: %d bytes, more than %d", Label, len(data), maxEncoded)
	}
	var head struct {
		Schema int `json:"schema"`
	}
	if err := unmarshal(data, &head); err != nil {
		return Metadata{}, fmt.Errorf("decoding %s: %w", Label, err)
	}
	if head.Schema != Schema {
		return Metadata{}, fmt.Errorf("decoding %s: %w", Label, &SchemaError{Got: head.Schema})
	}
	var m Metadata
	if err := unmarshal(data, &m); err != nil {
		return Metadata{}, fmt.Errorf("decoding %s: %w", Label, err)
	}
	return m.complete(), nil
}

// unmarshal is that of encoding/json with errors that do not tell of Go.
func unmarshal(data []byte, to any) error {
	err := json.Unmarshal(data, to)
	var mismatch *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &mismatch):
		return err
	case mismatch.Field == "":
		return fmt.Errorf("want an object, got %s", mismatch.Value)
	}
	return fmt.Errorf("%s: want %v, got %s", mismatch.Field, mismatch.Type, mismatch.Value)
}

// complete returns a copy with the schema set and no nil list in it.
func (m Metadata) complete() Metadata {
	m.Schema = Schema
	for _, list := range []*[]string{
		&m.Create, &m.Modules, &m.ExtensionControlPath, &m.DynamicLibraryPath,
		&m.LDLibraryPath, &m.BinPath, &m.SharedPreloadLibraries, &m.OutputPlugins,
	} {
		*list = nonNil(*list)
	}
	extensions := make([]Extension, len(m.Extensions))
	for i, e := range m.Extensions {
		e.Requires = nonNil(e.Requires)
		extensions[i] = e
	}
	m.Extensions = extensions
	m.Requires = nonNil(m.Requires)
	m.Env = nonNil(m.Env)
	if m.Parameters == nil {
		m.Parameters = map[string]string{}
	}
	return m
}

func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Unmet returns the extensions that extensions require and are not, sorted,
// without plpgsql, which is in every database.
func Unmet(extensions []Extension) []string {
	own := map[string]bool{"plpgsql": true}
	for _, e := range extensions {
		own[e.Name] = true
	}
	var out []string
	for _, e := range extensions {
		for _, name := range e.Requires {
			if !own[name] {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

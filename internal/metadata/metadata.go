package metadata

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/strictjson"
)

// Label is the image config label that holds the encoded Metadata.
const Label = "io.pgext.metadata"

// Schema is the version of the document. A version may get new keys; readers
// ignore unknown ones.
const Schema = 1

// maxEncoded limits the size of a document that Decode accepts, in bytes.
const maxEncoded = 1 << 20

// Metadata is the JSON document in the label. Its keys are in the order of the
// fields, its paths are relative to the root of the image. Nil slices and maps are
// encoded as empty ones.
type Metadata struct {
	Schema int `json:"schema"`
	// Name is the extension's name in a catalog and the last element of the
	// mount path.
	Name string `json:"name"`
	// Image is the repository's base name.
	Image   string `json:"image"`
	Version string `json:"version"`
	// Distro is the Debian suite's codename.
	Distro string `json:"distro"`
	// Postgres is the major version.
	Postgres int `json:"postgres"`
	// Arch is a Debian architecture; "" in a Union of several.
	Arch       string      `json:"arch"`
	Base       Base        `json:"base"`
	Extensions []Extension `json:"extensions"`
	// Create lists the extensions to CREATE, in order.
	Create []string `json:"create"`
	// Modules are the loadable modules below lib, without ".so".
	Modules []string `json:"modules"`
	// Requires are extensions and modules of other images or the base.
	Requires             []Requirement `json:"requires"`
	ExtensionControlPath []string      `json:"extension_control_path"`
	DynamicLibraryPath   []string      `json:"dynamic_library_path"`
	LDLibraryPath        []string      `json:"ld_library_path"`
	BinPath              []string      `json:"bin_path"`
	// Env are variables of the PostgreSQL process, in the recipe's order.
	Env                    []EnvVar          `json:"env"`
	SharedPreloadLibraries []string          `json:"shared_preload_libraries"`
	Parameters             map[string]string `json:"parameters"`
	// OutputPlugins are values of output_plugin_libraries, a parameter since
	// PostgreSQL 18.6.
	OutputPlugins []string `json:"output_plugins"`
	// Mount is the mount path that the image depends on; "" if it works at any.
	Mount string `json:"mount"`
}

// Base identifies the operand image that the image was built for.
type Base struct {
	Name string `json:"name"`
	// Postgres is the server version of the base, such as "18.6".
	Postgres string `json:"postgres"`
}

// Extension holds the settings of a control file.
type Extension struct {
	Name        string   `json:"name"`
	Version     string   `json:"version"`
	Requires    []string `json:"requires"`
	Relocatable bool     `json:"relocatable"`
	Trusted     bool     `json:"trusted"`
	Schema      string   `json:"schema"`
}

// Requirement is an extension or a module that this image needs and does not
// contain. Package and Image name packages and images that contain it.
type Requirement struct {
	Extension string `json:"extension,omitempty"`
	Module    string `json:"module,omitempty"`
	Package   string `json:"package,omitempty"`
	Image     string `json:"image,omitempty"`
}

// EnvVar is an environment variable. In Value, ${image_root} is replaced by the
// mount path, and $${x} is a literal ${x}.
type EnvVar struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// schemaError returns the error for a document with an unsupported schema.
func schemaError(got int) error {
	hint := "upgrade pgext"
	if got < 1 {
		hint = "check the image: pgext did not build it, or the label was changed"
	}
	return failure.New(failure.Other, hint, "unsupported schema %d (this pgext supports schema %d)", got, Schema)
}

// Encode returns the document as compact JSON: keys in a fixed order, empty
// lists as [], no HTML escapes, no newline at the end. It sets Schema.
func (m Metadata) Encode() ([]byte, error) {
	b, err := strictjson.Marshal(m.complete(), "")
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", Label, err)
	}
	return bytes.TrimSuffix(b, []byte("\n")), nil
}

// Decode decodes a document. It ignores unknown keys and sets missing lists to
// empty ones, never nil. A schema other than Schema is an error with a hint.
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
		return Metadata{}, fmt.Errorf("decoding %s: %w", Label, schemaError(head.Schema))
	}
	var m Metadata
	if err := unmarshal(data, &m); err != nil {
		return Metadata{}, fmt.Errorf("decoding %s: %w", Label, err)
	}
	return m.complete(), nil
}

// unmarshal calls json.Unmarshal. Its errors do not mention Go types.
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

// complete returns a copy with Schema set and empty lists instead of nil ones.
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

// Unmet returns the sorted names of required extensions that are not among
// extensions. It omits plpgsql, which every database has.
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

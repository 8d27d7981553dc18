package inspect

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/pgext/pgext/internal/metadata"
)

// defaultPostgres is the first major version that supports mounted extensions.
const defaultPostgres = 18

// readLabel decodes and validates the metadata label.
func (x *inspector) readLabel() {
	x.Postgres = defaultPostgres
	if major, err := strconv.Atoi(x.Labels["io.cloudnativepg.image.base.pgmajor"]); err == nil && major > 0 {
		x.Postgres = major
	}
	x.Distro = x.Labels["io.cloudnativepg.image.base.os"]
	text, ok := x.Labels[metadata.Label]
	if !ok {
		x.report("PGX048", "", "the image has no label "+metadata.Label, "")
		return
	}
	m, err := metadata.Decode([]byte(text))
	if err != nil {
		x.report("PGX049", "", err.Error(), "")
		return
	}
	x.Metadata, x.Label = &m, json.RawMessage(text)
	x.Postgres, x.Distro = m.Postgres, m.Distro
	for _, f := range m.Refused() {
		x.report(f.Code, f.Path, f.Text, f.Hint)
	}
	var joined interface{ Unwrap() []error } // by errors.Join
	if errors.As(m.Validate(), &joined) {
		for _, e := range joined.Unwrap() {
			x.report("PGX049", "", e.Error(), "")
		}
	}
}

// checkLabel compares the label with the files.
func (x *inspector) checkLabel() {
	m := x.Metadata
	if m == nil {
		return
	}
	differs := func(what string, label, files any) {
		x.report("PGX049", "", fmt.Sprintf("%s: %v in the label, %v in the image", what, label, files), "")
	}
	if m.Arch != x.Arch {
		differs("arch", m.Arch, x.Arch)
	}
	if !slices.Equal(m.Modules, x.Modules) {
		differs("modules", m.Modules, x.Modules)
	}
	if label, files := versions(m.Extensions), versions(x.Extensions); !slices.Equal(label, files) {
		differs("extensions", label, files)
	}
	for _, list := range [][]string{m.ExtensionControlPath, m.DynamicLibraryPath, m.LDLibraryPath, m.BinPath} {
		for _, dir := range list {
			if x.Tree.Under(dir).Len() == 0 {
				x.report("PGX049", dir, "the label lists this directory, but it is missing or empty in the image", "")
			}
		}
	}
}

// versions returns "NAME VERSION" of each extension.
func versions(list []metadata.Extension) []string {
	var out []string
	for _, e := range list {
		out = append(out, e.Name+" "+e.Version)
	}
	return out
}

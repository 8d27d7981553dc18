package inspect

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/pgext/pgext/internal/metadata"
)

// defaultPostgres is the first major that finds extensions at a mount.
const defaultPostgres = 18

// readLabel reads what the image says about itself.
func (x *examination) readLabel() {
	x.Postgres = defaultPostgres
	if major, err := strconv.Atoi(x.Labels["io.cloudnativepg.image.base.pgmajor"]); err == nil && major > 0 {
		x.Postgres = major
	}
	x.Distro = x.Labels["io.cloudnativepg.image.base.os"]
	text, ok := x.Labels[metadata.Label]
	if !ok {
		x.find("PGX048", "", "nothing tells a consumer what to set", "")
		return
	}
	m, err := metadata.Decode([]byte(text))
	if err != nil {
		x.find("PGX049", "", err.Error(), "")
		return
	}
	x.Metadata, x.Label = &m, json.RawMessage(text)
	x.Postgres, x.Distro = m.Postgres, m.Distro
	for _, f := range m.Refused() {
		x.find(f.Code, f.Path, f.Text, f.Hint)
	}
	if err := m.Validate(); err != nil {
		var joined interface{ Unwrap() []error }
		if !errors.As(err, &joined) {
			joined = single{err}
		}
		for _, e := range joined.Unwrap() {
			x.find("PGX049", "", e.Error(), "")
		}
	}
}

// single is an error as a list.
type single struct{ error }

func (s single) Unwrap() []error { return []error{s.error} }

// judgeLabel compares the label with the files.
func (x *examination) judgeLabel() {
	m := x.Metadata
	if m == nil {
		return
	}
	differs := func(what string, label, files any) {
		x.find("PGX049", "", fmt.Sprintf("%s: the label says %v, the files say %v", what, label, files), "")
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
				x.find("PGX049", dir, "the label names this folder, and the image has nothing there", "")
			}
		}
	}
}

func versions(list []metadata.Extension) []string {
	var out []string
	for _, e := range list {
		out = append(out, e.Name+" "+e.Version)
	}
	return out
}

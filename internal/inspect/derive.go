package inspect

import (
	"cmp"
	"slices"

	"github.com/pgext/pgext/internal/metadata"
)

// Derive says about an image that has no label what its files do. name is what
// to call it, contrib are the extensions that every server has. Parameters,
// variables and libraries to preload no file tells.
func (i Image) Derive(name string, contrib []string) metadata.Metadata {
	m := metadata.Metadata{
		Schema: metadata.Schema, Name: name, Image: name, Version: cmp.Or(i.Labels["org.opencontainers.image.version"], "0"),
		Distro: i.Distro, Postgres: i.Postgres, Arch: i.Arch, Extensions: i.Extensions, Modules: i.Modules,
		ExtensionControlPath: []string{"share"}, DynamicLibraryPath: []string{"lib"},
	}
	for _, dir := range i.LibraryPath {
		if dir != "lib" { // whose modules PostgreSQL opens itself
			m.LDLibraryPath = append(m.LDLibraryPath, dir)
		}
	}
	for _, required := range metadata.Unmet(i.Extensions) {
		if !slices.Contains(contrib, required) {
			m.Requires = append(m.Requires, metadata.Requirement{Extension: required})
		}
	}
	if len(i.Extensions) == 1 {
		m.Create = []string{i.Extensions[0].Name}
	}
	return m
}

package inspect

import (
	"cmp"
	"slices"

	"github.com/pgext/pgext/internal/metadata"
)

// Derive computes metadata from the files of an image without a metadata label.
// name is the name and image name of the result, contrib are extensions that every
// server has. The result has no parameters, variables or preloaded libraries,
// because files do not reveal them.
func (i Image) Derive(name string, contrib []string) metadata.Metadata {
	m := metadata.Metadata{
		Schema: metadata.Schema, Name: name, Image: name, Version: cmp.Or(i.Labels["org.opencontainers.image.version"], "0"),
		Distro: i.Distro, Postgres: i.Postgres, Arch: i.Arch, Extensions: i.Extensions, Modules: i.Modules,
		ExtensionControlPath: []string{"share"}, DynamicLibraryPath: []string{"lib"},
	}
	for _, dir := range i.LibraryPath {
		if dir != "lib" { // PostgreSQL searches lib itself, through dynamic_library_path
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

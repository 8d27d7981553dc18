package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/cnpg"
	"github.com/pgext/pgext/internal/inspect"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/text"
)

// describeSurvey returns the output of inspect.
func describeSurvey(ref string, s inspect.Result, bySize bool) string {
	var b strings.Builder
	linef(&b, "%s\n%s\n", ref, s.Digest)
	for _, i := range s.Images {
		linef(&b, "\n%s  %s\n", i.Platform, i.Digest)
		describeExtension(&b, i)
		describeLayers(&b, i)
		describePackages(&b, i)
		describeLibraries(&b, i)
		linef(&b, "\n  files: %s in %s\n", byteCount(i.Tree.Size()), text.Plural(i.Tree.Len(), "entry", "entries"))
		writeTree(&b, i.Tree, bySize)
	}
	if all := s.All(); len(all) > 0 {
		b.WriteString("\n")
		describeFindings(&b, "", all)
	}
	return b.String()
}

// describeExtension prints what is needed to use the image.
func describeExtension(b *strings.Builder, i inspect.Image) {
	if m := i.Metadata; m != nil {
		linef(b, "  %s %s for PostgreSQL %d on %s, base %s (%s)\n", m.Name, m.Version, m.Postgres, m.Distro, m.Base.Name, m.Base.Postgres)
	}
	for _, e := range i.Extensions {
		linef(b, "  extension %s %s%s\n", e.Name, e.Version, traits(e))
	}
	for _, name := range i.Unscripted {
		linef(b, "  control file of %s without install script\n", name)
	}
	line := func(what string, values []string) {
		if len(values) > 0 {
			linef(b, "  %s %s\n", what, strings.Join(values, ", "))
		}
	}
	if m := i.Metadata; m != nil {
		line("create", m.Create)
		line("requires", requirementNames(m.Requires))
	}
	line("modules", i.Modules)
	if m := i.Metadata; m != nil {
		for _, setting := range settings(*m) {
			linef(b, "  set %s\n", setting)
		}
	}
}

// traits returns the properties of a control file other than the version.
func traits(e metadata.Extension) string {
	var out []string
	if len(e.Requires) > 0 {
		out = append(out, "requires "+strings.Join(e.Requires, ", "))
	}
	if e.Trusted {
		out = append(out, "trusted")
	}
	if e.Relocatable {
		out = append(out, "relocatable")
	}
	if e.Schema != "" {
		out = append(out, "schema "+e.Schema)
	}
	if len(out) == 0 {
		return ""
	}
	return " (" + strings.Join(out, "; ") + ")"
}

func requirementNames(list []metadata.Requirement) []string {
	var out []string
	for _, r := range list {
		name := r.Extension
		if r.Module != "" {
			name = "module " + r.Module
		}
		if r.Package != "" {
			name += " of " + r.Package
		}
		out = append(out, name)
	}
	return out
}

// settings returns the consumer settings that differ from the defaults of CloudNativePG.
func settings(m metadata.Metadata) []string {
	var out []string
	for _, l := range []struct {
		name string
		list []string
		same []string
	}{
		{"extension_control_path", m.ExtensionControlPath, []string{cnpg.ControlPath}},
		{"dynamic_library_path", m.DynamicLibraryPath, []string{cnpg.LibraryPath}},
		{"ld_library_path", m.LDLibraryPath, nil},
		{"bin_path", m.BinPath, nil},
		{"shared_preload_libraries", m.SharedPreloadLibraries, nil},
		{"output_plugin_libraries", m.OutputPlugins, nil},
	} {
		if len(l.list) > 0 && !slices.Equal(l.list, l.same) {
			out = append(out, fmt.Sprintf("%s: [%s]", l.name, strings.Join(l.list, ", ")))
		}
	}
	for _, e := range m.Env {
		out = append(out, fmt.Sprintf("env %s=%s", e.Name, e.Value))
	}
	for _, name := range slices.Sorted(maps.Keys(m.Parameters)) {
		out = append(out, fmt.Sprintf("parameter %s = %s", name, m.Parameters[name]))
	}
	if m.Mount != "" {
		out = append(out, "the mount "+m.Mount)
	}
	return out
}

func describeLayers(b *strings.Builder, i inspect.Image) {
	linef(b, "\n  layers: %s\n", byteCount(i.Compressed()))
	for _, l := range i.Layers {
		linef(b, "  %10s  %s, %s unpacked  %s", byteCount(l.Size), l.Compression, byteCount(l.Unpacked), l.Digest)
		if l.Comment != "" {
			linef(b, "  %s", l.Comment)
		}
		b.WriteString("\n")
	}
}

func describePackages(b *strings.Builder, i inspect.Image) {
	if len(i.Packages) == 0 {
		return
	}
	b.WriteString("\n  packages\n")
	for _, p := range i.Packages {
		linef(b, "  %10s  %s %s, %s\n", byteCount(p.Size), p.Package, p.Version, text.Plural(p.Files, "file", "files"))
	}
}

func describeLibraries(b *strings.Builder, i inspect.Image) {
	if len(i.Libraries) > 0 {
		b.WriteString("\n  modules and libraries\n")
	}
	for _, l := range i.Libraries {
		linef(b, "  %10s  %s", byteCount(l.Size), l.Path)
		if l.Package != "" {
			linef(b, "  from %s %s", l.Package, l.Version)
		}
		b.WriteString("\n")
	}
	var names []string
	for _, n := range i.Needs {
		names = append(names, n.Library)
	}
	if len(names) > 0 {
		linef(b, "  of the base: %s\n", strings.Join(names, ", "))
	}
}

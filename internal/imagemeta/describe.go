package imagemeta

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/layout"
)

// Input is one architecture of a target.
type Input struct {
	Recipe *recipe.Recipe
	Target recipe.Target
	// Arch is a Debian architecture.
	Arch string
	// Main is the first package of the recipe. Version, summary and homepage
	// default to the values of its control paragraph.
	Main layout.Package
	// Base is the operand image.
	Base metadata.Base
	// Requires are extensions and modules that other images must supply.
	Requires []metadata.Requirement
	// Data are directories that bundled libraries read at run time.
	Data []lock.DataFolder
	// Layout is the layout of the image.
	Layout layout.Result
	// Annotations are set on the command line and override the recipe's.
	Annotations map[string]string
}

// Description holds the labels and annotations of the image of one architecture.
type Description struct {
	Metadata metadata.Metadata
	Findings []finding.Finding
	// standard holds the OCI labels and annotations, without the creation time.
	standard metadata.Description
}

// Describe computes the description of in.
func Describe(in Input) Description {
	m := in.metadata()
	d := Description{Metadata: m, standard: in.standard(m)}
	d.Findings = append(m.Refused(), createFindings(in)...)
	d.Findings = append(d.Findings, unusedPackageFindings(in)...)
	d.Findings = append(d.Findings, emptyFindings(in.Layout)...)
	d.Findings = append(d.Findings, requiredFindings(in)...)
	if in.Target.Postgres < 18 {
		d.Findings = append(d.Findings, finding.New("PGX030", "",
			"PostgreSQL before 18 does not support extension_control_path", "build the image for PostgreSQL 18 or newer"))
	}
	return d
}

// metadata returns the document of the metadata label.
func (in Input) metadata() metadata.Metadata {
	r := in.Recipe
	m := metadata.Metadata{
		Schema:                 metadata.Schema,
		Name:                   r.Name,
		Image:                  r.Image,
		Version:                cmp.Or(r.Version, debian.UpstreamVersion(in.Main.Version)),
		Distro:                 in.Target.Distro,
		Postgres:               in.Target.Postgres,
		Arch:                   in.Arch,
		Base:                   in.Base,
		Extensions:             in.Layout.Extensions,
		Create:                 create(r, in.Layout.Extensions),
		Modules:                in.Layout.Modules,
		Requires:               in.Requires,
		ExtensionControlPath:   in.Layout.ExtensionControlPath,
		DynamicLibraryPath:     in.Layout.DynamicLibraryPath,
		LDLibraryPath:          in.Layout.LDLibraryPath,
		BinPath:                in.Layout.BinPath,
		Env:                    environment(in),
		SharedPreloadLibraries: r.SharedPreloadLibraries,
		Parameters:             r.Parameters,
		OutputPlugins:          r.OutputPlugins,
		Mount:                  in.Layout.Mount,
	}
	if len(r.BinPath) > 0 {
		m.BinPath = r.BinPath
	}
	return m
}

// environment returns the variables of the recipe, then the variables of bundled
// data that the recipe does not set.
func environment(in Input) []metadata.EnvVar {
	var out []metadata.EnvVar
	add := func(name, home string) {
		if name != "" && !slices.ContainsFunc(out, func(e metadata.EnvVar) bool { return e.Name == name }) {
			out = append(out, metadata.EnvVar{Name: name, Value: "${image_root}/" + home})
		}
	}
	for _, e := range in.Recipe.Env {
		out = append(out, metadata.EnvVar{Name: e.Name, Value: e.Value})
	}
	for _, d := range in.Target.BundleFor(in.Arch).Data {
		add(d.Env, d.To)
	}
	for _, d := range in.Data {
		add(d.Env, d.Home)
	}
	return out
}

// standard returns the OCI labels and annotations, without the creation time.
func (in Input) standard(m metadata.Metadata) metadata.Description {
	r := in.Recipe
	extra := map[string]string{}
	maps.Copy(extra, r.Annotations)
	maps.Copy(extra, in.Annotations)
	all, own := licenses(in)
	synopsis, _, _ := strings.Cut(in.Main.Control.Get("Description"), "\n")
	return metadata.Description{
		Version:     m.Version,
		Title:       r.Name,
		Description: cmp.Or(r.Summary, synopsis),
		Licenses:    cmp.Or(r.Licenses, all),
		OwnLicenses: own,
		URL:         cmp.Or(r.Homepage, in.Main.Control.Get("Homepage")),
		BaseName:    m.Base.Name,
		Postgres:    m.Postgres,
		Distro:      m.Distro,
		SQLVersion:  sqlVersion(m),
		Extra:       extra,
	}
}

// Labels returns the labels of an image config with the creation time created.
func (d Description) Labels(created time.Time) (map[string]string, error) {
	d.standard.Created = created
	return d.standard.Labels(d.Metadata)
}

// Annotations returns the annotations of a manifest or index with the creation
// time created.
func (d Description) Annotations(created time.Time) map[string]string {
	d.standard.Created = created
	return d.standard.Annotations()
}

// sqlVersion returns the default version of the last extension to create. The
// others are created because it requires them.
func sqlVersion(m metadata.Metadata) string {
	if len(m.Create) == 0 {
		return ""
	}
	main := m.Create[len(m.Create)-1]
	for _, e := range m.Extensions {
		if e.Name == main {
			return e.Version
		}
	}
	return ""
}

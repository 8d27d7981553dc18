package imagemeta

import (
	"cmp"
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
	// Main is the package that gives version, summary and homepage: the first
	// that the recipe names.
	Main layout.Package
	// Base is what the operand holds.
	Base metadata.Base
	// Requires is what other images must bring.
	Requires []metadata.Requirement
	// Data is what bundled libraries read at run time.
	Data []lock.DataFolder
	// Layout is the arranged image.
	Layout layout.Result
	// Annotations are those of the command line; they win over the recipe's.
	Annotations map[string]string
}

// Description is what one architecture's image says about itself.
type Description struct {
	Metadata metadata.Metadata
	Findings []finding.Finding
	// words lack the time of creation, which Labels and Annotations give them.
	words metadata.Description
}

// Describe derives the description of in. It is a pure function.
func Describe(in Input) Description {
	m := in.metadata()
	d := Description{Metadata: m, words: in.words(m)}
	d.Findings = append(m.Refused(), createFindings(in)...)
	d.Findings = append(d.Findings, idleFindings(in)...)
	d.Findings = append(d.Findings, uselessFindings(in.Layout)...)
	d.Findings = append(d.Findings, requiredFindings(in)...)
	if in.Target.Postgres < 18 {
		d.Findings = append(d.Findings, finding.New("PGX030", "",
			"PostgreSQL before 18 has no extension_control_path", "use the image with PostgreSQL 18 or newer"))
	}
	return d
}

// metadata returns what the image tells pgext and its kind.
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

// environment returns the recipe's variables, then those of bundled data that
// it does not set.
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

// words returns what the image tells tools that know nothing of pgext.
func (in Input) words(m metadata.Metadata) metadata.Description {
	r := in.Recipe
	extra := map[string]string{}
	for _, annotations := range []map[string]string{r.Annotations, in.Annotations} {
		for k, v := range annotations {
			extra[k] = v
		}
	}
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

// Labels returns the config's labels of an image created at that time.
func (d Description) Labels(created time.Time) (map[string]string, error) {
	d.words.Created = created
	return d.words.Labels(d.Metadata)
}

// Annotations returns the annotations of a manifest or index created at that
// time.
func (d Description) Annotations(created time.Time) map[string]string {
	d.words.Created = created
	return d.words.Annotations()
}

// sqlVersion is the default version of the last extension to create: the one
// the others are created for.
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

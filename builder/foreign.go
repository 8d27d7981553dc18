package builder

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/base"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/pgtest"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/survey"
)

// ForeignError says that neither the labels of an image nor its files tell
// which server it is for.
type ForeignError struct {
	Image string
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("testing %s: it has no label %s, and nothing else says which distribution it is for", e.Image, metadata.Label)
}

// Hint says how to tell.
func (*ForeignError) Hint() string { return "name the distribution with --distro" }

// Foreign returns the architectures of an image that pgext has not built:
// extensions, modules and requirements as its files have them, the server from
// its labels or, where these are silent, from the selection. Its name is that
// of its repository.
func (b *Builder) Foreign(ctx context.Context, a image.Artifact, name string, sel recipe.Selection) ([]Trial, error) {
	s, err := survey.Take(ctx, a, survey.Options{Cache: b.o.Cache})
	if err != nil {
		return nil, err
	}
	var out []Trial
	for n, i := range s.Images {
		m := derive(i, repository(name), sel)
		if m.Distro == "" {
			return nil, &ForeignError{Image: name}
		}
		out = append(out, Trial{Name: name, Image: a.Images[n], Metadata: m, Derived: true})
	}
	return out, nil
}

// derive says about an image what its files do.
func derive(i survey.Image, name string, sel recipe.Selection) metadata.Metadata {
	m := metadata.Metadata{
		Schema: metadata.Schema, Name: name, Image: name, Version: cmp.Or(i.Labels["org.opencontainers.image.version"], "0"),
		Distro: i.Distro, Postgres: i.Postgres, Arch: i.Arch, Extensions: i.Extensions, Modules: i.Modules,
		ExtensionControlPath: []string{"share"}, DynamicLibraryPath: []string{"lib"},
	}
	if m.Distro == "" && len(sel.Distros) == 1 {
		m.Distro = sel.Distros[0]
	}
	for _, dir := range i.LibraryPath {
		if dir != "lib" { // whose modules PostgreSQL opens itself
			m.LDLibraryPath = append(m.LDLibraryPath, dir)
		}
	}
	own := func(extension string) bool {
		return slices.ContainsFunc(i.Extensions, func(e metadata.Extension) bool { return e.Name == extension })
	}
	for _, e := range i.Extensions {
		for _, required := range e.Requires {
			r := metadata.Requirement{Extension: required}
			if !own(required) && !slices.Contains(base.Contrib(i.Postgres), required) && !slices.Contains(m.Requires, r) {
				m.Requires = append(m.Requires, r)
			}
		}
	}
	if len(i.Extensions) == 1 {
		m.Create = []string{i.Extensions[0].Name}
	}
	return m
}

// unfit are the characters that no mount folder has.
var unfit = regexp.MustCompile(`[^a-z0-9]+`)

// repository is the last part of an image's name, without tag and digest.
func repository(name string) string {
	name, _, _ = strings.Cut(strings.TrimPrefix(name, "oci:"), "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	name = strings.TrimSuffix(strings.TrimRight(name, "/"), "/oci")
	return cmp.Or(strings.Trim(unfit.ReplaceAllString(strings.ToLower(path.Base(name)), "-"), "-"), "image")
}

// derivation is the check that tells of a Derived trial.
func derivation(m metadata.Metadata) pgtest.Check {
	c := pgtest.Check{
		Name: "label", Status: pgtest.Note,
		Detail: fmt.Sprintf("the image has no %s: parameters, variables and libraries to preload are not known", metadata.Label),
	}
	if len(m.Extensions)+len(m.Modules) == 0 {
		c.Status = pgtest.Fail
		c.Detail = fmt.Sprintf("the image has no %s, no extension in share/extension and no module in lib: there is nothing to try out", metadata.Label)
	}
	return c
}

package recipe

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/cnpg"
	"github.com/pgext/pgext/internal/text"
)

// consumer judges what the image asks of the server it is mounted in.
func (v validator) consumer(r *Recipe) {
	v.each("create", r.Create, extensionPattern)
	v.each("requires", r.Requires, requirePattern)
	v.each("shared_preload_libraries", r.SharedPreloadLibraries, modulePattern)
	v.each("output_plugins", r.OutputPlugins, modulePattern)
	for _, name := range slices.Sorted(maps.Keys(r.Parameters)) {
		v.match(join("parameters", name), name, parameterPattern)
	}
	for i, env := range r.Env {
		at := index("env", i)
		v.envName(at+".name", env.Name)
		v.envValue(at+".value", env.Value)
	}
	v.unique("env", len(r.Env), func(i int) string { return r.Env[i].Name })
	for i, p := range r.BinPath {
		v.imagePath(index("bin_path", i), p)
		if _, err := cnpg.NormalizePath(p); err != nil {
			v.wrong(index("bin_path", i), "", "%v", err)
		}
	}
	v.unique("bin_path", len(r.BinPath), func(i int) string { return r.BinPath[i] })
}

// envName judges the name of a variable.
func (v validator) envName(field, name string) {
	if v.required(field, name) && v.match(field, name, envPattern) {
		if err := cnpg.CheckEnvName(name); err != nil {
			v.wrong(field, "", "%v", err)
		}
	}
}

// envValue judges the value of a variable.
func (v validator) envValue(field, value string) {
	if !v.required(field, value) {
		return
	}
	err := cnpg.CheckEnvValue(value)
	switch {
	case err != nil && text.Nearest(cnpg.UnknownPlaceholder(value), []string{cnpg.ImageRoot}) != "":
		v.wrong(field, "${"+cnpg.ImageRoot+"}", "%v", err)
	case err != nil:
		v.wrong(field, "", "%v", err)
	case strings.Contains(value, "\n"):
		v.wrong(field, "", "must be one line")
	}
}

// CheckAnnotation judges the name of an annotation.
func CheckAnnotation(key string) error {
	if !annotationKey.matches(key) {
		return fmt.Errorf("%q is not %s", key, annotationKey.is)
	}
	return checkNotOwn(key)
}

// checkNotOwn refuses the annotations that the build writes itself.
func checkNotOwn(key string) error {
	if slices.Contains(ownAnnotations, key) || strings.HasPrefix(key, "io.pgext.") || strings.HasPrefix(key, "io.cloudnativepg.image.") {
		return fmt.Errorf("%q is set by pgext from the image and cannot be overridden", key)
	}
	return nil
}

// ownAnnotations are those that no recipe can say better than the build knows,
// beside all of io.pgext and io.cloudnativepg.image. Of the others, such as
// title or vendor, the author has the last word.
var ownAnnotations = []string{
	"org.opencontainers.image.created", "org.opencontainers.image.version",
	"org.opencontainers.image.base.name", "org.opencontainers.image.base.digest", "org.opencontainers.image.ref.name",
}

package recipe

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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
		if strings.ContainsAny(p, ":,'") {
			v.wrong(index("bin_path", i), "", "%q holds a character that separates or ends a path list", p)
		}
	}
	v.unique("bin_path", len(r.BinPath), func(i int) string { return r.BinPath[i] })
}

// envName judges the name of a variable by CloudNativePG's rules, which do
// not regard case.
func (v validator) envName(field, name string) {
	upper := strings.ToUpper(name)
	switch {
	case !v.required(field, name) || !v.match(field, name, envPattern):
	case strings.HasPrefix(upper, "PG"), strings.HasPrefix(upper, "CNPG_"), slices.Contains(reservedEnv, upper):
		v.wrong(field, "", "CloudNativePG refuses %s: it reserves PG*, CNPG_*, %s", name, strings.Join(reservedEnv, ", "))
	}
}

// envValue judges the value of a variable: ${image_root} is the only
// placeholder that CloudNativePG knows.
func (v validator) envValue(field, value string) {
	if !v.required(field, value) {
		return
	}
	_, err := substitute(value, func(name string) (string, bool) { return "", name == "image_root" })
	var unknown *unknownVariable
	switch {
	case errors.As(err, &unknown):
		suggestion := ""
		if nearest(unknown.name, []string{"image_root"}) != "" {
			suggestion = "${image_root}"
		}
		v.wrong(field, suggestion, "%v; CloudNativePG knows only ${image_root}, and $${ is a literal ${", err)
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
	return nil
}

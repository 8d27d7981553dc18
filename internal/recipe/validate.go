package recipe

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/github/go-spdx/v2/spdxexp"
	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"

	"github.com/pgext/pgext/internal/text"
)

// validator judges the values of a decoded recipe.
type validator struct{ *collector }

func (v validator) recipe(r *Recipe) {
	v.identity(r)
	if _, given := v.where["source"]; given {
		v.source("source", &r.Source)
	} else {
		v.missing("source", "is required: one of deb, pgxs, tree")
	}
	v.targets(r)
	for i := range r.Archives {
		v.archive(index("archives", i), &r.Archives[i])
	}
	v.unique("archives", len(r.Archives), func(i int) string { return r.Archives[i].Name + " " + r.Archives[i].Suite })
	v.notEmpty("archives", len(r.Archives))
	v.bundle(&r.Bundle)
	v.consumer(r)
	if _, given := v.where["test"]; given {
		v.localPath("test.sql", r.Test.SQL, true)
	}
	for _, key := range slices.Sorted(maps.Keys(r.Annotations)) {
		v.match(join("annotations", key), key, annotationKey)
		if err := checkNotOwn(key); err != nil {
			v.wrong(join("annotations", key), "", "%v", err)
		}
	}
}

// identity judges the fields that name and describe the image.
func (v validator) identity(r *Recipe) {
	if v.required("name", r.Name) && v.match("name", r.Name, namePattern) && !v.given("image") && !imagePattern.matches(r.Name) {
		v.missing("image", "is required, because name %q cannot be a repository name", r.Name)
	}
	v.optional("image", r.Image, imagePattern)
	v.optional("version", r.Version, versionPattern)
	if strings.Contains(r.Summary, "\n") {
		v.wrong("summary", "", "must be one line")
	}
	if v.given("homepage") {
		v.url("homepage", r.Homepage, "http", "https")
	}
	if v.given("licenses") {
		v.licenses(r.Licenses)
	}
	if v.given("rewrite") && r.Rewrite != RewriteAuto && r.Rewrite != RewriteNone {
		v.oneOf("rewrite", r.Rewrite, []string{RewriteAuto, RewriteNone})
	}
}

// maxLicenses is the longest SPDX expression in bytes.
const maxLicenses = 4096

// spdxOperators join licenses in an expression.
var spdxOperators = []string{"AND", "OR", "WITH"}

// licenses judges an SPDX expression (SPDX 2.3, annex D).
func (v validator) licenses(expression string) {
	if len(expression) > maxLicenses { // their parser is not linear
		v.wrong("licenses", "", "has %d characters, more than %d", len(expression), maxLicenses)
		return
	}
	if isSPDX(expression) {
		return
	}
	words := strings.FieldsFunc(expression, func(r rune) bool { return strings.ContainsRune(" \t\n()", r) })
	for _, word := range words {
		exception, _ := spdxlicenses.IsException(word)
		if isSPDX(word) || exception || slices.Contains(spdxOperators, word) {
			continue
		}
		suggestion := text.Nearest(word, slices.Concat(spdxOperators, spdxlicenses.GetLicenses(), spdxlicenses.GetExceptions()))
		v.wrong("licenses", suggestion, "%q is not an SPDX license; one that SPDX does not list is LicenseRef-NAME", word)
		return
	}
	v.wrong("licenses", "", "not an SPDX expression; licenses are joined by AND, OR, WITH and parentheses")
}

// isSPDX reports whether the text is an SPDX expression. The library's parser
// panics on some that are none, such as an open parenthesis.
func isSPDX(text string) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	ok, _ = spdxexp.ValidateLicenses([]string{text})
	return ok
}

// bundle judges what joins the image besides the extension.
func (v validator) bundle(b *Bundle) {
	v.packages("bundle.packages", b.Packages)
	v.each("bundle.libraries", b.Libraries, sonamePattern)
	for i, data := range b.Data {
		at := index("bundle.data", i)
		if v.required(at+".package", data.Package) {
			v.packageName(at+".package", data.Package)
		}
		v.imagePath(at+".from", data.From)
		v.imagePath(at+".to", data.To)
		if v.given(at + ".env") {
			v.envName(at+".env", data.Env)
		}
	}
	v.unique("bundle.data", len(b.Data), func(i int) string { return b.Data[i].Package + " " + b.Data[i].From })
	for _, empty := range []struct {
		field string
		n     int
	}{{"bundle.packages", len(b.Packages)}, {"bundle.libraries", len(b.Libraries)}, {"bundle.data", len(b.Data)}} {
		v.notEmpty(empty.field, empty.n)
	}
}

// given reports whether the document has the field.
func (v validator) given(field string) bool {
	_, ok := v.where[field]
	return ok
}

// required reports whether a field has a value, and a problem when it has not.
func (v validator) required(field, value string) bool {
	switch {
	case value != "":
		return true
	case v.given(field):
		v.wrong(field, "", "is empty")
	default:
		v.missing(field, "is required")
	}
	return false
}

// optional judges a field that is given.
func (v validator) optional(field, value string, p pattern) {
	if v.given(field) && v.required(field, value) {
		v.match(field, value, p)
	}
}

// match judges a value by its pattern.
func (v validator) match(field, value string, p pattern) bool {
	if p.matches(value) {
		return true
	}
	if len(value) > p.maxLength {
		v.wrong(field, "", "has %d characters, more than %d", len(value), p.maxLength)
		return false
	}
	v.wrong(field, p.near(value), "%q is not %s", value, p.is)
	return false
}

// oneOf reports a value that is not among the known ones.
func (v validator) oneOf(field, value string, known []string) {
	v.wrong(field, text.Nearest(value, known), "%q is not one of %s", value, strings.Join(known, ", "))
}

// each judges the elements of a list of names, which may not repeat.
func (v validator) each(field string, values []string, p pattern) {
	for i, value := range values {
		if v.required(index(field, i), value) {
			v.match(index(field, i), value, p)
		}
	}
	v.unique(field, len(values), func(i int) string { return values[i] })
}

// unique reports elements of a list that repeat an earlier one.
func (v validator) unique(field string, n int, key func(i int) string) {
	first := map[string]int{}
	for i := range n {
		k := key(i)
		if strings.TrimSpace(k) == "" {
			continue
		}
		if before, repeated := first[k]; repeated {
			v.wrong(index(field, i), "", "repeats %s", index(field[strings.LastIndexByte(field, '.')+1:], before))
			continue
		}
		first[k] = i
	}
}

// notEmpty reports a list that is given and has no element.
func (v validator) notEmpty(field string, n int) {
	if v.given(field) && n == 0 {
		v.wrong(field, "", "is an empty list; remove the field")
	}
}

// expand returns value with its variables set to an example, and reports
// variables that are not known.
func (v validator) expand(field, value string) (string, bool) {
	example := map[string]string{"pg": "18", "distro": DefaultDistro, "arch": "amd64"}
	expanded, err := substitute(value, func(name string) (string, bool) {
		text, ok := example[name]
		return text, ok
	})
	var unknown *unknownVariable
	switch {
	case err == nil:
		return expanded, true
	case errors.As(err, &unknown):
		suggestion := text.Nearest(unknown.name, variables)
		if suggestion != "" {
			suggestion = "${" + suggestion + "}"
		}
		v.wrong(field, suggestion, "%v; known are ${pg}, ${distro}, ${arch}, and $${ is a literal ${", err)
	default:
		v.wrong(field, "", "%v", err)
	}
	return "", false
}

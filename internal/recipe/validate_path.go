package recipe

import (
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"
)

// localPath judges the path of a file or folder beside the recipe. It may lead
// upwards but not start at the root, which differs from machine to machine.
func (v validator) localPath(field, value string, required bool) {
	if !required && !v.given(field) || !v.required(field, value) {
		return
	}
	expanded, ok := v.expand(field, value)
	switch {
	case !ok:
	case strings.Contains(value, "\n"):
		v.wrong(field, "", "is a path, so it must be one line")
	case path.IsAbs(expanded):
		v.wrong(field, "", "%q is absolute; paths are relative to the recipe", value)
	case strings.Contains(expanded, "://"):
		v.wrong(field, "", "%q is a URL, not a path", value)
	}
}

// imagePath judges a path in a package or in the image: relative to its root,
// which it does not leave, and without detours.
func (v validator) imagePath(field, value string) {
	if !v.required(field, value) {
		return
	}
	expanded, ok := v.expand(field, value)
	if !ok {
		return
	}
	clean := strings.TrimPrefix(path.Clean("/"+value), "/")
	switch {
	case slices.Contains(strings.Split(expanded, "/"), ".."):
		v.wrong(field, "", "%q leaves the root", value)
	case !fs.ValidPath(expanded) || expanded == "." || strings.ContainsAny(expanded, "\n\t\\"):
		v.wrong(field, clean, "%q is not a plain relative path", value)
	}
}

// url judges an absolute URL of one of the schemes, without credentials.
func (v validator) url(field, value string, schemes ...string) {
	expanded, ok := v.expand(field, value)
	if !ok || !v.required(field, value) {
		return
	}
	u, err := url.Parse(expanded)
	switch {
	case err != nil || strings.ContainsAny(expanded, " \n\t"):
		v.wrong(field, "", "not a URL")
	case u.User != nil:
		v.wrong(field, "", "must not hold credentials; put them into netrc")
	case !slices.Contains(schemes, u.Scheme):
		v.wrong(field, "", "%q is not a URL that begins with %s://", value, strings.Join(schemes, ":// or "))
	case u.Scheme != "file" && u.Hostname() == "", u.Scheme == "file" && (u.Host != "" || !path.IsAbs(u.Path)):
		v.wrong(field, "", "%q is a URL without a host or an absolute path", value)
	}
}

// place judges the URL, path and digest of a file: one of url and path, and
// the digest whenever it is required.
func (v validator) place(field, url, local, sha256 string, needsDigest bool) {
	hasURL, hasPath := v.given(field+".url"), v.given(field+".path")
	switch {
	case hasURL && hasPath:
		v.wrong(field+".path", "", "only one of url, path can be given")
	case !hasURL && !hasPath && !v.faulty[field+".url"] && !v.faulty[field+".path"]:
		v.wrong(field, "", "needs url or path")
	}
	if hasURL {
		v.url(field+".url", url, "http", "https")
	}
	v.localPath(field+".path", local, false)
	if (needsDigest || hasURL || v.given(field+".sha256")) && v.required(field+".sha256", sha256) {
		v.match(field+".sha256", sha256, sha256Pattern)
	}
}

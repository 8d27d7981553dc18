package layout

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// verdict is the place of a path of an extension's package.
type verdict struct {
	// to is the path in the image; "" if the file is dropped.
	to string
	// reason is the reason for dropping it.
	reason string
	// code is the code of a finding about the file; "" for none.
	code string
	// never is true if the file is not even copied for a link to it.
	never bool
}

// documentation is dropped, but a link to a documentation file may copy it.
const documentation = "documentation"

// dropped are the directories whose files an image does not need.
var dropped = []struct{ prefix, reason string }{
	{"usr/share/doc/", documentation},
	{"usr/share/doc-base/", documentation},
	{"usr/share/man/", "manual page"},
	{"usr/share/info/", "manual page"},
	{"usr/include/", "header"},
	{"usr/share/locale/", "translation: PostgreSQL searches its own directory only"},
	{"usr/share/lintian/", "Debian packaging"},
	{"usr/share/bug/", "Debian packaging"},
	{"usr/share/postgresql-common/", "part of postgresql-common, not of the server"},
	{"usr/share/bash-completion/", "shell completion"},
	{"usr/share/zsh/", "shell completion"},
	{"usr/share/fish/", "shell completion"},
	{"usr/share/applications/", "desktop integration"},
	{"usr/share/icons/", "desktop integration"},
	{"usr/share/pixmaps/", "desktop integration"},
	{"usr/share/metainfo/", "desktop integration"},
	{"usr/lib/debug/", "debugging symbols"},
	{"usr/lib/systemd/", "service of a host"},
	{"lib/systemd/", "service of a host"},
	{"usr/lib/tmpfiles.d/", "service of a host"},
	{"usr/lib/sysusers.d/", "service of a host"},
	{"etc/", "configuration: the image has no /etc"},
	{"var/", "state: the image has no /var"},
}

var (
	// otherMajor matches a directory of PostgreSQL's packages.
	otherMajor = regexp.MustCompile(`^usr/(?:lib|share)/postgresql/([0-9.]+)/`)
	// libraryName matches a shared library, with or without a version.
	libraryName = regexp.MustCompile(`\.so(?:\.[0-9.]+)?$`)
	// compiledIn matches files that PostgreSQL 18 searches in its compiled-in
	// directories only.
	compiledIn = regexp.MustCompile(`^(?:share/(?:tsearch_data|timezonesets|timezone)|lib/(?:plugins|bitcode))/`)
)

// pkglibdir and sharedir are Debian's default location, relative to the root.
func (in Input) pkglibdir() string { return fmt.Sprintf("usr/lib/postgresql/%d/lib", in.Postgres) }
func (in Input) sharedir() string  { return fmt.Sprintf("usr/share/postgresql/%d", in.Postgres) }

// route returns the place of a path of an extension's package.
func (in Input) route(p string) verdict {
	for _, d := range dropped {
		if strings.HasPrefix(p, d.prefix) {
			return verdict{reason: d.reason, never: d.reason != documentation}
		}
	}
	switch path.Ext(p) {
	case ".a", ".la", ".pc":
		return verdict{reason: "development file", never: true}
	}
	if rest, ok := below(p, in.pkglibdir()); ok && rest != "" {
		return in.routeModule(rest)
	}
	if rest, ok := below(p, in.sharedir()); ok && rest != "" {
		return routeShare(rest)
	}
	for _, dir := range []string{path.Join(path.Dir(in.pkglibdir()), "bin"), "usr/bin"} {
		if path.Dir(p) == dir {
			return verdict{to: "bin/" + path.Base(p)}
		}
	}
	if m := otherMajor.FindStringSubmatch(p); m != nil && m[1] != fmt.Sprint(in.Postgres) {
		return verdict{reason: "for PostgreSQL " + m[1], code: "PGX022"}
	}
	if (strings.HasPrefix(p, "usr/lib/") || strings.HasPrefix(p, "lib/")) && libraryName.MatchString(p) {
		return verdict{reason: "library that the image does not need"}
	}
	return verdict{reason: "no place in an extension image", code: "PGX022"}
}

// routeModule routes a path below pkglibdir.
func (in Input) routeModule(rest string) verdict {
	switch top, _, _ := strings.Cut(rest, "/"); {
	case top == "bitcode" && !in.Bitcode:
		return verdict{reason: "bitcode: PostgreSQL searches its own directory only", never: true}
	case top == "pgxs" || top == "pkgconfig":
		return verdict{reason: "development file", never: true}
	}
	return special(verdict{to: "lib/" + rest})
}

// routeShare routes a path below sharedir.
func routeShare(rest string) verdict {
	switch top, _, _ := strings.Cut(rest, "/"); top {
	case "man":
		return verdict{reason: "manual page", never: true}
	case "locale":
		return verdict{reason: "translation: PostgreSQL searches its own directory only", never: true}
	}
	return special(verdict{to: "share/" + rest})
}

// special sets the code of files that do not work outside the default location.
func special(v verdict) verdict {
	if compiledIn.MatchString(v.to) {
		v.code = "PGX020"
	}
	return v
}

// isCopyright reports whether p is the copyright file of a package (Debian Policy
// 12.5).
func isCopyright(p string) bool {
	rest, ok := strings.CutPrefix(p, "usr/share/doc/")
	return ok && path.Base(rest) == "copyright" && strings.Count(rest, "/") == 1
}

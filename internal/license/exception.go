package license

import (
	"regexp"
	"strings"

	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"
)

// exceptions maps the words between "with" and "exception", in lower case, to SPDX
// exceptions. Names that are identifiers of SPDX are not listed.
var exceptions = map[string]string{
	"autoconf generic":     "Autoconf-exception-generic",
	"autoconf macro's":     "Autoconf-exception-macro",
	"autoconf-2.0~archive": "Autoconf-exception-macro",
	"autoconf-archive":     "Autoconf-exception-macro",
	"autoconf-data":        "Autoconf-exception-generic",
	"autoconf-generic":     "Autoconf-exception-generic",
	"autoconf-macro":       "Autoconf-exception-macro",
	"classpath":            "Classpath-exception-2.0",
	"ecos":                 "eCos-exception-2.0",
	"font":                 "Font-exception-2.0",
	"gcc runtime library":  "GCC-exception-3.1",
	"gcc-runtime-3.1":      "GCC-exception-3.1",
	"gcc-runtime-library":  "GCC-exception-3.1",
	"libtool":              "Libtool-exception",
	"linux-syscall-note":   "Linux-syscall-note",
	"llvm":                 "LLVM-exception",
	"ocaml-linking":        "OCaml-LGPL-linking-exception",
	"qt-lgpl":              "Qt-LGPL-exception-1.1",
	"texinfo":              "Texinfo-exception",
	"universal-foss":       "Universal-FOSS-exception-1.0",
	"wxwindows":            "WxWindows-exception-3.1",
}

// exceptionsOfGPL3 maps words that have another meaning with version 3 of the GPL.
var exceptionsOfGPL3 = map[string]string{
	"autoconf generic": "Autoconf-exception-generic-3.0",
	"autoconf-data":    "Autoconf-exception-generic-3.0",
	"autoconf-generic": "Autoconf-exception-generic-3.0",
	"bison":            "Bison-exception-2.2",
	"gcc":              "GCC-exception-3.1",
}

// sharedExceptions are families of exceptions with the same name. The text takes
// precedence over the name, because copyright files often use the Debian name of
// another exception of the family.
var sharedExceptions = []struct {
	family string
	texts  []wording
}{
	{"autoconf", []wording{
		{"output of autoconf when processing the macro", "Autoconf-exception-macro"},
		{"autoconf configure script exception", "Autoconf-exception-3.0"},
		{"for the rest of that program. this exception is an additional permission under section 7", "Autoconf-exception-generic-3.0"},
		{"terms that you use for the rest of that program", "Autoconf-exception-generic"},
		{"configure scripts that are the output of autoconf", "Autoconf-exception-2.0"},
	}},
	{"bison", []wording{
		{"larger work that contains part or all of the bison parser skeleton", "Bison-exception-2.2"},
		{"when this file is copied by bison into a bison output file", "Bison-exception-1.24"},
	}},
	{"gcc", []wording{
		{"gcc runtime library exception", "GCC-exception-3.1"},
		{"link the compiled version of this file into combinations with other programs", "GCC-exception-2.0"},
	}},
}

var (
	// withException matches "X with Y exception" and "X-with-Y-exception"; Y may
	// be the SPDX identifier of the exception.
	withException = regexp.MustCompile(`^(.*?)[ -]with[ -](?:the[ -])?(.*)$`)
	// fused matches "GPL-2+-autoconf-exception".
	fused = regexp.MustCompile(`^([al]?gpl-[0-9.]+\+?)-(.*)-exception$`)
	// exceptionWord matches the word "exception" at the end of a name.
	exceptionWord = regexp.MustCompile(`[ -]exceptions?$`)
	// numbered matches a name with a version, such as "bison-2.2" for
	// Bison-exception-2.2.
	numbered = regexp.MustCompile(`^(.*)-([0-9.]+)$`)
)

// excepted returns an expression of a licence with an exception, "" if SPDX has no
// identifier for one of them.
func excepted(id, words, text string) string {
	if id == "" || strings.ContainsAny(id, " ") {
		return ""
	}
	words = exceptionWord.ReplaceAllString(words, "")
	for _, shared := range sharedExceptions {
		if !strings.HasPrefix(words, shared.family) {
			continue
		}
		if exception := decided(shared.texts, text); exception != "" {
			return id + " WITH " + exception
		}
	}
	if exception := exceptionNamed(id, words); exception != "" {
		return id + " WITH " + exception
	}
	return ""
}

// exceptionNamed returns the SPDX exception for words with the licence id, "" for
// none.
func exceptionNamed(id, words string) string {
	if strings.HasPrefix(id, "GPL-3.0") && exceptionsOfGPL3[words] != "" {
		return exceptionsOfGPL3[words]
	}
	if exception := exceptions[words]; exception != "" {
		return exception
	}
	for _, name := range []string{words, words + "-exception", numbered.ReplaceAllString(words, "$1-exception-$2")} {
		if ok, exception := spdxlicenses.IsException(name); ok {
			return exception
		}
	}
	return ""
}

package license

import (
	"regexp"
	"strings"

	"github.com/github/go-spdx/v2/spdxexp"
	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"
)

// shortNames maps names that Debian uses, in lower case, to what SPDX calls
// the same licence. Names that differ in case only are not listed. Names
// without a version whose versions differ are left out on purpose.
var shortNames = map[string]string{
	"3-clause-bsd":     "BSD-3-Clause",
	"apache-2":         "Apache-2.0",
	"artistic":         "Artistic-1.0",
	"artistic-1":       "Artistic-1.0",
	"artistic-2":       "Artistic-2.0",
	"boost":            "BSL-1.0",
	"boost-1.0":        "BSL-1.0",
	"bsd-2":            "BSD-2-Clause",
	"bsd-3":            "BSD-3-Clause",
	"bsd-4":            "BSD-4-Clause",
	"bsd2":             "BSD-2-Clause",
	"bsd3":             "BSD-3-Clause",
	"bsl":              "BSL-1.0",
	"bsl-1":            "BSL-1.0",
	"cc0":              "CC0-1.0",
	"cddl":             "CDDL-1.0",
	"cddl-1":           "CDDL-1.0",
	"cpl":              "CPL-1.0",
	"edl-1":            "BSD-3-Clause",
	"edl-1.0":          "BSD-3-Clause",
	"epl-1":            "EPL-1.0",
	"epl-2":            "EPL-2.0",
	"expat":            "MIT",
	"freetype":         "FTL",
	"fsf-unlimited":    "FSFULLR",
	"mit/x":            "MIT",
	"mit/x11":          "MIT",
	"mpl-1":            "MPL-1.0",
	"mpl-2":            "MPL-2.0",
	"openldap-2.8":     "OLDAP-2.8",
	"perl":             "Artistic-1.0-Perl OR GPL-1.0-or-later",
	"psf-2":            "PSF-2.0",
	"python-2":         "Python-2.0",
	"qpl":              "QPL-1.0",
	"ssleay":           "SSLeay-standalone",
	"wtfpl-2":          "WTFPL",
	"zpl":              "ZPL-1.1",
	"zope":             "ZPL-1.1",
	"unicode-dfs-2015": "Unicode-DFS-2015",
}

// exceptions maps the words between "with" and "exception", in lower case, to
// the SPDX exception.
var exceptions = map[string]string{
	"bison":                 "Bison-exception-2.2",
	"bison-2.2":             "Bison-exception-2.2",
	"classpath":             "Classpath-exception-2.0",
	"ecos":                  "eCos-exception-2.0",
	"font":                  "Font-exception-2.0",
	"gcc":                   "GCC-exception-3.1",
	"gcc-runtime-library":   "GCC-exception-3.1",
	"gcc runtime library":   "GCC-exception-3.1",
	"libtool":               "Libtool-exception",
	"linux-syscall-note":    "Linux-syscall-note",
	"llvm":                  "LLVM-exception",
	"ocaml-linking":         "OCaml-LGPL-linking-exception",
	"qt-lgpl":               "Qt-LGPL-exception-1.1",
	"texinfo":               "Texinfo-exception",
	"universal-foss":        "Universal-FOSS-exception-1.0",
	"wxwindows":             "WxWindows-exception-3.1",
	"autoconf gpl-2.0-plus": "Autoconf-exception-2.0",
	"autoconf gpl-3.0-plus": "Autoconf-exception-3.0",
}

var (
	// gnu matches the names of the GNU licences in all their spellings.
	gnu = regexp.MustCompile(`^([al]?gpl)(?:-?v?-?([0-9])(?:\.([0-9]))?(?:\.0)?)?(\+|-or-later|-only)?$`)
	// gfdl matches those of the Free Documentation License; -niv means
	// without invariant sections.
	gfdl = regexp.MustCompile(`^gfdl(-niv)?-(1\.[123])(\+|-or-later|-only)?(-no-invariants)?$`)
	// withException matches "X with Y exception" and "X-with-Y-exception".
	withException = regexp.MustCompile(`^(.*?)[ -]with[ -](?:the[ -])?(.*?)[ -]?exceptions?$`)
	// fused matches "GPL-2+-autoconf-exception".
	fused = regexp.MustCompile(`^([al]?gpl-[0-9.]+\+?)-(.*)-exception$`)
)

// identifier returns the SPDX identifier or expression for a short name; ""
// when SPDX has none.
func identifier(name string) string {
	low := strings.ToLower(strings.TrimSpace(name))
	low = strings.TrimSuffix(strings.TrimSuffix(low, " license"), " licence")
	for _, re := range []*regexp.Regexp{withException, fused} {
		if m := re.FindStringSubmatch(low); m != nil {
			return excepted(identifier(m[1]), m[2])
		}
	}
	if id, ok := shortNames[low]; ok {
		return id
	}
	if m := gnu.FindStringSubmatch(low); m != nil {
		return gnuIdentifier(m[1], m[2], m[3], m[4])
	}
	if m := gfdl.FindStringSubmatch(low); m != nil {
		return gfdlIdentifier(m[2], m[1]+m[4] != "", m[3])
	}
	if ok, id := spdxexp.ActiveLicense(low); ok {
		return id
	}
	return ""
}

// excepted adds an exception to a licence; "" when SPDX lacks either.
func excepted(id, words string) string {
	if id == "" || strings.ContainsAny(id, " ") {
		return ""
	}
	exception := exceptions[words]
	if exception == "" && strings.HasPrefix(words, "autoconf") {
		switch id {
		case "GPL-2.0-or-later":
			exception = exceptions["autoconf gpl-2.0-plus"]
		case "GPL-3.0-or-later":
			exception = exceptions["autoconf gpl-3.0-plus"]
		}
	}
	if exception == "" {
		if ok, known := spdxlicenses.IsException(words); ok {
			exception = known
		} else if ok, known := spdxlicenses.IsException(words + "-exception"); ok {
			exception = known
		}
	}
	if exception == "" {
		return ""
	}
	return id + " WITH " + exception
}

// gnuIdentifier names a GNU licence. Without a version any version will do
// (GPL-3, section 14), and the first one of the LGPL is 2.0.
func gnuIdentifier(family, major, minor, suffix string) string {
	if major == "" {
		if suffix == "-only" {
			return ""
		}
		major, suffix = map[string]string{"gpl": "1", "lgpl": "2", "agpl": "3"}[family], "+"
	}
	if minor == "" {
		minor = "0"
	}
	id := strings.ToUpper(family) + "-" + major + "." + minor
	if suffix == "+" || suffix == "-or-later" {
		id += "-or-later"
	} else {
		id += "-only"
	}
	if ok, _ := spdxexp.ActiveLicense(id); !ok {
		return ""
	}
	return id
}

func gfdlIdentifier(version string, noInvariants bool, suffix string) string {
	id := "GFDL-" + version
	if noInvariants {
		id += "-no-invariants"
	}
	if suffix == "+" || suffix == "-or-later" {
		return id + "-or-later"
	}
	return id + "-only"
}

package license

import (
	"regexp"
	"strings"

	"github.com/github/go-spdx/v2/spdxexp"
)

// shortNames maps names in Debian packages, in lower case, to the SPDX identifier of
// the licence. Names that differ from the identifier in case only are not listed, nor
// are names without a version of licences that differ between versions.
var shortNames = map[string]string{
	"3-clause-bsd":     "BSD-3-Clause",
	"apache-2":         "Apache-2.0",
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
	"mit/x":            "MIT",
	"mit/x11":          "MIT",
	"mpl-1":            "MPL-1.0",
	"mpl-2":            "MPL-2.0",
	"openldap-2.8":     "OLDAP-2.8",
	"perl":             "Artistic-1.0-Perl OR GPL-1.0-or-later",
	"psf-2":            "PSF-2.0",
	"python-2":         "Python-2.0",
	"qpl":              "QPL-1.0",
	"sil-1.1":          "OFL-1.1",
	"ssleay":           "SSLeay-standalone",
	"ufl-1.0":          "Ubuntu-font-1.0",
	"wtfpl-2":          "WTFPL",
	"zpl":              "ZPL-1.1",
	"zlib/libpng":      "Zlib",
	"zope":             "ZPL-1.1",
	"unicode-dfs-2015": "Unicode-DFS-2015",
}

var (
	// gnu matches all spellings of the names of GNU licences.
	gnu = regexp.MustCompile(`^([al]?gpl)(?:-?v?-?([0-9])(?:\.([0-9]))?(?:\.0)?)?(\+|-or-later|-only)?$`)
	// gfdl matches names of the GNU Free Documentation License; -niv stands for no
	// invariant sections.
	gfdl = regexp.MustCompile(`^gfdl(-niv)?-(1\.[123])(\+|-or-later|-only)?(-no-invariants?)?$`)
	// granted matches a grant of a version of a GNU licence "or any later version".
	granted = regexp.MustCompile(`\b(gnu|lesser|library|affero) general public license.{0,80}\bversion ([0-9])(?:\.([0-9]))?\b.{0,60}\bany later version\b`)
	// versioned matches a text that mentions a version.
	versioned = regexp.MustCompile(`\bversion [0-9]`)
)

// identifier returns the SPDX identifier or expression for a short name, "" if SPDX has
// none. text is the text of the licence in the file (see plain); it decides between
// licences of the same name.
func identifier(name, text string) string {
	low := strings.ToLower(strings.TrimSpace(name))
	for _, word := range []string{" license", " licence", "-license"} {
		low = strings.TrimSuffix(low, word)
	}
	for _, re := range []*regexp.Regexp{withException, fused} {
		if m := re.FindStringSubmatch(low); m != nil {
			return excepted(identifier(m[1], text), m[2], text)
		}
	}
	if list, ok := sharedNames[low]; ok {
		return decided(list, text)
	}
	if m := gnu.FindStringSubmatch(low); m != nil {
		if m[2] == "" {
			return unversioned(m[1], m[4], text)
		}
		return gnuIdentifier(m[1], m[2], m[3], m[4])
	}
	if m := gfdl.FindStringSubmatch(low); m != nil {
		return gfdlIdentifier(m[2], m[1]+m[4] != "", m[3])
	}
	if id := listed(low); id != "" {
		return id
	}
	if id := listed(strings.TrimSuffix(low, "+")); id != "" && !strings.ContainsAny(id, " ") {
		return id + "+" // SPDX 2.3, annex D.3
	}
	return ""
}

// listed returns the SPDX identifier for a name in lower case, "" for none.
func listed(low string) string {
	if id, ok := shortNames[low]; ok {
		return id
	}
	if ok, id := spdxexp.ActiveLicense(low); ok {
		return id
	}
	return ""
}

// unversioned returns the identifier of a GNU licence whose short name has no version:
// the version that the text grants. If the text mentions no version either, any version
// applies (GPL-3, section 14); the first version of the LGPL is 2.0. It returns "" for
// a text that mentions a version without granting it or later ones, such as the path of
// a copy on Debian systems, and for the text of the licence itself, which ends with an
// example of a grant.
func unversioned(family, suffix, text string) string {
	first := map[string]string{"gpl": "1", "lgpl": "2", "agpl": "3"}[family]
	if suffix == "-only" {
		return ""
	}
	if suffix != "" || !versioned.MatchString(text) {
		return gnuIdentifier(family, first, "", "+")
	}
	if strings.Contains(text, "how to apply these terms to your new programs") {
		return ""
	}
	families := map[string]string{"gnu": "gpl", "lesser": "lgpl", "library": "lgpl", "affero": "agpl"}
	for _, m := range granted.FindAllStringSubmatch(text, -1) {
		if families[m[1]] == family {
			return gnuIdentifier(family, m[2], m[3], "+")
		}
	}
	return ""
}

// gnuIdentifier returns the identifier of a GNU licence, "" if SPDX has none.
func gnuIdentifier(family, major, minor, suffix string) string {
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

// gfdlIdentifier returns the identifier of a GNU Free Documentation License.
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

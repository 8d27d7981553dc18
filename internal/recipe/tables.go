package recipe

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/cnpg"
)

// Values of Recipe.Rewrite.
const (
	RewriteAuto = "auto"
	RewriteNone = "none"
)

// BaseMinimal is the base that is computed from the archives: what
// CloudNativePG's minimal operand image holds.
const BaseMinimal = "cnpg-minimal"

// BaseImagePrefix begins a base that is read from an operand image.
const BaseImagePrefix = "image:"

// DefaultDistro is the default distribution of a matrix row.
const DefaultDistro = "trixie"

var (
	defaultPostgres = []int{18}
	defaultArchs    = []string{"amd64", "arm64"}
)

// distros are the distributions with built-in archives. Any other needs
// archives that name their suite.
var distros = []string{"bookworm", "trixie", "forky", "sid", "experimental"}

// Distros returns the distributions with built-in archives, oldest first.
func Distros() []string { return slices.Clone(distros) }

// archs are Debian's names of the architectures that have an OCI platform.
var archs = []string{"amd64", "arm64", "armel", "armhf", "i386", "loong64", "mips64el", "ppc64el", "riscv64", "s390x"}

// otherArchs are names that other systems use for an architecture.
var otherArchs = map[string]string{
	"x86_64": "amd64", "x86-64": "amd64", "x64": "amd64", "aarch64": "arm64", "armv8": "arm64",
	"armv7": "armhf", "armv7l": "armhf", "armv6": "armel", "386": "i386", "i686": "i386", "x86": "i386",
	"ppc64le": "ppc64el", "loongarch64": "loong64", "mips64le": "mips64el",
}

// builtinArchives are the archives whose URL and keys pgext knows.
var builtinArchives = []string{"debian", "debian-security", "pgdg"}

// The oldest and newest PostgreSQL major that can be meant.
const (
	minPostgres = 10
	maxPostgres = 99
)

// variables expand in package names, paths and URLs.
var variables = []string{"pg", "distro", "arch"}

// pattern is the syntax of a kind of value.
type pattern struct {
	*regexp.Regexp
	// is completes "is not …".
	is string
	// maxLength is in bytes.
	maxLength int
}

// The patterns are anchored: the JSON Schema has them as they are.
var (
	namePattern = newPattern(cnpg.MaxName, cnpg.NamePattern, "lower-case letters, digits, - and _, beginning and ending with a letter or digit")
	// OCI Distribution Specification, one component of <name>.
	imagePattern = newPattern(128, `[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*`, "a repository name: lower-case letters and digits, separated by . _ __ or dashes")
	// What a tag can hold once it is sanitized.
	versionPattern = newPattern(100, `[0-9A-Za-z][-0-9A-Za-z.+~:_]*`, "a version: letters, digits and - . + ~ : _, beginning with a letter or digit")
	distroPattern  = newPattern(60, `[a-z][a-z0-9.-]*`, "a codename: lower-case letters, digits, . and -")
	// Debian Policy 5.6.1.
	packagePattern = newPattern(200, `[a-z0-9][a-z0-9+.-]+`, "a Debian package name: lower-case letters, digits, + - and .")
	suitePattern   = newPattern(100, `[A-Za-z0-9][-A-Za-z0-9._+~/]*`, "a suite or component: letters, digits and - . _ + ~ /")
	sha256Pattern  = newPattern(64, `[0-9a-f]{64}`, "a SHA-256: 64 lower-case hex digits")
	// OpenPGP version 4 and 6.
	fingerprintPattern = newPattern(64, `([0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})`, "a fingerprint: 40 or 64 hex digits")
	// PostgreSQL refuses names with --, with a - at an end, and separators.
	extensionPattern = newPattern(63, `[A-Za-z0-9_]+(-?[A-Za-z0-9_.]+)*`, "the name of an SQL extension")
	requirePattern   = newPattern(90, `(module:[A-Za-z0-9_][-A-Za-z0-9_.+]*|[A-Za-z0-9_]+(-?[A-Za-z0-9_.]+)*)`, "the name of an SQL extension, or module:NAME")
	modulePattern    = newPattern(90, `[A-Za-z0-9_][-A-Za-z0-9_.+]*`, "the name of a module without its folder")
	sonamePattern    = newPattern(200, `[A-Za-z0-9_][-A-Za-z0-9_.+]*`, "a SONAME, such as libproj.so.25")
	parameterPattern = newPattern(200, cnpg.ParameterPattern, "the name of a parameter")
	envPattern       = newPattern(200, cnpg.EnvPattern, "the name of an environment variable")
	annotationKey    = newPattern(200, `[A-Za-z0-9][-A-Za-z0-9._/]*`, "the name of an annotation: letters, digits and - . _ /")
	referencePattern = newPattern(500, `(oci:[^\s]+|[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*)+(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?)`, "HOST/NAME[:TAG][@sha256:DIGEST] or oci:PATH")
)

func newPattern(maxLength int, expression, is string) pattern {
	return pattern{regexp.MustCompile("^" + expression + "$"), is, maxLength}
}

// matches reports whether s is of the kind; $ does not match before a final
// newline in Go.
func (p pattern) matches(s string) bool { return len(s) <= p.maxLength && p.MatchString(s) }

// near returns the spelling of s that would match: without its folder, in
// lower case, with other separators; "" when there is none.
func (p pattern) near(s string) string {
	s = strings.TrimSpace(s)
	s = s[strings.LastIndexByte(s, '/')+1:]
	lower := strings.ToLower(s)
	words := strings.FieldsFunc(lower, func(r rune) bool { return r == ' ' || r == '.' })
	for _, t := range []string{s, lower, strings.Join(words, "-"), strings.Join(words, "_"), strings.Join(words, "")} {
		if p.matches(t) {
			return t
		}
	}
	return ""
}

package recipe

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// smallest is what the cases below add a fault to.
const smallest = `name: pgvector
source:
  deb:
    packages: ["postgresql-${pg}-pgvector"]
`

func TestProblems(t *testing.T) {
	for _, tt := range []struct{ name, yaml, want string }{
		// The document
		{"empty", "", `r.yaml:1:1: is empty; the smallest recipe has "name" and "source"`},
		{"comment only", "# later\n", `r.yaml:1:1: is empty; the smallest recipe has "name" and "source"`},
		{"null", "---\n", `r.yaml:2:1: has no value; give one or remove the field`},
		{"list", "- a\n", `r.yaml:1:1: want a mapping, got a list`},
		{"text", "pgvector\n", `r.yaml:1:1: want a mapping, got the text "pgvector"`},
		{"two documents", smallest + "---\nname: x\n", `r.yaml:5:1: a second document begins; a recipe is one document`},
		{"second document broken", smallest + "---\n]\n", `r.yaml:6:1: not YAML: while parsing a block node: did not find expected node content`},
		{"not YAML", "name: [a\n", `r.yaml:2:1: not YAML: while parsing a flow sequence: did not find expected ',' or ']'`},
		{"tab", "name: a\n\tb: c\n", `r.yaml:2:1: not YAML: while scanning a plain scalar: found a tab character that violates indentation`},
		{"not UTF-8", "name: a\nimage: \xff\n", `r.yaml:2:8: not YAML: invalid leading UTF-8 octet (value: 255)`},
		{"UTF-16", "\xff\xfen\x00", `r.yaml:1:1: is UTF-16; a recipe is UTF-8`},
		{"unknown anchor", "name: *a\n", `r.yaml:1:7: not YAML: unknown anchor 'a' referenced`},
		{"too large", "#" + strings.Repeat("x", MaxSize), `r.yaml:1:1: larger than 1 MiB, which no recipe is`},
		{"merge key", smallest + "<<: {summary: x}\n", `r.yaml:5:1: merge keys (<<) are not supported; repeat the fields`},
		{"key that is no text", smallest + "[a]: b\n", `r.yaml:5:1: has a key that is not text`},
		{"custom tag", smallest + "summary: !x y\n", `r.yaml:5:10: summary: want text, got a value tagged "!x"`},
		{"binary", smallest + "summary: !!binary aGk=\n", `r.yaml:5:10: summary: want text, got a value tagged "!!binary"`},
		{"control character", smallest + "summary: \"a\\x07b\"\n", `r.yaml:5:10: summary: contains a control character`},

		// Fields
		{"unknown field, near", smallest + "homepge: https://a.example\n", `r.yaml:5:1: homepge: unknown field (did you mean "homepage"?)`},
		{"unknown field, far", smallest + "test: {sql: t.sql, colour: red}\n", `r.yaml:5:20: test.colour: unknown field; known are sql`},
		{"unknown field, nested", "name: a\nsource:\n  deb:\n    package: [a]\n", `r.yaml:4:5: source.deb.package: unknown field (did you mean "packages"?)`},
		{"unknown source", "name: a\nsource:\n  dep: {packages: [ab]}\n", `r.yaml:3:3: source.dep: unknown field (did you mean "deb"?)`},
		{"misspelt required field", "nam: a\nsource: {tree: [{path: a}]}\n", `r.yaml:1:1: nam: unknown field (did you mean "name"?)`},
		{"hostile field", smallest + "\"a\\nb\": 1\n", `r.yaml:5:1: "a\nb": unknown field; known are name, image, version, summary, homepage, licenses, source, targets, archives, bundle, rewrite, bitcode, create, requires, shared_preload_libraries, parameters, output_plugins, env, bin_path, test, annotations`},
		{"duplicate", smallest + "name: b\n", `r.yaml:5:1: name: repeats line 1`},
		{"duplicate parameter", smallest + "parameters: {a: b, a: c}\n", `r.yaml:5:20: parameters.a: repeats line 5`},
		{"no value", smallest + "summary:\n", `r.yaml:5:9: summary: has no value; give one or remove the field`},
		{"nothing required", "summary: x\n", "r.yaml:1:1: name: is required\nr.yaml:1:1: source: is required: one of deb, pgxs, tree"},

		// Types
		{"text for list", "name: a\nsource: {deb: {packages: \"postgresql-${pg}-x\"}}\n", `r.yaml:2:26: source.deb.packages: want a list, got the text "postgresql-${pg}-x"; write ["postgresql-${pg}-x"]`},
		{"number for list", smallest + "targets: [{postgres: 18}]\n", `r.yaml:5:22: targets[0].postgres: want a list, got the number 18; write [18]`},
		{"mapping for list", smallest + "targets: {distro: sid}\n", `r.yaml:5:10: targets: want a list, got a mapping`},
		{"archive for list", smallest + "archives: pgdg\n", `r.yaml:5:11: archives: want a list, got the text "pgdg"; write [pgdg]`},
		{"list for text", smallest + "summary: [a]\n", `r.yaml:5:10: summary: want text, got a list`},
		{"number for text", smallest + "image: 12\n", `r.yaml:5:8: image: want text, got the number 12; write "12"`},
		{"yes for true", smallest + "bitcode: yes\n", `r.yaml:5:10: bitcode: want true or false, got the text "yes"`},
		{"text for number", smallest + "targets: [{postgres: [\"18\"]}]\n", `r.yaml:5:23: targets[0].postgres[0]: want a whole number, got the text "18"`},
		{"minor version", smallest + "targets: [{postgres: [18.6]}]\n", `r.yaml:5:23: targets[0].postgres[0]: want a whole number, got the number 18.6`},
		{"list for mapping", smallest + "parameters: [a]\n", `r.yaml:5:13: parameters: want a mapping, got a list`},
		{"list as parameter", smallest + "parameters: {a: [b]}\n", `r.yaml:5:17: parameters.a: want text, got a list`},

		// Identity
		{"name", "name: PG Vector\nsource: {tree: [{path: a}]}\n", `r.yaml:1:7: name: "PG Vector" is not lower-case letters, digits, - and _, beginning and ending with a letter or digit (did you mean "pg-vector"?)`},
		{"name too long", "name: " + strings.Repeat("a", 60) + "\nsource: {tree: [{path: a}]}\n", `r.yaml:1:7: name: has 60 characters, more than 59`},
		{"name empty", "name: ''\nsource: {tree: [{path: a}]}\n", `r.yaml:1:7: name: is empty`},
		{"name that is no image", "name: a___b\nsource: {tree: [{path: a}]}\n", `r.yaml:1:1: image: is required, because name "a___b" cannot be a repository name`},
		{"image", smallest + "image: ghcr.io/x\n", `r.yaml:5:8: image: "ghcr.io/x" is not a repository name: lower-case letters and digits, separated by . _ __ or dashes (did you mean "x"?)`},
		{"version", smallest + "version: v 1\n", `r.yaml:5:10: version: "v 1" is not a version: letters, digits and - . + ~ : _, beginning with a letter or digit (did you mean "v-1"?)`},
		{"summary", smallest + "summary: |\n  a\n  b\n", `r.yaml:5:10: summary: must be one line`},
		{"homepage", smallest + "homepage: github.com/x\n", `r.yaml:5:11: homepage: "github.com/x" is not a URL that begins with http:// or https://`},
		{"homepage with password", smallest + "homepage: https://u:p@a.example\n", `r.yaml:5:11: homepage: must not hold credentials; put them into netrc`},
		{"license", smallest + "licenses: PostgreSLQ\n", `r.yaml:5:11: licenses: "PostgreSLQ" is not an SPDX license; one that SPDX does not list is LicenseRef-NAME (did you mean "PostgreSQL"?)`},
		{"license expression", smallest + "licenses: MIT AND (ISC\n", `r.yaml:5:11: licenses: not an SPDX expression; licenses are joined by AND, OR, WITH and parentheses`},
		{"license, only open", smallest + "licenses: \"((\"\n", `r.yaml:5:11: licenses: not an SPDX expression; licenses are joined by AND, OR, WITH and parentheses`},
		{"license too long", smallest + "licenses: " + strings.Repeat("MIT AND ", 600) + "MIT\n", `r.yaml:5:11: licenses: has 4803 characters, more than 4096`},
		{"license, shortened", smallest + "licenses: " + strings.Repeat("x", 4000) + "\n", `r.yaml:5:11: licenses: "` + strings.Repeat("x", maxText-1) + "…"},
		{"rewrite", smallest + "rewrite: nine\n", `r.yaml:5:10: rewrite: "nine" is not one of auto, none (did you mean "none"?)`},

		// Source
		{"no source", "name: a\nsource: {}\n", `r.yaml:2:9: source: needs one of deb, pgxs, tree`},
		{"two sources", "name: a\nsource:\n  deb: {packages: [ab]}\n  tree: [{path: a}]\n", `r.yaml:4:9: source.tree: only one of deb, pgxs, tree can be given, and deb is`},
		{"no package", "name: a\nsource: {deb: {}}\n", `r.yaml:2:15: source.deb: names no package; give packages or files`},
		{"empty packages", "name: a\nsource: {deb: {packages: []}}\n", `r.yaml:2:26: source.deb.packages: is an empty list; name at least one package`},
		{"package", "name: a\nsource: {deb: {packages: [PostGIS]}}\n", `r.yaml:2:27: source.deb.packages[0]: "PostGIS" is not a Debian package name: lower-case letters, digits, + - and . (did you mean "postgis"?)`},
		{"package twice", "name: a\nsource: {deb: {packages: [ab, ab]}}\n", `r.yaml:2:31: source.deb.packages[1]: repeats packages[0]`},
		{"variable", "name: a\nsource: {deb: {packages: [\"a-${pgs}\"]}}\n", `r.yaml:2:27: source.deb.packages[0]: unknown variable ${pgs}; known are ${pg}, ${distro}, ${arch}, and $${ is a literal ${ (did you mean "${pg}"?)`},
		{"open variable", "name: a\nsource: {deb: {packages: [\"a-${pg\"]}}\n", `r.yaml:2:27: source.deb.packages[0]: a variable begins with ${ and does not end`},
		{"file without place", "name: a\nsource: {deb: {files: [{arch: amd64}]}}\n", "r.yaml:2:24: source.deb.files[0]: needs url or path"},
		{"file without digest", "name: a\nsource: {deb: {files: [{path: x.deb}]}}\n", "r.yaml:2:24: source.deb.files[0].sha256: is required"},
		{"file with both", "name: a\nsource: {deb: {files: [{path: x.deb, url: 'https://a.example/x.deb', sha256: abc}]}}\n", "r.yaml:2:31: source.deb.files[0].path: only one of url, path can be given\nr.yaml:2:78: source.deb.files[0].sha256: \"abc\" is not a SHA-256: 64 lower-case hex digits"},
		{"upper-case digest", "name: a\nsource: {deb: {files: [{path: x.deb, sha256: " + strings.Repeat("AB", 32) + "}]}}\n", `r.yaml:2:46: source.deb.files[0].sha256: "` + strings.Repeat("AB", 32) + `" is not a SHA-256: 64 lower-case hex digits (did you mean "` + strings.Repeat("ab", 32) + `"?)`},
		{"url with password", "name: a\nsource: {pgxs: {url: 'https://me:secret@a.example/x', sha256: " + strings.Repeat("ab", 32) + "}}\n", `r.yaml:2:22: source.pgxs.url: must not hold credentials; put them into netrc`},
		{"url without host", "name: a\nsource: {pgxs: {url: 'https:///x', sha256: " + strings.Repeat("ab", 32) + "}}\n", `r.yaml:2:22: source.pgxs.url: "https:///x" is a URL without a host or an absolute path`},
		{"pgxs url without digest", "name: a\nsource: {pgxs: {url: 'https://a.example/x'}}\n", `r.yaml:2:16: source.pgxs.sha256: is required`},
		{"strip", "name: a\nsource: {pgxs: {path: x, strip: -1}}\n", `r.yaml:2:33: source.pgxs.strip: -1 is not a number of path components`},
		{"subdir", "name: a\nsource: {pgxs: {path: x, subdir: ../y}}\n", `r.yaml:2:34: source.pgxs.subdir: "../y" leaves the root`},
		{"no program", "name: a\nsource: {pgxs: {path: x, configure: ['']}}\n", `r.yaml:2:38: source.pgxs.configure[0]: is empty; it is the program that runs`},
		{"absolute tree", "name: a\nsource: {tree: [{path: /srv/x}]}\n", `r.yaml:2:24: source.tree[0].path: "/srv/x" is absolute; paths are relative to the recipe`},
		{"tree twice", "name: a\nsource: {tree: [{path: x}, {path: x}]}\n", `r.yaml:2:28: source.tree[1]: repeats tree[0]`},
		{"no tree", "name: a\nsource: {tree: []}\n", `r.yaml:2:16: source.tree: is an empty list; name at least one folder`},
		{"filters", "name: a\nsource: {tree: [{path: x, arch: aarch64, postgres: 9}]}\n", "r.yaml:2:33: source.tree[0].arch: unknown architecture \"aarch64\"; Debian's names are amd64, arm64, armel, armhf, i386, loong64, mips64el, ppc64el, riscv64, s390x (did you mean \"arm64\"?)\nr.yaml:2:52: source.tree[0].postgres: 9 is not a PostgreSQL major from 10 to 99"},

		// Targets
		{"distro", smallest + "targets: [{distro: trixy}]\n", `r.yaml:5:20: targets[0].distro: unknown distribution "trixy"; known are bookworm, trixie, forky, sid, experimental, and any other needs archives that each name a suite (did you mean "trixie"?)`},
		{"distro whose archives name no suite", smallest + "targets: [{distro: noble}]\narchives: [pgdg]\n", `r.yaml:5:20: targets[0].distro: unknown distribution "noble"; known are bookworm, trixie, forky, sid, experimental, and any other needs archives that each name a suite`},
		{"arch", smallest + "targets: [{archs: [x86_64]}]\n", `r.yaml:5:20: targets[0].archs[0]: unknown architecture "x86_64"; Debian's names are amd64, arm64, armel, armhf, i386, loong64, mips64el, ppc64el, riscv64, s390x (did you mean "amd64"?)`},
		{"postgres", smallest + "targets: [{postgres: [180]}]\n", `r.yaml:5:23: targets[0].postgres[0]: 180 is not a PostgreSQL major from 10 to 99`},
		{"postgres twice", smallest + "targets: [{postgres: [18, 18]}]\n", `r.yaml:5:27: targets[0].postgres[1]: repeats postgres[0]`},
		{"empty lists", smallest + "targets: [{postgres: [], archs: []}]\n", "r.yaml:5:22: targets[0].postgres: is an empty list; remove the field\nr.yaml:5:33: targets[0].archs: is an empty list; remove the field"},
		{"no targets", smallest + "targets: []\n", "r.yaml:5:10: targets: is an empty list; remove the field"},
		{"overlap", smallest + "targets:\n- {distro: sid}\n- {distro: sid, archs: [arm64]}\n", `r.yaml:7:3: targets[1]: sid/18/arm64 is already selected by targets[0]`},
		{"one image, two bases", smallest + "targets:\n- {archs: [amd64]}\n- {archs: [arm64], base: 'image:h.example/pg:18'}\n", `r.yaml:7:3: targets[1]: trixie/18 is one image, but targets[0] has another base or source for it`},
		{"base", smallest + "targets: [{base: cnpg-minimial}]\n", `r.yaml:5:18: targets[0].base: "cnpg-minimial" is neither cnpg-minimal nor image:REF (did you mean "cnpg-minimal"?)`},
		{"base without prefix", smallest + "targets: [{base: 'ghcr.io/cloudnative-pg/postgresql:18'}]\n", `r.yaml:5:18: targets[0].base: "ghcr.io/cloudnative-pg/postgresql:18" is neither cnpg-minimal nor image:REF (did you mean "image:ghcr.io/cloudnative-pg/postgresql:18"?)`},
		{"base reference", smallest + "targets: [{base: 'image:Pg 18'}]\n", `r.yaml:5:18: targets[0].base: "image:Pg 18" is not image: and HOST/NAME[:TAG][@sha256:DIGEST] or oci:PATH`},
		{"source of a target", smallest + "targets: [{source: {deb: {packages: []}}}]\n", `r.yaml:5:37: targets[0].source.deb.packages: is an empty list; name at least one package`},

		// Archives
		{"archive name", smallest + "archives: [debain]\n", `r.yaml:5:12: archives[0]: "debain" is not a built-in archive (debian, debian-security, pgdg); any other needs url, suite and signed_by (did you mean "debian"?)`},
		{"own archive", smallest + "archives: [{name: x, url: 'https://a.example'}]\n", "r.yaml:5:12: archives[0].signed_by: is required: the keys of an archive that is not built in\nr.yaml:5:12: archives[0].suite: is required"},
		{"archive url", smallest + "archives: [{name: debian, url: 'ftp://a.example'}]\n", `r.yaml:5:32: archives[0].url: "ftp://a.example" is not a URL that begins with http:// or https:// or file://`},
		{"archive twice", smallest + "archives: [debian, debian]\n", `r.yaml:5:20: archives[1]: repeats archives[0]`},
		{"fingerprint", smallest + "archives: [{name: debian, fingerprints: [abc]}]\n", `r.yaml:5:42: archives[0].fingerprints[0]: "abc" is not a fingerprint: 40 or 64 hex digits`},
		{"snapshot", smallest + "archives: [{name: debian, snapshot: 2026-10-30}]\n", `r.yaml:5:37: archives[0].snapshot: "2026-10-30" is not a time as in 2026-10-30T08:00:00Z (RFC 3339)`},

		// Bundle
		{"library", smallest + "bundle: {libraries: [/usr/lib/libx.so.1]}\n", `r.yaml:5:22: bundle.libraries[0]: "/usr/lib/libx.so.1" is not a SONAME, such as libproj.so.25 (did you mean "libx.so.1"?)`},
		{"data", smallest + "bundle: {data: [{package: proj-data, from: /usr/share/proj, to: share/../../x}]}\n", "r.yaml:5:44: bundle.data[0].from: \"/usr/share/proj\" is not a plain relative path (did you mean \"usr/share/proj\"?)\nr.yaml:5:65: bundle.data[0].to: \"share/../../x\" leaves the root"},
		{"data without path", smallest + "bundle: {data: [{package: proj-data, from: a, to: b, env: PGX}, {}]}\n", "r.yaml:5:59: bundle.data[0].env: CloudNativePG refuses PGX: it reserves PG*, CNPG_*, POD_NAME, NAMESPACE, CLUSTER_NAME, PATH, LD_LIBRARY_PATH\nr.yaml:5:65: bundle.data[1].package: is required\nr.yaml:5:65: bundle.data[1].from: is required\nr.yaml:5:65: bundle.data[1].to: is required"},

		// Consumer
		{"create", smallest + "create: [a--b]\n", `r.yaml:5:10: create[0]: "a--b" is not the name of an SQL extension`},
		{"requires", smallest + "requires: ['module:', postgis, postgis]\n", "r.yaml:5:12: requires[0]: \"module:\" is not the name of an SQL extension, or module:NAME\nr.yaml:5:32: requires[2]: repeats requires[1]"},
		{"preload", smallest + "shared_preload_libraries: [$libdir/a]\n", `r.yaml:5:28: shared_preload_libraries[0]: "$libdir/a" is not the name of a module without its folder (did you mean "a"?)`},
		{"parameter", smallest + "parameters: {a b: c}\n", `r.yaml:5:19: parameters."a b": "a b" is not the name of a parameter (did you mean "a_b"?)`},
		{"parameter with two dots", smallest + "parameters: {a.b.c: d}\n", `r.yaml:5:21: parameters.a.b.c: "a.b.c" is not the name of a parameter (did you mean "a_b_c"?)`},
		{"bin_path of two dots", smallest + "bin_path: [..bin]\n", `r.yaml:5:12: bin_path[0]: "..bin" starts with two dots, which CloudNativePG refuses`},
		{"env", smallest + "env:\n- {name: PGDATA, value: x}\n- {name: CNPG_X, value: x}\n- {name: PATH, value: x}\n- {name: 1X, value: x}\n", "r.yaml:6:10: env[0].name: CloudNativePG refuses PGDATA: it reserves PG*, CNPG_*, POD_NAME, NAMESPACE, CLUSTER_NAME, PATH, LD_LIBRARY_PATH\nr.yaml:7:10: env[1].name: CloudNativePG refuses CNPG_X: it reserves PG*, CNPG_*, POD_NAME, NAMESPACE, CLUSTER_NAME, PATH, LD_LIBRARY_PATH\nr.yaml:8:10: env[2].name: CloudNativePG refuses PATH: it reserves PG*, CNPG_*, POD_NAME, NAMESPACE, CLUSTER_NAME, PATH, LD_LIBRARY_PATH\nr.yaml:9:10: env[3].name: \"1X\" is not the name of an environment variable"},
		{"env twice", smallest + "env: [{name: A, value: x}, {name: A, value: y}]\n", `r.yaml:5:28: env[1]: repeats env[0]`},
		{"env placeholder after a literal dollar", smallest + "env: [{name: A, value: '$$${HOME}'}]\n", `r.yaml:5:24: env[0].value: contains the unknown placeholder ${HOME}: CloudNativePG supports only ${image_root}; write $${ for a literal ${`},
		{"env placeholder without an end", smallest + "env: [{name: A, value: '${image_root'}]\n", `r.yaml:5:24: env[0].value: contains an unterminated placeholder: ${ without }`},
		{"env placeholder", smallest + "env: [{name: A, value: '${imageroot}/x'}, {name: B, value: '${pg}'}]\n", "r.yaml:5:24: env[0].value: contains the unknown placeholder ${imageroot}: CloudNativePG supports only ${image_root}; write $${ for a literal ${ (did you mean \"${image_root}\"?)\nr.yaml:5:60: env[1].value: contains the unknown placeholder ${pg}: CloudNativePG supports only ${image_root}; write $${ for a literal ${"},
		{"bin_path", smallest + "bin_path: [/bin, ./bin, ../bin, bin, bin]\n", "r.yaml:5:12: bin_path[0]: \"/bin\" is not a plain relative path (did you mean \"bin\"?)\nr.yaml:5:18: bin_path[1]: \"./bin\" is not a plain relative path (did you mean \"bin\"?)\nr.yaml:5:25: bin_path[2]: \"../bin\" leaves the root\nr.yaml:5:38: bin_path[4]: repeats bin_path[3]"},
		{"bin_path in a list", smallest + "bin_path: [\"a:b\", \"a,b\", \"a'b\"]\n", "r.yaml:5:12: bin_path[0]: \"a:b\" contains a character that separates or quotes entries of a path list\nr.yaml:5:19: bin_path[1]: \"a,b\" contains a character that separates or quotes entries of a path list\nr.yaml:5:26: bin_path[2]: \"a'b\" contains a character that separates or quotes entries of a path list"},
		{"test", smallest + "test: {}\n", `r.yaml:5:7: test.sql: is required`},
		{"annotation that says another thing", smallest + "annotations: {org.opencontainers.image.created: x, io.pgext.metadata: '{}', io.cloudnativepg.image.base.os: x, org.opencontainers.image.vendor: x}\n", "r.yaml:5:49: annotations.org.opencontainers.image.created: \"org.opencontainers.image.created\" is set by pgext from the image and cannot be overridden\nr.yaml:5:71: annotations.io.pgext.metadata: \"io.pgext.metadata\" is set by pgext from the image and cannot be overridden\nr.yaml:5:109: annotations.io.cloudnativepg.image.base.os: \"io.cloudnativepg.image.base.os\" is set by pgext from the image and cannot be overridden"},
		{"annotation", smallest + "annotations: {'': x}\n", `r.yaml:5:19: annotations."": "" is not the name of an annotation: letters, digits and - . _ /`},

		{"all at once", "name: A\nimage: B\nsource: {deb: {packages: [C]}}\ntargets: [{archs: [aarch64]}]\n", "r.yaml:1:7: name: \"A\" is not lower-case letters, digits, - and _, beginning and ending with a letter or digit (did you mean \"a\"?)\nr.yaml:2:8: image: \"B\" is not a repository name: lower-case letters and digits, separated by . _ __ or dashes (did you mean \"b\"?)\nr.yaml:3:27: source.deb.packages[0]: \"C\" is not a Debian package name: lower-case letters, digits, + - and .\nr.yaml:4:20: targets[0].archs[0]: unknown architecture \"aarch64\"; Debian's names are amd64, arm64, armel, armhf, i386, loong64, mips64el, ppc64el, riscv64, s390x (did you mean \"arm64\"?)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Parse("r.yaml", []byte(tt.yaml))
			if err == nil {
				t.Fatalf("Parse() accepted it: %+v", r)
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("Parse() (-want +got):\n%s", diff)
			}
			var problems *Errors
			if !errors.As(err, &problems) || problems.ExitCode() != 10 || problems.Hint() == "" {
				t.Errorf("Parse() returned %T without exit code 10 or hint", err)
			}
		})
	}
}

func TestProblemsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(smallest)
	for i := range 3000 {
		b.WriteString("x" + strings.Repeat("y", i%50) + string(rune('a'+i%26)) + ": [1]\n")
	}
	_, err := Parse("r.yaml", []byte(b.String()))
	var problems *Errors
	if !errors.As(err, &problems) {
		t.Fatalf("Parse() = %v, want *Errors", err)
	}
	if len(problems.Problems) != maxProblems || problems.More != 3000-maxProblems {
		t.Errorf("%d problems and %d more, want %d and %d", len(problems.Problems), problems.More, maxProblems, 3000-maxProblems)
	}
	if !strings.HasSuffix(err.Error(), "\nand 2900 more") {
		t.Errorf("Error() ends with %q", err.Error()[len(err.Error())-30:])
	}
}

func TestAliasBombIsBounded(t *testing.T) {
	bomb := "name: a\nsource: &s {deb: {packages: [" + strings.Repeat("ab, ", 1000) + "ab]}}\ntargets: [" +
		strings.Repeat("{source: *s}, ", 10_000) + "{source: *s}]\n"
	_, err := Parse("r.yaml", []byte(bomb))
	if err == nil || !strings.Contains(err.Error(), "the recipe has more than 50000 values") {
		t.Errorf("Parse() = %.300v, want an error for too many values", err)
	}
	if _, err := Parse("r.yaml", []byte("name: a\nsource: &s {tree: [*s]}\n")); err == nil {
		t.Error("Parse() accepted a value that holds itself")
	}
}

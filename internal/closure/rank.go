package closure

import (
	"path"
	"strings"

	"github.com/pgext/pgext/internal/apt"
)

// namedFor reports whether the package name follows from the SONAME as Debian
// Policy section 8.1 recommends: libfoo.so.1 is in libfoo1, libfoo-1.2.so.3 in
// libfoo-1.2-3; a suffix such as t64 or c2a marks an ABI transition. The rule
// only decides which packages are scanned first.
func namedFor(pkg, soname string) bool {
	for _, want := range conventionalNames(soname) {
		if rest, ok := strings.CutPrefix(pkg, want); ok && (rest == "" || abiSuffixes[rest]) {
			return true
		}
	}
	return false
}

// abiSuffixes are the endings of library packages that mark an ABI transition.
var abiSuffixes = map[string]bool{"t64": true, "c2": true, "c2a": true, "v5": true, "g": true, "-gnutls": true}

// conventionalNames returns the package names that Policy 8.1 derives from a
// SONAME, without ABI suffix.
func conventionalNames(soname string) []string {
	name, version, ok := strings.Cut(soname, ".so.")
	if !ok {
		// libfoo-1.2.so: the version is part of the name.
		name, version = strings.TrimSuffix(soname, ".so"), ""
	}
	name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	if name == "" || version == "" {
		return []string{name}
	}
	if last := name[len(name)-1]; last >= '0' && last <= '9' {
		return []string{name + "-" + version, name + version}
	}
	return []string{name + version, name + "-" + version}
}

// noLibraries lists the sections whose packages hold no shared library.
var noLibraries = map[string]bool{"doc": true, "fonts": true, "localization": true}

// canHoldLibrary reports whether a package may hold a shared library at all:
// one for all architectures cannot (Policy 5.6.8), documentation does not.
func canHoldLibrary(p apt.Package) bool { return p.Arch != "all" && !noLibraries[section(p)] }

// section returns the section without the archive area that may come before it
// (Policy 2.4).
func section(p apt.Package) string { return path.Base(p.Section) }

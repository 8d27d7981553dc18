package finding

import (
	"slices"
	"strings"
)

// Kind explains a code: what it means, why it matters and what to do.
type Kind struct {
	Code     string
	Severity Severity
	// Title is a short noun phrase, such as "unresolved library".
	Title string
	// Detail is what `pgext explain CODE` prints: cause, effect, remedy.
	Detail string
}

// kinds is the registry, in code order. Codes are stable: a retired one is
// never given another meaning.
var kinds = []Kind{
	{
		"PGX001", Error, "unresolved library",
		"An ELF file names a shared library (DT_NEEDED) that neither the base nor the image has, so PostgreSQL could not load the module. Add the package that holds it to bundle.packages, or choose a base that has it.",
	},
	{
		"PGX002", Error, "symbol version the base lacks",
		"An ELF file needs a symbol version (such as GLIBC_2.38) that the library it will meet at run time does not define. The package was built for a newer distribution than the base: choose the package or the target of the same distribution.",
	},
	{
		"PGX003", Error, "wrong ELF machine",
		"An ELF file was built for another machine than the image's architecture. A container runtime mounts it without a word and PostgreSQL then cannot load it. Use the package of the right architecture.",
	},
	{
		"PGX004", Error, "file collision",
		"Two packages put different files at the same path of the image. Only one of them could be there. Remove one of the packages from the recipe.",
	},
	{
		"PGX005", Error, "path leaves the root",
		"A symbolic link points outside the image, where nothing is when the image is mounted.",
	},
	{
		"PGX006", Error, "extension without install script",
		"The recipe's create names an extension that has a control file but no script NAME--VERSION.sql for its default version, so CREATE EXTENSION would fail.",
	},
	{
		"PGX007", Error, "parameter the operator fixes",
		"CloudNativePG sets this parameter itself and refuses a cluster that sets it. Remove it from the recipe's parameters.",
	},
	{
		"PGX020", Warning, "cannot work outside the default location",
		"PostgreSQL looks for this kind of file (tsearch_data, timezonesets, a library under $libdir/plugins) only under its compiled-in directories, so a mounted image cannot supply it.",
	},
	{
		"PGX021", Warning, "program left out",
		"A script's interpreter is not in the base image, so the program could not run there. It was left out.",
	},
	{
		"PGX022", Warning, "file left out",
		"A file has no place in an extension image and was left out although it is not documentation or a development file.",
	},
	{
		"PGX030", Note, "PostgreSQL below 18",
		"extension_control_path exists from PostgreSQL 18 on. The image builds, but an older server cannot find it at the mount and it cannot be tested.",
	},
}

// Kinds returns the registry in code order.
func Kinds() []Kind { return slices.Clone(kinds) }

// Lookup returns the kind of code.
func Lookup(code string) (Kind, bool) {
	i, ok := slices.BinarySearchFunc(kinds, code, func(k Kind, c string) int { return strings.Compare(k.Code, c) })
	if !ok {
		return Kind{}, false
	}
	return kinds[i], true
}

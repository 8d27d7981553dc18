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
		"CloudNativePG sets this parameter itself and refuses a cluster that sets it. Remove it from the recipe's parameters. An image that asks for it must be built again without it.",
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
		"PGX023", Warning, "module path that is not searched",
		"A script or control file names a module as $libdir/DIRECTORY/NAME, or builds the name from $libdir. PostgreSQL searches dynamic_library_path for simple names only and looks for this one in its own directory. Ask upstream to use a simple name.",
	},
	{
		"PGX024", Warning, "path of the default location",
		"A script, a control file or a module has an absolute path below PostgreSQL's own directories, where a mounted image puts nothing. In scripts, paths to files of the image are rewritten unless the recipe says rewrite: none; ELF files are never changed. What is left works only if the base has the file.",
	},
	{
		"PGX025", Warning, "control file that PostgreSQL refuses",
		"A control file has a line that is no assignment, a parameter that PostgreSQL does not know, or a value of the wrong kind. CREATE EXTENSION fails with the same complaint.",
	},
	{
		"PGX026", Warning, "no copyright file",
		"The copyright file of a package that gave a file is not among the packages, so the image cannot show the licence. It may be a link into another package of the same source: that one has to be there as well.",
	},
	{
		"PGX027", Warning, "alternative not made",
		"A maintainer script installs a link through update-alternatives that could not be told from its text, or whose target no package of the image has. Maintainer scripts are never run, so the link is missing.",
	},
	{
		"PGX028", Warning, "shadowed by the base",
		"The base image has a file of the same name in PostgreSQL's own directories, which are searched before the mounted image. The image's file is never used there.",
	},
	{
		"PGX030", Warning, "PostgreSQL below 18",
		"extension_control_path exists from PostgreSQL 18 on. The image builds, but an older server cannot find it at the mount and it cannot be tested.",
	},
	{
		"PGX031", Note, "control file without install script",
		"No script NAME--VERSION.sql, alone or followed by update scripts, leads to the control file's default version, so CREATE EXTENSION NAME needs an explicit version or cannot work. Some output plugins and preloaded modules bring such a file; then nothing is lost.",
	},
	{
		"PGX032", Note, "$libdir in a script",
		"A control file or a script names a module as $libdir/NAME. PostgreSQL 18 drops $libdir/ in CREATE FUNCTION when the name is a simple one and not in its own directory, so this works there; in LOAD, and in functions that load by name, it would not.",
	},
	{
		"PGX033", Warning, "required extension that no package has",
		"A control file requires an extension that neither the image, the base's contrib nor any package of the archives named after it has. CREATE EXTENSION fails for the one that requires it until another image brings the required one; the others of the image work. If you know better, list all required extensions in the recipe's requires.",
	},
	{
		"PGX034", Warning, "data that no package has",
		"A bundled library reads data at run time from a fixed place, and no package of the archive holds that data, so the image cannot bring it. What uses the data fails until it is mounted at that place.",
	},
	{
		"PGX035", Note, "named package without a file",
		"The recipe names a package, and no file of the image is from it: the base has it already, or it only depends on others. It can be left out of the recipe.",
	},
	{
		"PGX040", Error, "layer that no runtime mounts",
		"A layer or the config has a media type of its own, the config's diff_ids are missing or wrong, or a layer is no tar archive. Container runtimes refuse to pull such an image, or pull it and then cannot create the container.",
	},
	{
		"PGX041", Error, "file the server cannot read",
		"The mode of a file or directory does not let everybody read it. The image is mounted read-only and PostgreSQL runs as a user that does not own its files, so it gets Permission denied.",
	},
	{
		"PGX042", Error, "platform that does not fit",
		"The index lists the image for another platform than the image's own config names, or lists two images for one platform. Nodes pull by the index and get files for another machine.",
	},
	{
		"PGX043", Warning, "device or setuid file",
		"An extension image has no use for devices, pipes, setuid or setgid files. Policies refuse them, and runtimes may.",
	},
	{
		"PGX044", Warning, "absolute link",
		"A symbolic link has an absolute target. The image is mounted below /extensions/NAME, so the link leads to a file of the operand image, not of this one.",
	},
	{
		"PGX045", Warning, "layer with a wrong label",
		"A layer is compressed otherwise than its media type says. containerd looks at the bytes; other runtimes and tools go by the label and fail.",
	},
	{
		"PGX046", Warning, "nothing where PostgreSQL looks",
		"CloudNativePG looks for control files in share/extension and for modules in lib, unless extension_control_path and dynamic_library_path of the cluster say otherwise. The image has none there.",
	},
	{
		"PGX047", Note, "file that nothing looks for",
		"Files outside lib, share, system, bin and licenses are of no use at a mount, unless the consumer is told to look there.",
	},
	{
		"PGX048", Note, "no metadata label",
		"The image has no label io.pgext.metadata, so that search paths, preload libraries and required extensions cannot be told from it. Images of other makers have none.",
	},
	{
		"PGX049", Warning, "metadata that does not fit",
		"The label io.pgext.metadata cannot be read, says what CloudNativePG would refuse, or says something else than the files.",
	},
	{
		"PGX050", Note, "attestation in the index",
		"The index has an entry for the platform unknown/unknown, an attestation of BuildKit. Nodes pass over it; tools that mirror or scan every entry stumble.",
	},
	{
		"PGX051", Note, "hidden file",
		"A layer hides a file of a lower one (a whiteout). The hidden bytes are still pulled by every node.",
	},
	{
		"PGX052", Note, "owner other than root",
		"A file belongs to another user than root. The mount is read-only, so the owner changes nothing unless the mode depends on it.",
	},
	{
		"PGX053", Note, "libraries of the base",
		"Nothing in the image has these libraries, so the operand image must. Judge the image against a base (pgext lint --base) to know whether it has them.",
	},
	{
		"PGX054", Note, "package not known",
		"No package database in the image (var/lib/dpkg/status.d) says which package a library is from, so scanners for vulnerabilities do not see it.",
	},
	{
		"PGX055", Warning, "link that leads nowhere",
		"A symbolic link's target is not in the image.",
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

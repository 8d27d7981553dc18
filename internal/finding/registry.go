package finding

import (
	"slices"
	"strings"
)

// Kind explains a code.
type Kind struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	// Title is a short noun phrase, such as "unresolved library".
	Title string `json:"title"`
	// Detail is the text of `pgext explain CODE`: cause, effect and remedy.
	Detail string `json:"detail"`
}

// kinds is the registry, sorted by code. Codes are stable: the code of a removed
// kind is not reused.
var kinds = []Kind{
	{
		"PGX001", Error, "unresolved library",
		"An ELF file needs a shared library (DT_NEEDED) that neither the base nor the image has, so PostgreSQL cannot load the module. Add the package with the library to bundle.packages, or choose a base that has it.",
	},
	{
		"PGX002", Error, "symbol version missing in the base",
		"An ELF file needs a symbol version (such as GLIBC_2.38) that the library used at run time does not define. The package was built for a newer distribution than the base. Choose a package and a base of the same distribution.",
	},
	{
		"PGX003", Error, "wrong ELF machine",
		"An ELF file was built for another machine than the image's architecture. A container runtime mounts the image without an error, but PostgreSQL cannot load the file. Use the package of the image's architecture.",
	},
	{
		"PGX004", Error, "file collision",
		"Two packages have different files for the same path of the image. Remove one of the packages from the recipe.",
	},
	{
		"PGX005", Error, "path leaves the root",
		"A symbolic link points outside the image, so its target does not exist when the image is mounted.",
	},
	{
		"PGX006", Error, "extension without install script",
		"The recipe's field create lists an extension that has a control file but no script NAME--VERSION.sql for its default version, so CREATE EXTENSION would fail.",
	},
	{
		"PGX007", Error, "parameter reserved by the operator",
		"CloudNativePG sets this parameter itself and refuses a cluster that sets it. Remove it from the recipe's parameters and rebuild the image.",
	},
	{
		"PGX020", Warning, "cannot work outside the default location",
		"PostgreSQL searches for this kind of file (tsearch_data, timezonesets, a library in $libdir/plugins) only in its compiled-in directories, so a mounted image cannot supply it.",
	},
	{
		"PGX021", Warning, "program omitted",
		"The interpreter of a script is not in the base image, so the program cannot run there. It was omitted.",
	},
	{
		"PGX022", Warning, "file omitted",
		"A file was omitted because an extension image has no directory for it. It is neither documentation nor a development file.",
	},
	{
		"PGX023", Warning, "module path that is not searched",
		"A script or control file refers to a module as $libdir/DIRECTORY/NAME, or builds the name from $libdir. PostgreSQL searches dynamic_library_path for simple names only and looks for this name in its own library directory. Ask upstream to use a simple name.",
	},
	{
		"PGX024", Warning, "path of the default location",
		"A script, a control file or a module contains an absolute path below PostgreSQL's own directories, where a mounted image has no files. In scripts, pgext rewrites paths of files in the image, unless the recipe has rewrite: none. It does not change ELF files. The remaining paths work only if the base has the file.",
	},
	{
		"PGX025", Warning, "invalid control file",
		"A control file has a line that is not an assignment, an unknown parameter, or a value of the wrong type. CREATE EXTENSION fails with the same error.",
	},
	{
		"PGX026", Warning, "no copyright file",
		"The copyright file of a package in the image is missing, so the image does not contain its licence. The file may be a link into another package of the same source; then that package is needed too.",
	},
	{
		"PGX027", Warning, "alternative not created",
		"A maintainer script installs a link with update-alternatives. pgext does not run maintainer scripts, and either the link cannot be determined from the script's text or no package of the image has its target. The link is missing.",
	},
	{
		"PGX028", Warning, "shadowed by the base",
		"The base image has a file of the same name in PostgreSQL's own directories, which PostgreSQL searches before the mounted image. It never uses the image's file.",
	},
	{
		"PGX030", Warning, "PostgreSQL below 18",
		"extension_control_path exists since PostgreSQL 18. The image builds, but an older server does not find its extensions and pgext cannot test it.",
	},
	{
		"PGX031", Note, "control file without install script",
		"No script NAME--VERSION.sql, alone or with update scripts, installs the default version of the control file, so CREATE EXTENSION NAME needs an explicit version or fails. Some output plugins and preloaded modules have such a file and do not need CREATE EXTENSION.",
	},
	{
		"PGX032", Note, "$libdir in a script",
		"A control file or a script refers to a module as $libdir/NAME. In CREATE FUNCTION, PostgreSQL 18 removes $libdir/ from a simple name that is not in its own library directory, so this works. It does not work in LOAD or in functions that load a library by name.",
	},
	{
		"PGX033", Warning, "required extension that no package has",
		"A control file requires an extension that is not in the image, not in the base's contrib, and not in a package of the archives with a matching name. CREATE EXTENSION fails until another image supplies the required extension; the other extensions of the image work. If the check is wrong, list all required extensions in the recipe's field requires.",
	},
	{
		"PGX034", Warning, "data that no package has",
		"A bundled library reads data at run time from a fixed path, and no package of the archive contains this data, so the image cannot include it. Functions that use the data fail until it is mounted at that path.",
	},
	{
		"PGX035", Note, "package without a file in the image",
		"The recipe lists a package, but no file of the image comes from it: the base already has the package, or it only depends on others. Remove it from the recipe.",
	},
	{
		"PGX040", Error, "layer that runtimes cannot mount",
		"A layer or the config has a non-standard media type, the config's diff_ids are missing or wrong, or a layer is not a tar archive. Container runtimes refuse to pull such an image, or pull it and then cannot create the container.",
	},
	{
		"PGX041", Error, "file not readable by the server",
		"The mode of a file or directory does not allow all users to read it. The image is mounted read-only and PostgreSQL runs as a user that does not own the files, so it gets Permission denied.",
	},
	{
		"PGX042", Error, "platform mismatch",
		"The index lists the image for another platform than its config, or lists two images for one platform. Nodes select by the index and get files for another machine.",
	},
	{
		"PGX043", Warning, "device or setuid file",
		"An extension image does not need devices, pipes, setuid or setgid files. Security policies reject them, and container runtimes may reject them too.",
	},
	{
		"PGX044", Warning, "absolute link",
		"A symbolic link has an absolute target. The image is mounted at /extensions/NAME, so the target is a file of the operand image, not of this image.",
	},
	{
		"PGX045", Warning, "compression differs from media type",
		"The compression of a layer differs from its media type. containerd detects the compression from the bytes; other runtimes and tools use the media type and fail.",
	},
	{
		"PGX046", Warning, "no files on PostgreSQL's search path",
		"CloudNativePG searches for control files in share/extension and for modules in lib, unless the cluster sets extension_control_path and dynamic_library_path. The image has no files there.",
	},
	{
		"PGX047", Note, "file outside the known directories",
		"Files outside lib, share, system, bin and licenses are not used at a mount, unless the consumer sets a path to them.",
	},
	{
		"PGX048", Note, "no metadata label",
		"The image has no label io.pgext.metadata with search paths, preload libraries and required extensions. Only images built with pgext have this label.",
	},
	{
		"PGX049", Warning, "metadata mismatch",
		"The label io.pgext.metadata is unreadable, contains values that CloudNativePG refuses, or differs from the files.",
	},
	{
		"PGX050", Note, "attestation in the index",
		"The index has an entry for the platform unknown/unknown, an attestation of BuildKit. Nodes ignore it; tools that mirror or scan every entry can fail.",
	},
	{
		"PGX051", Note, "hidden file",
		"A layer hides a file of a lower layer (a whiteout). Every node still pulls the hidden bytes.",
	},
	{
		"PGX052", Note, "owner other than root",
		"A file belongs to a user other than root. The mount is read-only, so the owner matters only if the mode gives it more permissions than other users.",
	},
	{
		"PGX053", Note, "libraries of the base",
		"The image does not contain these libraries, so the operand image must have them. Use pgext lint --base to check.",
	},
	{
		"PGX054", Note, "unknown package",
		"The image's package database (var/lib/dpkg/status.d) does not list the package of a library, so vulnerability scanners do not find it.",
	},
	{
		"PGX055", Warning, "dangling link",
		"The target of a symbolic link is not in the image.",
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

package recipe

import "time"

// Recipe is one image: where its files come from, what it is built for and
// what its consumer has to know. Image and Rewrite hold their defaults after
// Parse; every other field is as written.
type Recipe struct {
	// Path is the name the recipe was parsed under; local files it names are
	// beside it.
	Path string `json:"-"`
	// Text is the parsed document, unchanged. It must not be modified.
	Text []byte `json:"-"`

	// Name of the extension: the folder it is mounted under (/extensions/NAME)
	// and its name in catalogs.
	Name string `json:"name"`
	// Base name of the image's repository. Default: name.
	Image string `json:"image,omitempty"`
	// Version of the image, the first part of its tag. Default: the upstream
	// version of the package.
	Version string `json:"version,omitempty" recipe:"text"`
	// One line for people. Default: from the package's description.
	Summary string `json:"summary,omitempty" recipe:"text"`
	// Upstream's page. Default: from the package.
	Homepage string `json:"homepage,omitempty"`
	// SPDX expression of everything in the image. Default: from the
	// copyright files of the packages.
	Licenses string `json:"licenses,omitempty"`

	// Where the files of the extension come from: exactly one of deb, pgxs,
	// tree.
	Source Source `json:"source"`
	// What the image is built for. Default: trixie, PostgreSQL 18, amd64 and
	// arm64, cnpg-minimal.
	Targets []Row `json:"targets,omitempty"`
	// Archives that replace the default list of the distribution.
	Archives []Archive `json:"archives,omitempty"`
	// What the image needs although no ELF file says so.
	Bundle Bundle `json:"bundle,omitzero"`
	// Whether paths in control files and scripts are rewritten so that they
	// work outside the default location. Default: auto.
	Rewrite string `json:"rewrite,omitempty"`
	// Keep LLVM bitcode. PostgreSQL looks for it only under its own
	// pkglibdir, so it is left out by default.
	Bitcode bool `json:"bitcode,omitempty"`

	// SQL extensions that manifests ask for, in order. Default: the only one,
	// or the one named like the recipe or the image.
	Create []string `json:"create,omitempty"`
	// SQL extensions (or module:NAME) that another image must bring. Default:
	// from control files and package dependencies.
	Requires []string `json:"requires,omitempty"`
	// Libraries that the server must load at its start, in order.
	SharedPreloadLibraries []string `json:"shared_preload_libraries,omitempty"`
	// Server parameters that the extension needs.
	Parameters map[string]string `json:"parameters,omitempty" recipe:"text"`
	// Logical decoding plugins, for output_plugin_libraries.
	OutputPlugins []string `json:"output_plugins,omitempty"`
	// Environment variables of the server. ${image_root} is where the image
	// is mounted; a literal ${ is written $${.
	Env []Env `json:"env,omitempty"`
	// Folders of the image that join the server's PATH.
	BinPath []string `json:"bin_path,omitempty"`
	// How the image is tested beyond creating its extensions.
	Test Test `json:"test,omitzero"`
	// Further OCI annotations.
	Annotations map[string]string `json:"annotations,omitempty" recipe:"text"`
}

// Source says where the files of the extension come from. Exactly one field
// is set.
type Source struct {
	// Debian packages.
	Deb *Deb `json:"deb,omitempty"`
	// Upstream's source, built with PGXS.
	PGXS *PGXS `json:"pgxs,omitempty"`
	// Trees that another build has staged (DESTDIR). Those that fit the target
	// are used.
	Tree []Tree `json:"tree,omitempty"`
}

// Deb names Debian packages whose files are the extension.
type Deb struct {
	// Names of packages in the archives. Variables: ${pg}, ${distro}, ${arch}.
	Packages []string `json:"packages,omitempty"`
	// Packages that are in no archive. Those that fit the target are used.
	Files []DebFile `json:"files,omitempty"`
}

// DebFile is a vendor's package that is in no archive. The filters that are
// set must fit the target.
type DebFile struct {
	// Where it is downloaded from. Either url or path.
	URL string `json:"url,omitempty"`
	// The file, relative to the recipe. Either url or path.
	Path string `json:"path,omitempty"`
	// SHA-256 of the file in hex.
	SHA256 string `json:"sha256" recipe:"text"`
	// Only for this distribution.
	Distro string `json:"distro,omitempty"`
	// Only for this PostgreSQL major.
	Postgres int `json:"postgres,omitempty"`
	// Only for this architecture.
	Arch string `json:"arch,omitempty"`
}

// PGXS is upstream's source and how it is built.
type PGXS struct {
	// Where the archive is downloaded from. Either url or path.
	URL string `json:"url,omitempty"`
	// An archive or a folder, relative to the recipe. Either url or path.
	Path string `json:"path,omitempty"`
	// SHA-256 of the archive in hex; required with url.
	SHA256 string `json:"sha256,omitempty" recipe:"text"`
	// Leading path components that unpacking removes. Default: 1.
	Strip *int `json:"strip,omitempty"`
	// Folder in the source that is built.
	Subdir string `json:"subdir,omitempty"`
	// Debian packages that the build needs besides PostgreSQL's own.
	BuildDepends []string `json:"build_depends,omitempty"`
	// Patches, relative to the recipe, applied in order with one leading
	// component removed.
	Patches []string `json:"patches,omitempty"`
	// Command that runs before make: program, then arguments.
	Configure []string `json:"configure,omitempty" recipe:"text"`
	// Arguments of make.
	MakeArgs []string `json:"make_args,omitempty" recipe:"text"`
	// Arguments of make install.
	InstallArgs []string `json:"install_args,omitempty" recipe:"text"`
}

// Tree is a folder that another build has staged as if it were the root. The
// filters that are set must fit the target.
type Tree struct {
	// The folder, relative to the recipe.
	Path string `json:"path"`
	// Only for this distribution.
	Distro string `json:"distro,omitempty"`
	// Only for this PostgreSQL major.
	Postgres int `json:"postgres,omitempty"`
	// Only for this architecture.
	Arch string `json:"arch,omitempty"`
}

// Row is one row of the matrix: a distribution with PostgreSQL majors and
// architectures.
type Row struct {
	// Codename of the distribution. Default: trixie.
	Distro string `json:"distro,omitempty"`
	// PostgreSQL majors. Default: 18.
	Postgres []int `json:"postgres,omitempty"`
	// Debian names of architectures. Default: amd64 and arm64.
	Archs []string `json:"archs,omitempty"`
	// What the operand image already holds: cnpg-minimal, or image:REF.
	// Default: cnpg-minimal.
	Base string `json:"base,omitempty"`
	// Replaces the recipe's source.
	Source *Source `json:"source,omitempty"`
}

// Archive is a signed package archive. One without a URL is built in; its
// other fields change what is built in. In YAML the name alone is enough.
type Archive struct {
	// Name, which locks and --mirror use. Built in: debian, debian-security,
	// pgdg.
	Name string `json:"name"`
	// Root of the archive.
	URL string `json:"url,omitempty"`
	// Suite. Default: what is built in for the distribution.
	Suite string `json:"suite,omitempty"`
	// Components. Default: main.
	Components []string `json:"components,omitempty"`
	// OpenPGP keys: a file relative to the recipe, or the armored text.
	SignedBy string `json:"signed_by,omitempty"`
	// Fingerprints of the keys that may sign, in hex. Default: all keys of
	// signed_by.
	Fingerprints []string `json:"fingerprints,omitempty" recipe:"text"`
	// Point in time (RFC 3339) that a snapshot of the archive is read at.
	Snapshot string `json:"snapshot,omitempty"`
	// Whether an archive past its Valid-Until is refused. Default: true.
	CheckValidUntil *bool `json:"check_valid_until,omitempty"`
}

// setShorthand implements shorthand: an archive may be written as its name.
func (a *Archive) setShorthand(text string) { *a = Archive{Name: text} }

// BuiltIn reports whether pgext knows the archive's URL and keys itself.
func (a Archive) BuiltIn() bool { return a.URL == "" }

// SnapshotTime returns Snapshot in UTC; the zero time when there is none.
func (a Archive) SnapshotTime() time.Time {
	at, err := time.Parse(time.RFC3339, a.Snapshot)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// ChecksValidUntil reports whether an archive past its Valid-Until is refused.
func (a Archive) ChecksValidUntil() bool { return a.CheckValidUntil == nil || *a.CheckValidUntil }

// Bundle lists what the image needs besides the needs of its ELF files.
type Bundle struct {
	// Packages whose libraries join the image.
	Packages []string `json:"packages,omitempty"`
	// Libraries (by SONAME) that are opened at run time, with all they need.
	Libraries []string `json:"libraries,omitempty"`
	// Folders of data.
	Data []Data `json:"data,omitempty"`
}

// Data is a folder or file of a package that is needed at run time.
type Data struct {
	// Package that has it.
	Package string `json:"package"`
	// Path in the package, relative to the root.
	From string `json:"from"`
	// Path in the image, relative to its root.
	To string `json:"to"`
	// Environment variable that tells the extension where it is.
	Env string `json:"env,omitempty" recipe:"text"`
}

// Env is an environment variable of the server.
type Env struct {
	// Name. CloudNativePG reserves PG*, CNPG_*, PATH and some others.
	Name string `json:"name" recipe:"text"`
	// Value. ${image_root} is where the image is mounted.
	Value string `json:"value" recipe:"text"`
}

// Test describes how the image is tested beyond creating its extensions.
type Test struct {
	// A script relative to the recipe that runs in psql after the extensions
	// were created.
	SQL string `json:"sql,omitempty"`
}

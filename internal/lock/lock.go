package lock

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Version is the version of the format.
const Version = 1

// Lock holds the pins of targets of a recipe, sorted by distribution,
// PostgreSQL major and architecture, each at most once. The zero Lock is empty.
type Lock struct {
	Targets []Target `json:"targets"`
}

// Target holds the pinned inputs of one architecture of an image.
type Target struct {
	Distro   string `json:"distro"`
	Postgres int    `json:"postgres"`
	// Arch is Debian's name of the architecture.
	Arch string `json:"arch"`
	// Recipe is the checksum ("sha256:" and hex) of the recipe fields that
	// influenced the resolution.
	Recipe string `json:"recipe"`
	// Archives were used for resolution, one element for each suite.
	Archives []Archive `json:"archives"`
	Base     Base      `json:"base"`
	// Requires are the SQL extensions and modules of other images.
	Requires []Require `json:"requires,omitempty"`
	// Data lists files that bundled libraries read at run time.
	Data []DataFolder `json:"data,omitempty"`
	// Packages are the .deb files with files in the image, sorted by name.
	Packages []Package `json:"packages"`
}

// Archive is the state of one suite of a signed archive.
type Archive struct {
	// Name of the archive in the recipe or among the built-in ones.
	Name  string `json:"name"`
	Suite string `json:"suite"`
	// InRelease is the SHA-256, in hex, of the InRelease (or Release) file.
	InRelease string `json:"inrelease"`
	// Date of the Release file, in UTC.
	Date time.Time `json:"date"`
	// Fingerprint, in hex, of the key that signed it.
	Fingerprint string `json:"fingerprint"`
	// ExpiredAllowed is true if the file was past its Valid-Until and the user
	// allowed it.
	ExpiredAllowed bool `json:"expired_allowed,omitempty"`
}

// Base describes the operand image.
type Base struct {
	// Name is cnpg-minimal, or image: and a reference.
	Name string `json:"name"`
	// Image is the digest ("sha256:" and hex) of the operand image; "" for
	// cnpg-minimal.
	Image string `json:"image,omitempty"`
	// Postgres is the version of the server, such as 18.6.
	Postgres string `json:"postgres"`
	// Checksum ("sha256:" and hex) is of the base's list of packages.
	Checksum string `json:"checksum"`
	// Extensions are the SQL extensions of the base that the image requires.
	Extensions []string `json:"extensions,omitempty"`
	// Packages contain libraries that the image needs, sorted by name.
	Packages []BasePackage `json:"packages,omitempty"`
}

// BasePackage is a package of the base that the image depends on.
type BasePackage struct {
	Package string `json:"package"`
	Version string `json:"version"`
	// SHA256 of the .deb, in hex; "" when the base is an image.
	SHA256 string `json:"sha256,omitempty"`
	// Libraries are the SONAMEs that the image needs, sorted.
	Libraries []string `json:"libraries,omitempty"`
	// Interpreters are first lines of scripts, without "#!", whose interpreter
	// is in the package, sorted.
	Interpreters []string `json:"interpreters,omitempty"`
}

// Require is an SQL extension or a module that another image must provide.
type Require struct {
	// Extension is an SQL extension. Either Extension or Module is set.
	Extension string `json:"extension,omitempty"`
	Module    string `json:"module,omitempty"`
	// Package and Image are hints where to find it.
	Package string `json:"package,omitempty"`
	Image   string `json:"image,omitempty"`
}

// DataFolder is a folder or file of a package that has another path in the
// image.
type DataFolder struct {
	Package string `json:"package"`
	// From is relative to the root, To to the image.
	From string `json:"from"`
	To   string `json:"to"`
	// Env is the variable that names Home, a folder of the image; both may be
	// "".
	Env  string `json:"env,omitempty"`
	Home string `json:"home,omitempty"`
}

// Role is the reason why a package is in an image.
type Role string

// The roles of a package: its files are the extension, some of its libraries
// are bundled, or some of its data.
const (
	Extension Role = "extension"
	Library   Role = "library"
	Data      Role = "data"
)

// Package is a .deb with files in the image.
type Package struct {
	Package string `json:"package"`
	// Version is Debian's, with epoch and revision.
	Version string `json:"version"`
	// Arch is the target's, or all.
	Arch string `json:"arch"`
	// Source and SourceVersion identify the source package.
	Source        string `json:"source"`
	SourceVersion string `json:"source_version"`
	Role          Role   `json:"role"`
	// Size of the .deb in bytes.
	Size int64 `json:"size"`
	// SHA256 and SHA512 of the .deb, in hex; SHA512 may be "".
	SHA256 string `json:"sha256"`
	SHA512 string `json:"sha512,omitempty"`
	// Archive is the name of the archive, Path the path below the archive's
	// root. Both are "" for a file that the recipe lists; the recipe identifies
	// it by the same digest.
	Archive string `json:"archive,omitempty"`
	Path    string `json:"path,omitempty"`
}

// String returns DISTRO/MAJOR/ARCH.
func (t Target) String() string { return fmt.Sprintf("%s/%d/%s", t.Distro, t.Postgres, t.Arch) }

// compare orders targets.
func (t Target) compare(u Target) int {
	return cmp.Or(strings.Compare(t.Distro, u.Distro), cmp.Compare(t.Postgres, u.Postgres), strings.Compare(t.Arch, u.Arch))
}

// Find returns the pins of a target.
func (l Lock) Find(distro string, postgres int, arch string) (Target, bool) {
	want := Target{Distro: distro, Postgres: postgres, Arch: arch}
	i := slices.IndexFunc(l.Targets, func(t Target) bool { return t.compare(want) == 0 })
	if i < 0 {
		return Target{}, false
	}
	return l.Targets[i], true
}

// With returns a copy of l in which t replaces the pins of the same target.
func (l Lock) With(t Target) Lock {
	targets := slices.DeleteFunc(slices.Clone(l.Targets), func(u Target) bool { return t.compare(u) == 0 })
	return Lock{append(targets, t)}.normal()
}

// normal returns the lock in the order of Encode, with times in UTC and nil for
// empty lists. It shares no list with l.
func (l Lock) normal() Lock {
	targets := slices.Clone(l.Targets)
	for i := range targets {
		targets[i] = targets[i].normal()
	}
	slices.SortStableFunc(targets, Target.compare)
	return Lock{orNil(targets)}
}

func (t Target) normal() Target {
	t.Archives = sortedBy(t.Archives, func(a Archive) string { return a.Name + " " + a.Suite })
	for i := range t.Archives {
		t.Archives[i].Date = t.Archives[i].Date.UTC()
	}
	t.Base.Extensions = sortedBy(t.Base.Extensions, func(s string) string { return s })
	t.Base.Packages = sortedBy(t.Base.Packages, func(p BasePackage) string { return p.Package })
	for i, p := range t.Base.Packages {
		t.Base.Packages[i].Libraries = sortedBy(p.Libraries, func(s string) string { return s })
		t.Base.Packages[i].Interpreters = sortedBy(p.Interpreters, func(s string) string { return s })
	}
	t.Requires = sortedBy(t.Requires, func(r Require) string { return r.Extension + " " + r.Module })
	t.Data = sortedBy(t.Data, func(d DataFolder) string { return d.To })
	t.Packages = sortedBy(t.Packages, func(p Package) string { return p.Package })
	return t
}

// sortedBy returns a sorted copy of list; nil when it is empty.
func sortedBy[T any](list []T, key func(T) string) []T {
	return orNil(slices.SortedStableFunc(slices.Values(list), func(a, b T) int { return strings.Compare(key(a), key(b)) }))
}

func orNil[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

package archive

import (
	"bytes"
	_ "embed" // the keyrings
	"fmt"
	"slices"
	"strings"
)

// The keys of the built-in archives, as Debian packages ship them; where they
// come from is in keyrings/README.md.
var (
	//go:embed keyrings/debian-archive-bookworm-automatic.pgp
	bookwormAutomatic []byte
	//go:embed keyrings/debian-archive-bookworm-stable.pgp
	bookwormStable []byte
	//go:embed keyrings/debian-archive-trixie-automatic.pgp
	trixieAutomatic []byte
	//go:embed keyrings/debian-archive-trixie-stable.pgp
	trixieStable []byte
	//go:embed keyrings/debian-archive-bookworm-security-automatic.pgp
	bookwormSecurity []byte
	//go:embed keyrings/debian-archive-trixie-security-automatic.pgp
	trixieSecurity []byte
	//go:embed keyrings/apt.postgresql.org.asc
	postgresql []byte
)

// Names of the built-in archives.
const (
	Debian         = "debian"
	DebianSecurity = "debian-security"
	PGDG           = "pgdg"
)

// Builtin returns the archive that is built in under name, with the suites
// that serve distro, a Debian codename, sid or experimental. A name that is
// not built in, or has nothing for distro, is an *InvalidError.
func Builtin(name, distro string) (Archive, error) {
	if !isPath(distro) || strings.Contains(distro, "/") {
		return Archive{}, &InvalidError{Archive: name, Text: fmt.Sprintf("%q is not the name of a distribution", distro)}
	}
	rolling := distro == "sid" || distro == "experimental"
	switch {
	case name == Debian:
		return debianArchive(distro, rolling), nil
	case name == DebianSecurity && rolling, name == PGDG && distro == "experimental":
		return Archive{}, &InvalidError{Archive: name, Text: "has nothing for " + distro, hint: "leave it out of the archives for " + distro}
	case name == DebianSecurity:
		return Archive{
			Name: name, URL: "https://security.debian.org/debian-security", Suites: []string{distro + "-security"},
			Components: []string{"main"}, Keyring: slices.Concat(bookwormSecurity, trixieSecurity),
			Origin: "Debian", Label: "Debian-Security", SnapshotRoot: "https://snapshot.debian.org/archive/debian-security",
		}, nil
	case name == PGDG:
		return Archive{
			Name: name, URL: "https://apt.postgresql.org/pub/repos/apt", Suites: []string{distro + "-pgdg"},
			Components: []string{"main"}, Keyring: bytes.Clone(postgresql),
			Origin: "apt.postgresql.org", Label: "PostgreSQL for Debian/Ubuntu repository",
			History: []string{"https://apt-archive.postgresql.org/pub/repos/apt"},
		}, nil
	}
	return Archive{}, &InvalidError{
		Archive: name, Text: "is not a built-in archive",
		hint: "built in are debian, debian-security and pgdg; any other needs name, url, suite, components and signed_by",
	}
}

// debianArchive returns the main archive. Experimental is not a whole
// distribution: its packages depend on sid's.
func debianArchive(distro string, rolling bool) Archive {
	a := Archive{
		Name: Debian, URL: "https://ftp.debian.org/debian", Suites: []string{distro},
		Components: []string{"main"},
		Keyring:    slices.Concat(bookwormAutomatic, bookwormStable, trixieAutomatic, trixieStable),
		Origin:     "Debian", Label: "Debian", SnapshotRoot: "https://snapshot.debian.org/archive/debian",
	}
	switch {
	case distro == "experimental":
		a.Suites = []string{"sid", "experimental"}
	case !rolling:
		a.Optional = []string{distro + "-updates"}
		a.Suites = append(a.Suites, a.Optional...)
	}
	return a
}

// Defaults returns the names of the built-in archives that a recipe for
// distro reads when it names none. Testing and unstable carry the current
// PostgreSQL themselves; the stable releases need pgdg for it.
func Defaults(distro string) []string {
	switch distro {
	case "sid", "experimental":
		return []string{Debian}
	case "bookworm", "trixie":
		return []string{Debian, DebianSecurity, PGDG}
	}
	return []string{Debian, DebianSecurity}
}

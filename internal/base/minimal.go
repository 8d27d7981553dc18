package base

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/elf"
)

// profile is the name of the profile that MinimalProfile computes.
const profile = "cnpg-minimal"

// Base describes the contents of an operand image.
type Base struct {
	// Name is the profile, such as cnpg-minimal, or image: and a reference.
	Name string
	// Image is the digest of the operand image; "" for a profile.
	Image string
	// Postgres is the server's upstream version, such as 18.6.
	Postgres string
	// Packages are sorted by name. Those of an image have neither file nor
	// digest: it has them installed.
	Packages []apt.Package
	// Libraries are those of an image that its loader finds, by name; nil for
	// a profile, whose packages have to be looked into.
	Libraries []elf.Provider
	// Extensions are the SQL extensions of an image, sorted; nil for a
	// profile.
	Extensions []string
	// programs maps the paths of an image's programs to their packages.
	programs map[string]string
}

// Known reports whether the base is an image, about which everything is known.
func (b Base) Known() bool { return b.Image != "" }

// MinimalProfile computes cnpg-minimal for one PostgreSQL major: what a
// minimal Debian system holds (every package of priority required, and apt),
// then what CloudNativePG's image build installs on it without Recommends.
func MinimalProfile(ix *apt.Index, postgres int) (Base, error) {
	names := []string{"apt"}
	for _, p := range ix.ByPriority("required") {
		names = append(names, p.Name)
	}
	system, err := ix.Install(nil, names)
	if err != nil {
		return Base{}, fmt.Errorf("computing the base %s: the minimal system: %w", profile, err)
	}
	server := fmt.Sprintf("postgresql-%d", postgres)
	operand, err := ix.Install(system, []string{
		"postgresql-common", "ca-certificates", "gnupg", "libsasl2-modules", "libldap-common", server,
	})
	if err != nil {
		return Base{}, fmt.Errorf("computing the base %s: %w", profile, err)
	}
	b := Base{Name: profile, Packages: slices.Concat(system, operand)}
	slices.SortFunc(b.Packages, func(x, y apt.Package) int { return strings.Compare(x.Name, y.Name) })
	if p, ok := b.Package(server); ok {
		b.Postgres = upstream(p.Version)
	}
	return b, nil
}

func upstream(version string) string { return debian.UpstreamVersion(version) }

// Package returns the base's package of that name. An image also has
// Unpackaged.
func (b Base) Package(name string) (apt.Package, bool) {
	if b.Known() && name == Unpackaged {
		return apt.Package{Name: Unpackaged, Version: "0"}, true
	}
	i, ok := slices.BinarySearchFunc(b.Packages, name, func(p apt.Package, n string) int { return strings.Compare(p.Name, n) })
	if !ok {
		return apt.Package{}, false
	}
	return b.Packages[i], true
}

// Installed are the packages of the base, with the one that stands for files of
// none, and its libraries where the base is Known; nil where they have to be
// learnt.
func (b Base) Installed() (packages []apt.Package, known []elf.Provider) {
	if !b.Known() {
		return b.Packages, nil
	}
	strangers, _ := b.Package(Unpackaged)
	return append(slices.Clone(b.Packages), strangers), append([]elf.Provider{}, b.Libraries...)
}

// Checksum is the SHA-256, in lower-case hex, of the package list: one line
// "name version architecture sha256" a package.
func (b Base) Checksum() string {
	h := sha256.New()
	for _, p := range b.Packages {
		fmt.Fprintf(h, "%s %s %s %s\n", p.Name, p.Version, p.Arch, p.SHA256)
	}
	return hex.EncodeToString(h.Sum(nil))
}

package sbom

import (
	"strings"

	"github.com/anchore/packageurl-go"
	"github.com/anchore/syft/syft/linux"
	"github.com/anchore/syft/syft/pkg"
)

// PURL returns the package URL. For a Debian package it is byte for byte the URL
// that syft computes for an installed package, because scanners compare URLs as
// text. It is "" for a Debian package of an unknown distribution.
func (p Package) PURL() string {
	if p.Kind == Upstream {
		return p.archiveURL()
	}
	if p.Distro == "" {
		return ""
	}
	id, version, _ := strings.Cut(p.Distro, "-")
	qualifiers := map[string]string{pkg.PURLQualifierArch: p.Arch, pkg.PURLQualifierUpstream: p.Source}
	if p.Source != "" && p.SourceVersion != "" {
		qualifiers[pkg.PURLQualifierUpstream] += "@" + p.SourceVersion
	}
	return packageurl.NewPackageURL(packageurl.TypeDebian, id, p.Name, p.Version,
		pkg.PURLQualifiers(qualifiers, &linux.Release{ID: id, VersionID: version}), "").ToString()
}

// archiveURL returns the package URL of a source archive (type generic).
func (p Package) archiveURL() string {
	var q packageurl.Qualifiers
	if p.SHA256 != "" {
		q = append(q, packageurl.Qualifier{Key: "checksum", Value: "sha256:" + p.SHA256})
	}
	if p.DownloadLocation != "" {
		q = append(q, packageurl.Qualifier{Key: "download_url", Value: p.DownloadLocation})
	}
	return packageurl.NewPackageURL(packageurl.TypeGeneric, "", p.Name, p.Version, q, "").ToString()
}

package sbom

import (
	"fmt"
	"testing"

	"github.com/pgext/pgext/internal/license"
)

// BenchmarkDocuments writes and reads what an image of 110 packages and 5,000
// files is made of.
func BenchmarkDocuments(b *testing.B) {
	d := sample()
	for i := range 106 {
		d.Packages = append(d.Packages, Package{
			Name: fmt.Sprintf("lib%d", i), Version: "1.2-3", Arch: "amd64", Distro: "debian-14", Source: "lib", SHA256: sum("1", 32),
			License: license.License{
				Expression: fmt.Sprintf("MIT AND (GPL-2.0-or-later OR LicenseRef-%d) AND BSD-3-Clause", i),
				References: []license.Reference{{ID: fmt.Sprintf("LicenseRef-%d", i), Text: "a text"}},
			},
		})
	}
	for i := range 5000 {
		d.Files = append(d.Files, File{
			Path: fmt.Sprintf("share/folder/file%d.sql", i), SHA1: fmt.Sprintf("%040x", i), SHA256: fmt.Sprintf("%064x", i),
			Package: fmt.Sprintf("lib%d", i%106),
		})
	}
	text := spdxOf(b, d)
	for _, step := range []struct {
		name string
		run  func() error
	}{
		{"SPDX", func() error { _, err := d.SPDX(); return err }},
		{"CycloneDX", func() error { _, err := d.CycloneDX(); return err }},
		{"ReadSPDX", func() error { _, err := ReadSPDX(text); return err }},
	} {
		b.Run(step.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := step.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

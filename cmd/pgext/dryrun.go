package main

import (
	"fmt"
	"strings"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/finding"
)

type planDocument struct {
	Schema  int              `json:"schema"`
	DryRun  bool             `json:"dryRun"`
	Targets []targetDocument `json:"targets"`
}

// targetDocument is one architecture of a target.
type targetDocument struct {
	Recipe   string `json:"recipe"`
	Image    string `json:"image"`
	Distro   string `json:"distro"`
	Postgres int    `json:"postgres"`
	Arch     string `json:"arch"`
	// Locked is true if the lock already has exactly these pins.
	Locked bool `json:"locked"`
	// Resolved is what apt adds beyond the base; of these, Packages give the
	// image a file.
	Resolved []packageDocument `json:"resolved"`
	Packages []packageDocument `json:"packages"`
	Findings []finding.Finding `json:"findings"`
}

type packageDocument struct {
	Package string `json:"package"`
	Version string `json:"version"`
	Arch    string `json:"arch"`
	SHA256  string `json:"sha256"`
	Role    string `json:"role,omitempty"`
}

// printPlans describes what would be built.
func (a *app) printPlans(plans []*builder.Plan) error {
	doc := planDocument{Schema: 1, DryRun: true, Targets: []targetDocument{}}
	for _, p := range plans {
		for _, t := range p.Targets {
			for _, arch := range t.Architectures {
				doc.Targets = append(doc.Targets, newTargetDocument(p, t, arch))
			}
		}
	}
	return a.print(doc, func() string {
		var out strings.Builder
		for _, t := range doc.Targets {
			fmt.Fprintf(&out, "%s %s/%d/%s\n", t.Image, t.Distro, t.Postgres, t.Arch)
			for _, p := range t.Packages {
				fmt.Fprintf(&out, "  %s %s %s (%s)\n", p.Package, p.Version, p.Arch, p.Role)
			}
		}
		return out.String()
	})
}

func newTargetDocument(p *builder.Plan, t builder.Target, arch builder.Architecture) targetDocument {
	d := targetDocument{
		Recipe: p.Recipe.Path, Image: p.Recipe.Image, Distro: t.Distro, Postgres: t.Postgres, Arch: arch.Pins.Arch,
		Locked: arch.Locked, Resolved: []packageDocument{}, Packages: []packageDocument{},
		Findings: list(arch.Findings),
	}
	for _, r := range arch.Resolved {
		d.Resolved = append(d.Resolved, packageDocument{Package: r.Name, Version: r.Version, Arch: r.Arch, SHA256: r.SHA256})
	}
	for _, l := range arch.Pins.Packages {
		d.Packages = append(d.Packages, packageDocument{Package: l.Package, Version: l.Version, Arch: l.Arch, SHA256: l.SHA256, Role: string(l.Role)})
	}
	return d
}

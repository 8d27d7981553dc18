package main

import (
	"fmt"

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
	// Locked tells that the lock already has exactly these pins.
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

// printPlans says what would be built.
func (a *app) printPlans(plans []*builder.Plan) error {
	doc := planDocument{Schema: 1, DryRun: true, Targets: []targetDocument{}}
	for _, p := range plans {
		for _, t := range p.Targets {
			for _, arch := range t.Architectures {
				doc.Targets = append(doc.Targets, newTargetDocument(p, t, arch))
			}
		}
	}
	if a.global.json {
		return a.printJSON(doc)
	}
	for _, t := range doc.Targets {
		if _, err := fmt.Fprintf(a.stdout, "%s %s/%d/%s\n", t.Image, t.Distro, t.Postgres, t.Arch); err != nil {
			return err
		}
		for _, p := range t.Packages {
			if _, err := fmt.Fprintf(a.stdout, "  %s %s %s (%s)\n", p.Package, p.Version, p.Arch, p.Role); err != nil {
				return err
			}
		}
	}
	return nil
}

func newTargetDocument(p *builder.Plan, t builder.Target, arch builder.Architecture) targetDocument {
	d := targetDocument{
		Recipe: p.Recipe.Path, Image: p.Recipe.Image, Distro: t.Distro, Postgres: t.Postgres, Arch: arch.Pins.Arch,
		Locked: arch.Locked, Resolved: []packageDocument{}, Packages: []packageDocument{},
		Findings: append([]finding.Finding{}, arch.Findings...),
	}
	for _, r := range arch.Resolved {
		d.Resolved = append(d.Resolved, packageDocument{Package: r.Name, Version: r.Version, Arch: r.Arch, SHA256: r.SHA256})
	}
	for _, l := range arch.Pins.Packages {
		d.Packages = append(d.Packages, packageDocument{Package: l.Package, Version: l.Version, Arch: l.Arch, SHA256: l.SHA256, Role: string(l.Role)})
	}
	return d
}

package verify

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/redact"
	"github.com/pgext/pgext/internal/text"
	"github.com/pgext/pgext/sbom"
)

// origin says whether the provenance is about this image and agrees with its
// labels, with itself and with the SBOM. It returns nil when there is none that
// can be relied upon.
func (j *judge) origin(i Image, inv *sbom.Inventory) *provenance.Statement {
	s, detail, hint := j.readProvenance(i)
	if s == nil {
		j.fail("provenance", detail, hint)
		for _, name := range []string{"provenance recipe", "provenance labels", "provenance packages"} {
			j.skip(name, "there is no provenance of this image")
		}
		return nil
	}
	e := s.Predicate.BuildDefinition.ExternalParameters
	j.pass("provenance", "built from a recipe for %s/%d/%s", e.Distro, e.Postgres, e.Arch)
	r, errRecipe := recipe.Parse("recipe.yaml", []byte(e.Recipe))
	pins, errPins := e.Pins()
	if err := errors.Join(errRecipe, errPins); err != nil { // Parse has seen to it
		j.fail("provenance recipe", err.Error(), beware)
		return nil
	}
	j.agree("provenance recipe", "its lock is of its recipe, its dependencies are those of its lock",
		"the provenance contradicts itself", beware, append(lockFaults(r, e, pins), dependencyFaults(*s, pins)...))
	j.labels(i, *s, r, pins)
	if inv == nil {
		j.skip("provenance packages", "there is no SBOM of this image to compare it with")
		return s
	}
	j.agree("provenance packages", fmt.Sprintf("its %d packages are those of the SBOM", len(pins.Packages)),
		"the provenance does not agree with the SBOM", beware, pinFaults(*s, pins, *inv))
	return s
}

// readProvenance returns the statement that is about the image, or why there is
// none.
func (j *judge) readProvenance(i Image) (s *provenance.Statement, detail, hint string) {
	detail, hint = "no provenance is attached to "+i.Digest, attachAgain
	for _, data := range j.contents(Provenance) {
		s, err := provenance.Parse(data)
		var e *failure.Error
		switch {
		case errors.As(err, &e):
			detail, hint = "the provenance that is attached is of no use: "+err.Error(), e.Hint()
		case err != nil:
			detail, hint = err.Error(), attachAgain
		case len(s.Subject) != 1 || s.Digests()[0] != i.Digest:
			detail, hint = another("provenance", strings.Join(s.Digests(), ", "), i.Digest), copied
		default:
			return &s, "", ""
		}
	}
	return nil, detail, hint
}

// lockFaults says whether the lock was made for the recipe, and whether the
// files beside it are those that the recipe names.
func lockFaults(r *recipe.Recipe, e provenance.External, pins lock.Target) []string {
	targets, err := r.Select(recipe.Selection{Distros: []string{pins.Distro}, Postgres: []int{pins.Postgres}, Archs: []string{pins.Arch}})
	if err != nil {
		return []string{fmt.Sprintf("its recipe is not for %s", pins)}
	}
	if recipe.ResolutionChecksum(targets[0], pins.Arch) != pins.Recipe {
		return []string{"its lock was made for another recipe"}
	}
	listed, named := map[string]string{}, map[string]string{}
	for _, f := range e.Files {
		listed["file "+f.URL+f.Path] = "SHA-256 " + f.SHA256
	}
	for _, f := range targets[0].DebFiles(pins.Arch) {
		named["file "+redact.Public(f.URL)+f.Path] = "SHA-256 " + f.SHA256
	}
	for _, p := range e.Patches {
		listed[p.Path] = "as a patch"
	}
	if pgxs := targets[0].Source.PGXS; pgxs != nil {
		for _, patch := range pgxs.Patches {
			named[patch] = "as a patch"
		}
	}
	return different(listed, named, "its parameters", "its recipe")
}

// dependencyFaults compares what the statement lists with what its lock pins.
func dependencyFaults(s provenance.Statement, pins lock.Target) []string {
	d := s.Predicate.BuildDefinition
	listed, pinned := map[string]string{}, map[string]string{}
	var faults []string
	list := func(name string, dep provenance.Descriptor) {
		if _, twice := listed[name]; twice {
			faults = append(faults, name+" is in its dependencies more than once")
		}
		listed[name] = "SHA-256 " + dep.Digest["sha256"]
	}
	versions := map[string]string{}
	for _, p := range pins.Packages {
		versions[p.Package] = p.Version
	}
	for _, p := range d.Of(provenance.KindPackage) {
		list(p.Name, p)
		if !named(sbom.Entry{Name: p.Name, Version: versions[p.Name], PURL: p.URI}, "", "") {
			faults = append(faults, fmt.Sprintf("%s: its package URL is of something else: %s", p.Name, orNothing(p.URI)))
		}
	}
	for _, a := range d.Of(provenance.KindRelease) {
		list(a.Name, a)
	}
	for _, p := range pins.Packages {
		pinned[p.Package] = "SHA-256 " + p.SHA256
	}
	for _, a := range pins.Archives {
		pinned[a.Name+" "+a.Suite] = "SHA-256 " + a.InRelease
	}
	for _, b := range d.Of(provenance.KindBase) {
		list("base "+b.Name, b)
	}
	digest := pins.Base.Checksum
	if pins.Base.Image != "" {
		digest = pins.Base.Image
	}
	pinned["base "+pins.Base.Name] = "SHA-256 " + strings.TrimPrefix(digest, "sha256:")
	return append(faults, different(listed, pinned, "its dependencies", "its lock")...)
}

// pinFaults compares the packages that were locked with those of the SBOM.
func pinFaults(s provenance.Statement, pins lock.Target, inv sbom.Inventory) []string {
	pinned, billed := map[string]string{}, map[string]string{}
	for _, p := range pins.Packages {
		pinned[p.Package] = p.Version + " with SHA-256 " + p.SHA256
	}
	for _, u := range s.Predicate.BuildDefinition.Of(provenance.KindUpstream) {
		pinned["source archive"] += "SHA-256 " + u.Digest["sha256"]
	}
	for _, p := range inv.Packages {
		if strings.HasPrefix(p.PURL, upstream) {
			billed["source archive"] += "SHA-256 " + orNothing(p.SHA256)
			continue
		}
		billed[p.Name] = p.Version + " with SHA-256 " + orNothing(p.SHA256)
	}
	return different(pinned, billed, "the provenance", "the SBOM")
}

// labels says whether the image calls itself what the provenance says.
func (j *judge) labels(i Image, s provenance.Statement, r *recipe.Recipe, pins lock.Target) {
	if i.Damage != nil {
		j.skip("provenance labels", "the image cannot be read")
		return
	}
	m, err := metadata.FromLabels(i.Labels)
	if err != nil {
		j.fail("provenance labels", "the image does not say what it is: "+err.Error(), beware)
		return
	}
	d := s.Predicate.BuildDefinition.InternalParameters
	var faults []string
	for _, c := range []struct{ what, image, provenance string }{
		{"name", m.Name, r.Name},
		{"image", m.Image, d.Image},
		{"version", m.Version, d.Version},
		{"distribution", m.Distro, pins.Distro},
		{"PostgreSQL", fmt.Sprint(m.Postgres), fmt.Sprint(pins.Postgres)},
		{"architecture", m.Arch, pins.Arch},
		{"architecture of the platform", i.Arch, pins.Arch},
		{"base", m.Base.Name, pins.Base.Name},
		{"PostgreSQL of the base", m.Base.Postgres, pins.Base.Postgres},
		{"time", stamp(i.Created), stamp(d.Created)},
		{"label org.opencontainers.image.created", i.Labels["org.opencontainers.image.created"], stamp(d.Created)},
		{"label org.opencontainers.image.version", i.Labels["org.opencontainers.image.version"], d.Version},
		{"label io.cloudnativepg.image.base.pgmajor", i.Labels["io.cloudnativepg.image.base.pgmajor"], fmt.Sprint(pins.Postgres)},
		{"label io.cloudnativepg.image.base.os", i.Labels["io.cloudnativepg.image.base.os"], pins.Distro},
	} {
		if c.image != c.provenance {
			faults = append(faults, fmt.Sprintf("%s: the image says %s, the provenance %s", c.what, orNothing(c.image), orNothing(c.provenance)))
		}
	}
	faults = append(faults, annotationFaults(i, s, r)...)
	j.agree("provenance labels", fmt.Sprintf("%s %s for PostgreSQL %d on %s, created %s", m.Name, m.Version, m.Postgres, m.Distro, stamp(d.Created)),
		"the provenance is of another build than the labels", beware, faults)
}

// annotationFaults are the annotations of the manifest that say otherwise than
// the label of the same name, where neither the recipe nor the caller wanted
// that.
func annotationFaults(i Image, s provenance.Statement, r *recipe.Recipe) []string {
	var faults []string
	for key, said := range i.Annotations {
		label, ok := i.Labels[key]
		_, recipes := r.Annotations[key]
		_, callers := s.Predicate.BuildDefinition.ExternalParameters.Annotations[key]
		if ok && said != label && !recipes && !callers {
			faults = append(faults, fmt.Sprintf("annotation %s: the manifest says %s, the label %s", key, said, label))
		}
	}
	return faults
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// builder says whether the platform that signed provenance names is one that
// the policy does.
func (j *judge) builder(p *provenance.Statement) {
	if len(j.in.Policy.Builders) == 0 {
		return
	}
	if p == nil {
		j.skip("builder", "there is no provenance of this image")
		return
	}
	var seen []string
	for _, s := range signedPredicates(j.verdict(p.Digests()[0]), j.in.Policy, Provenance) {
		predicate, err := provenance.ParsePredicate(s)
		if err != nil {
			continue
		}
		id := predicate.RunDetails.Builder.ID
		if j.in.Policy.acceptsBuilder(id) {
			j.pass("builder", "built by %s", id)
			return
		}
		seen = append(seen, id)
	}
	if len(seen) == 0 {
		j.fail("builder", "no signed provenance says who built the image", signAgain)
		return
	}
	j.fail("builder", fmt.Sprintf("built by %s, which the policy does not name", text.List(seen)), beware)
}

package verify

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/redact"
	"github.com/pgext/pgext/internal/text"
	"github.com/pgext/pgext/sbom"
)

// checkProvenance checks that the provenance describes this image, is consistent,
// and matches the labels and the SBOM. It returns nil if no provenance describes
// the image.
func (v *verifier) checkProvenance(i Image, inv *sbom.Inventory) *provenance.Statement {
	s, err := findDocument(v, Provenance, i.Digest, "provenance", readProvenance)
	if err != nil {
		v.failErr("provenance", err)
		for _, name := range []string{"provenance recipe", "provenance labels", "provenance packages"} {
			v.skip(name, "there is no provenance of this image")
		}
		return nil
	}
	e := s.Predicate.BuildDefinition.ExternalParameters
	v.pass("provenance", "built from a recipe for %s/%d/%s", e.Distro, e.Postgres, e.Arch)
	r, errRecipe := recipe.Parse("recipe.yaml", []byte(e.Recipe))
	pins, errPins := e.Pins()
	if err := errors.Join(errRecipe, errPins); err != nil { // unreachable: provenance.Parse checks both
		v.fail("provenance recipe", err.Error(), suspicious)
		return nil
	}
	v.compare("provenance recipe", "the lock was made from the recipe, and the dependencies are those of the lock",
		"the provenance is inconsistent", append(lockFaults(r, e, pins), dependencyFaults(*s, pins)...))
	v.checkLabels(i, *s, r, pins)
	if inv == nil {
		v.skip("provenance packages", noSBOM)
		return s
	}
	v.compare("provenance packages", fmt.Sprintf("matches the %d packages of the SBOM", len(pins.Packages)),
		"the provenance does not match the SBOM", pinFaults(*s, pins, *inv))
	return s
}

// lockFaults checks that the lock was made from the recipe, and that the
// parameters list the files and patches that the recipe names.
func lockFaults(r *recipe.Recipe, e provenance.External, pins lock.Target) []string {
	targets, err := r.Select(recipe.Selection{Distros: []string{pins.Distro}, Postgres: []int{pins.Postgres}, Archs: []string{pins.Arch}})
	if err != nil {
		return []string{fmt.Sprintf("the recipe has no target %s", pins)}
	}
	if recipe.ResolutionChecksum(targets[0], pins.Arch) != pins.Recipe {
		return []string{"the lock was made from another recipe"}
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
	return differences(listed, named, "the parameters", "the recipe")
}

// dependencyFaults compares the resolved dependencies of the statement with its
// lock.
func dependencyFaults(s provenance.Statement, pins lock.Target) []string {
	d := s.Predicate.BuildDefinition
	listed, pinned := map[string]string{}, map[string]string{}
	var faults []string
	list := func(name string, dep provenance.Descriptor) {
		if _, repeated := listed[name]; repeated {
			faults = append(faults, name+" is in the dependencies more than once")
		}
		listed[name] = "SHA-256 " + dep.Digest["sha256"]
	}
	versions := map[string]string{}
	for _, p := range pins.Packages {
		versions[p.Package] = p.Version
	}
	for _, p := range d.Of(provenance.KindPackage) {
		list(p.Name, p)
		if !purlMatches(sbom.Entry{Name: p.Name, Version: versions[p.Name], PURL: p.URI}, "", "") {
			faults = append(faults, fmt.Sprintf("%s: wrong package URL: %s", p.Name, orNone(p.URI)))
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
	return append(faults, differences(listed, pinned, "the dependencies", "the lock")...)
}

// pinFaults compares the locked packages with those of the SBOM.
func pinFaults(s provenance.Statement, pins lock.Target, inv sbom.Inventory) []string {
	pinned, inSBOM := map[string]string{}, map[string]string{}
	for _, p := range pins.Packages {
		pinned[p.Package] = p.Version + " with SHA-256 " + p.SHA256
	}
	for _, u := range s.Predicate.BuildDefinition.Of(provenance.KindUpstream) {
		pinned["source archive"] += "SHA-256 " + u.Digest["sha256"]
	}
	for _, p := range inv.Packages {
		if strings.HasPrefix(p.PURL, upstream) {
			inSBOM["source archive"] += "SHA-256 " + orNone(p.SHA256)
			continue
		}
		inSBOM[p.Name] = p.Version + " with SHA-256 " + orNone(p.SHA256)
	}
	return differences(pinned, inSBOM, "the provenance", "the SBOM")
}

// checkLabels compares the labels and annotations of the image with the
// provenance.
func (v *verifier) checkLabels(i Image, s provenance.Statement, r *recipe.Recipe, pins lock.Target) {
	if i.Damage != nil {
		v.skip("provenance labels", "the image cannot be read")
		return
	}
	m, err := metadata.FromLabels(i.Labels)
	if err != nil {
		v.fail("provenance labels", err.Error(), suspicious)
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
		{"platform architecture", i.Arch, pins.Arch},
		{"base", m.Base.Name, pins.Base.Name},
		{"base PostgreSQL", m.Base.Postgres, pins.Base.Postgres},
		{"creation time", stamp(i.Created), stamp(d.Created)},
		{"label org.opencontainers.image.created", i.Labels["org.opencontainers.image.created"], stamp(d.Created)},
		{"label org.opencontainers.image.version", i.Labels["org.opencontainers.image.version"], d.Version},
		{"label io.cloudnativepg.image.base.pgmajor", i.Labels["io.cloudnativepg.image.base.pgmajor"], fmt.Sprint(pins.Postgres)},
		{"label io.cloudnativepg.image.base.os", i.Labels["io.cloudnativepg.image.base.os"], pins.Distro},
	} {
		if c.image != c.provenance {
			faults = append(faults, fmt.Sprintf("%s is %s in the image, %s in the provenance", c.what, orNone(c.image), orNone(c.provenance)))
		}
	}
	faults = append(faults, annotationFaults(i, s, r)...)
	v.compare("provenance labels", fmt.Sprintf("%s %s for PostgreSQL %d on %s, created %s", m.Name, m.Version, m.Postgres, m.Distro, stamp(d.Created)),
		"the labels do not match the provenance", faults)
}

// annotationFaults returns the annotations of the manifest that differ from the
// label of the same name, unless the recipe or the command line set them.
func annotationFaults(i Image, s provenance.Statement, r *recipe.Recipe) []string {
	var faults []string
	for key, annotation := range i.Annotations {
		label, ok := i.Labels[key]
		_, inRecipe := r.Annotations[key]
		_, inCommand := s.Predicate.BuildDefinition.ExternalParameters.Annotations[key]
		if ok && annotation != label && !inRecipe && !inCommand {
			faults = append(faults, fmt.Sprintf("annotation %s is %s, the label %s", key, annotation, label))
		}
	}
	return faults
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// checkBuilder checks that an accepted signer signed provenance with a builder
// that the policy accepts.
func (v *verifier) checkBuilder(p *provenance.Statement) {
	if len(v.in.Policy.Builders) == 0 {
		return
	}
	if p == nil {
		v.skip("builder", "there is no provenance of this image")
		return
	}
	var refused []string
	for _, s := range signedPredicates(v.verdict(p.Digests()[0]), v.in.Policy, Provenance) {
		predicate, err := provenance.ParsePredicate(s)
		if err != nil {
			continue
		}
		id := predicate.RunDetails.Builder.ID
		if v.in.Policy.acceptsBuilder(id) {
			v.pass("builder", "built by %s", id)
			return
		}
		refused = append(refused, id)
	}
	if len(refused) == 0 {
		v.fail("builder", "there is no signed provenance with a builder", signAgain)
		return
	}
	v.fail("builder", fmt.Sprintf("built by %s, which the policy does not accept", text.List(refused)), suspicious)
}

package recipe

import (
	"slices"

	"github.com/pgext/pgext/internal/digest"
	"github.com/pgext/pgext/internal/strictjson"
)

// resolution is what the outcome of a resolution depends on, apart from the
// archives themselves. Its JSON form is what ResolutionChecksum hashes: a
// change of it makes every lock out of date.
type resolution struct {
	Version  int       `json:"v"`
	Distro   string    `json:"distro"`
	Postgres int       `json:"postgres"`
	Arch     string    `json:"arch"`
	Base     string    `json:"base"`
	Archives []Archive `json:"archives,omitempty"`
	Packages []string  `json:"packages,omitempty"`
	Files    []string  `json:"files,omitempty"`
	PGXS     *PGXS     `json:"pgxs,omitempty"`
	Trees    []string  `json:"trees,omitempty"`
	Bundled  []string  `json:"bundled,omitempty"`
	Opened   []string  `json:"opened,omitempty"`
	Requires []string  `json:"requires,omitempty"`
}

// ResolutionChecksum returns "sha256:" and the digest of the recipe fields
// that decide which packages a target gets on an architecture: base, archives,
// source, bundled packages and libraries, required extensions. Variables are
// replaced first, and lists whose order means nothing are sorted, so that only
// a change of meaning changes it. Texts, parameters, tests, where bundled data
// goes, and whether an expired archive is accepted do not count.
func ResolutionChecksum(t Target, arch string) string {
	in := resolution{
		Version: 1, Distro: t.Distro, Postgres: t.Postgres, Arch: arch, Base: t.BaseFor(arch),
		Archives: t.ArchivesFor(arch), Packages: sorted(t.Packages(arch)), PGXS: t.PGXSFor(arch),
		Trees: t.Trees(arch), Requires: sorted(t.Requires),
	}
	for i := range in.Archives {
		in.Archives[i].CheckValidUntil = nil
		in.Archives[i].Fingerprints = sorted(in.Archives[i].Fingerprints)
		in.Archives[i].Components = sorted(in.Archives[i].Components)
	}
	for _, f := range t.DebFiles(arch) { // the digest says it all
		in.Files = append(in.Files, f.SHA256)
	}
	slices.Sort(in.Files)
	if in.PGXS != nil {
		in.PGXS.BuildDepends = sorted(in.PGXS.BuildDepends)
	}
	bundle := t.BundleFor(arch)
	for _, d := range bundle.Data {
		bundle.Packages = append(bundle.Packages, d.Package)
	}
	in.Bundled, in.Opened = sorted(bundle.Packages), sorted(bundle.Libraries)
	return checksum(in)
}

// checksum returns the digest of the JSON form of in.
func checksum(in resolution) string {
	b, err := strictjson.Marshal(in, "")
	if err != nil {
		panic("recipe: encoding plain data: " + err.Error())
	}
	return "sha256:" + digest.SHA256(b)
}

package builder

import (
	"slices"

	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/sbom"
)

// kind is what a document about one architecture's image is.
type kind struct {
	// name stands in the file's name: TAG-ARCH.NAME.json.
	name string
	// title is what people call it.
	title string
	// artifactType and annotations are those of the referrer that attaches it,
	// predicate is what it is signed as; "" for what is a file alone.
	artifactType, predicate string
	annotations             map[string]string
}

// kinds are the documents of an image, in their order.
var kinds = [...]kind{
	{name: "report", title: "report"},
	{name: "spdx", title: "SBOM (SPDX)", artifactType: sbom.SPDXMediaType, predicate: sbom.SPDXPredicate},
	{name: "cdx", title: "SBOM (CycloneDX)", artifactType: sbom.CycloneDXMediaType, predicate: sbom.CycloneDXPredicate},
	{
		name: "provenance", title: "provenance", artifactType: provenance.MediaType, predicate: provenance.PredicateType,
		annotations: map[string]string{"in-toto.io/predicate-type": provenance.PredicateType},
	},
}

// attachedKinds are those that are referrers.
func attachedKinds() []kind {
	return slices.DeleteFunc(slices.Clone(kinds[:]), func(k kind) bool { return k.artifactType == "" })
}

// predicateOf is what a referrer of an artifact type is signed as.
func predicateOf(artifactType string) string {
	i := slices.IndexFunc(kinds[:], func(k kind) bool { return k.artifactType == artifactType })
	return kinds[i].predicate
}

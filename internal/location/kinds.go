package location

import (
	"slices"

	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/sbom"
)

// Kind is a kind of document about one architecture of an image.
type Kind struct {
	// Name is part of the file name: TAG-ARCH.NAME.json.
	Name string
	// Title is the name used in messages.
	Title string
	// ArtifactType and Annotations are those of the referrer; Predicate is the
	// predicate type of the signed attestation. All are empty for a document
	// that is not attached.
	ArtifactType, Predicate string
	Annotations             map[string]string
}

// Kinds are the kinds of documents of an image, in output order.
var Kinds = [...]Kind{
	{Name: "report", Title: "report"},
	{Name: "spdx", Title: "SBOM (SPDX)", ArtifactType: sbom.SPDXMediaType, Predicate: sbom.SPDXPredicate},
	{Name: "cdx", Title: "SBOM (CycloneDX)", ArtifactType: sbom.CycloneDXMediaType, Predicate: sbom.CycloneDXPredicate},
	{
		Name: "provenance", Title: "provenance", ArtifactType: provenance.MediaType, Predicate: provenance.PredicateType,
		Annotations: map[string]string{"in-toto.io/predicate-type": provenance.PredicateType},
	},
}

// AttachedKinds returns the kinds that are referrers.
func AttachedKinds() []Kind {
	return slices.DeleteFunc(slices.Clone(Kinds[:]), func(k Kind) bool { return k.ArtifactType == "" })
}

// predicateOf returns the predicate type of an artifact type of Kinds.
func predicateOf(artifactType string) string {
	i := slices.IndexFunc(Kinds[:], func(k Kind) bool { return k.ArtifactType == artifactType })
	return Kinds[i].Predicate
}

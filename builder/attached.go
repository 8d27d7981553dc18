package builder

import (
	"errors"
	"maps"
	"net"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/registry"
	"github.com/pgext/pgext/internal/verify"
	"github.com/pgext/pgext/sbom"
)

// predicates are what a document is signed as, by its artifact type.
var predicates = map[string]string{
	SPDXType:       sbom.SPDXPredicate,
	CycloneDXType:  sbom.CycloneDXPredicate,
	ProvenanceType: provenance.PredicateType,
}

// documentsOf are what is told about the manifests of a collection without a
// signature, by their digests. One that cannot be read says nothing: anybody
// who may push can attach it. That a registry is in trouble is an error.
func documentsOf(at Place, c image.Collection) (map[v1.Hash][]verify.Document, error) {
	types := slices.Collect(maps.Keys(predicates))
	out := map[v1.Hash][]verify.Document{}
	for _, r := range c.Referrers {
		subject, told, ok, err := image.ReadReferrer(r, types...)
		switch {
		case isTransport(err):
			return nil, &registry.Error{Op: "reading", Ref: at.Repository, Err: err}
		case ok:
			out[subject] = append(out[subject], verify.Document{Predicate: predicates[told.ArtifactType], Content: told.Content})
		}
	}
	return out, nil
}

// isTransport tells the trouble of a network from that of an image.
func isTransport(err error) bool {
	var answer *transport.Error
	var trouble net.Error
	return errors.As(err, &answer) || errors.As(err, &trouble)
}

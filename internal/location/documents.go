package location

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/registry"
	"github.com/pgext/pgext/internal/verify"
)

// Documents returns the unsigned documents attached to the manifests of an image,
// by the digest of the manifest. A document that cannot be read is
// skipped, since every account with push access can attach one; a failing
// registry is an error.
func Documents(at oci.Ref, c oci.Set) (map[v1.Hash][]verify.Document, error) {
	var types []string
	for _, k := range AttachedKinds() {
		types = append(types, k.ArtifactType)
	}
	out := map[v1.Hash][]verify.Document{}
	size := 0
	for _, r := range c.Referrers {
		subject, referrer, ok, err := oci.ReadReferrer(r, types...)
		switch {
		case registry.Trouble(err):
			return nil, &registry.Error{Op: "reading", Ref: at.Repository, Err: err}
		case err == nil && ok:
			if size += len(referrer.Content); size > maxDocuments || len(out[subject]) >= maxAttached {
				return nil, failure.New(failure.Untrusted,
					"a complete image has three documents; delete unknown referrers from the registry",
					"more than %d documents, or more than %d MiB, are attached to %s", maxAttached, maxDocuments>>20, subject)
			}
			out[subject] = append(out[subject], verify.Document{Predicate: predicateOf(referrer.ArtifactType), Content: referrer.Content})
		}
	}
	return out, nil
}

// Limits for documents attached by others.
const (
	// maxAttached is the number of documents per manifest.
	maxAttached = 48
	// maxDocuments is the size of all documents of an image, in bytes.
	maxDocuments = 256 << 20
)

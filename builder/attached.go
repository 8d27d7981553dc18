package builder

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/registry"
	"github.com/pgext/pgext/internal/verify"
)

// documentsOf are what is told about the manifests of a collection without a
// signature, by their digests. One that cannot be read says nothing: anybody
// who may push can attach it. That a registry is in trouble is an error.
func documentsOf(at Place, c image.Collection) (map[v1.Hash][]verify.Document, error) {
	var types []string
	for _, k := range attachedKinds() {
		types = append(types, k.artifactType)
	}
	out := map[v1.Hash][]verify.Document{}
	size := 0
	for _, r := range c.Referrers {
		subject, told, ok, err := image.ReadReferrer(r, types...)
		switch {
		case registry.Trouble(err):
			return nil, &registry.Error{Op: "reading", Ref: at.Repository, Err: err}
		case err == nil && ok:
			if size += len(told.Content); size > maxDocuments || len(out[subject]) >= maxAttached {
				return nil, &CrowdedError{Subject: subject.String()}
			}
			out[subject] = append(out[subject], verify.Document{Predicate: predicateOf(told.ArtifactType), Content: told.Content})
		}
	}
	return out, nil
}

// Limits of what is read of the documents of an image: anybody who may push can
// attach more.
const (
	// maxAttached is how many a manifest may have.
	maxAttached = 48
	// maxDocuments bounds all of them together, in bytes.
	maxDocuments = 256 << 20
)

// CrowdedError says that more is attached to an image than anybody reads.
type CrowdedError struct{ Subject string }

func (e *CrowdedError) Error() string {
	return fmt.Sprintf("more than %d documents, or more than %d MiB, are attached to %s", maxAttached, maxDocuments>>20, e.Subject)
}

// Hint says what may have happened.
func (*CrowdedError) Hint() string {
	return "an image has three: somebody else attaches documents to it; delete what nobody needs from the registry"
}

// ExitCode is 13: what is true cannot be told from the rest.
func (*CrowdedError) ExitCode() int { return 13 }

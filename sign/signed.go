package sign

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/oci"
)

// MediaTypeBundle is the media type of a sigstore bundle, and the artifact
// type of the referrer that holds one (sigstore bundle format 0.3).
const MediaTypeBundle = "application/vnd.dev.sigstore.bundle.v0.3+json"

// attachment is a bundle to attach to a subject.
type attachment struct {
	subject     Subject
	content     []byte
	annotations map[string]string
}

// referrer returns the manifest that attaches the bundle.
func (a attachment) referrer() (v1.Image, error) {
	return oci.NewReferrer(describable{a.subject}, oci.Referrer{
		ArtifactType: MediaTypeBundle, Content: a.content, Annotations: a.annotations,
	})
}

package sign

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// MediaTypeBundle is the media type of a sigstore bundle, and the artifact
// type of the referrer that holds one (sigstore bundle format 0.3).
const MediaTypeBundle = "application/vnd.dev.sigstore.bundle.v0.3+json"

// Signed is what signing gave: nothing, when everything was signed before. The
// caller makes the attachments referrers and puts the images under their tags.
type Signed struct {
	Attachments []Attachment
	// Tags are images by the tag they belong under, such as sha256-<hex>.sig:
	// the layers that Batch.Existing has there, then ours. What has appeared
	// there since is for those to keep who publish them.
	Tags map[string]v1.Image
}

// Attachment is the content of a referrer: a manifest whose subject is
// Subject, with the empty config and one layer.
type Attachment struct {
	Subject Subject
	// MediaType is the layer's, and the manifest's artifact type.
	MediaType string
	Content   []byte
	// Annotations belong to the manifest.
	Annotations map[string]string
}

// Evidence is what is attached to subjects already, as a registry or a layout
// has it.
type Evidence struct {
	// Referrers are manifests with a subject. Those that hold no bundle are
	// passed over.
	Referrers []v1.Image
	// Tags are images by their tag: see SignatureTag and AttestationTag. Other
	// tags are passed over.
	Tags map[string]v1.Image
}

// SignatureTag returns the tag of the legacy signatures of h.
func SignatureTag(h v1.Hash) string { return h.Algorithm + "-" + h.Hex + ".sig" }

// AttestationTag returns the tag of the legacy attestations of h.
func AttestationTag(h v1.Hash) string { return h.Algorithm + "-" + h.Hex + ".att" }

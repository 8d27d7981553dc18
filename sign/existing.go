package sign

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/oci"
)

// existing is a statement, or a legacy signature, that the signer signed before
// with the services of its options.
type existing struct {
	// location is the digest of a bundle's subject, or a legacy tag.
	location  string
	statement statement
	// content is the text of a bundle; payload the signed bytes of a legacy layer.
	content, payload []byte
	// layer and image are set for a legacy layer.
	layer *v1.Descriptor
	image v1.Image
}

// existingSet has the earlier signatures of one signer.
type existingSet struct {
	bundles []existing
	layers  []existing
}

// findExisting returns the signatures of m in e. It skips evidence that is
// invalid, has another signer, or lacks the log entry or timestamp that o
// requires: the signer then makes a new signature.
func findExisting(e oci.Set, o Options, m *material) existingSet {
	var set existingSet
	if o.Format.bundle() {
		for _, img := range e.Referrers {
			if found, ok := existingBundle(img, o, m); ok {
				set.bundles = append(set.bundles, found)
			}
		}
	}
	if o.Format.legacy() {
		for _, tag := range slices.Sorted(maps.Keys(e.Legacy)) {
			set.layers = append(set.layers, existingLayers(tag, e.Legacy[tag], o, m)...)
		}
	}
	return set
}

func existingBundle(img v1.Image, o Options, m *material) (existing, bool) {
	manifest, err := img.Manifest()
	if err != nil || manifest.Subject == nil || len(manifest.Layers) != 1 || manifest.Layers[0].MediaType != MediaTypeBundle {
		return existing{}, false
	}
	content, err := layerText(img, manifest.Layers[0])
	if err != nil {
		return existing{}, false
	}
	found, ok := m.recognize(o, func() (*candidate, error) {
		c, err := openBundle(content)
		if err == nil && c.bundle.GetMediaType() != MediaTypeBundle {
			err = reject(UnknownVersion, "the bundle has type %q", c.bundle.GetMediaType())
		}
		return c, err
	})
	found.location, found.content = manifest.Subject.Digest.String(), content
	return found, ok
}

func existingLayers(tag string, img v1.Image, o Options, m *material) []existing {
	if img == nil || !strings.HasSuffix(tag, ".sig") && !strings.HasSuffix(tag, ".att") {
		return nil
	}
	manifest, err := img.Manifest()
	if err != nil {
		return nil
	}
	var out []existing
	for _, d := range manifest.Layers {
		content, err := layerText(img, d)
		if err != nil {
			continue
		}
		read := readSignature
		if d.MediaType == envelopeType {
			read = readAttestation
		}
		if found, ok := m.recognize(o, func() (*candidate, error) { return read(content, d.Annotations) }); ok {
			found.location, found.layer, found.image = tag, &d, img
			out = append(out, found)
		}
	}
	return out
}

// recognize returns the content of a candidate that the key or identity of m
// signed, with the log entry and timestamp that o requires. It does not verify
// those two; that is the task of Trust.Verify.
func (m *material) recognize(o Options, read func() (*candidate, error)) (found existing, ok bool) {
	err := recoverPanic(func() error {
		c, err := read()
		if err != nil {
			return err
		}
		payload, message, sig := c.signed()
		if ok = m.signed(c, o, message, sig); !ok {
			return nil
		}
		found.payload = payload
		if c.payload == nil {
			return json.Unmarshal(payload, &found.statement)
		}
		return nil
	})
	return found, ok && err == nil
}

func (m *material) signed(c *candidate, o Options, message, sig []byte) bool {
	proof := c.bundle.GetVerificationMaterial()
	if len(o.Logs) > 0 && len(proof.GetTlogEntries()) == 0 || len(o.TimestampURLs) > 0 && len(proof.GetTimestampVerificationData().GetRfc3161Timestamps()) == 0 {
		return false
	}
	verifier := m.verifier
	if m.certs != nil {
		leaf := c.certificate()
		if leaf == nil || !m.certs.sameSigner(leaf) {
			return false
		}
		var err error
		if verifier, err = verifierOf(leaf.PublicKey); err != nil {
			return false
		}
	}
	return verifier.VerifySignature(bytes.NewReader(sig), bytes.NewReader(message)) == nil
}

// hasPayload reports whether a legacy signature of payload exists under tag.
func (s existingSet) hasPayload(tag string, payload []byte) bool {
	return slices.ContainsFunc(s.layers, func(e existing) bool {
		return e.location == tag && bytes.Equal(e.payload, payload)
	})
}

// findStatement returns the first element that matches s, and the locations of
// all that do.
func findStatement(all []existing, s Statement) (found existing, locations []string, ok bool) {
	for _, e := range all {
		if !s.matches(e.statement) {
			continue
		}
		if !ok {
			found, ok = e, true
		}
		locations = append(locations, e.location)
	}
	return found, locations, ok
}

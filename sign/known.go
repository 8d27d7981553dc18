package sign

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// mark is a signature that somebody made.
type mark struct {
	// message is what sig covers, payload what it says.
	message, payload, sig []byte
	// certificate is that of the key, in DER form; nil for a plain key.
	certificate     []byte
	logged, stamped bool
}

// claim is a signed statement, or a legacy signature, that is there already
// and that the signer would make in the same way.
type claim struct {
	// at is where it is attached: a digest, or a tag.
	at        string
	statement statement
	// content is a bundle; layer a legacy layer; payload what a legacy
	// signature covers.
	content, payload []byte
	layer            *v1.Descriptor
	image            v1.Image
}

// known are the claims of one signer.
type known struct {
	bundles []claim
	layers  []claim
}

// recognise finds in e what m has signed. What cannot be read, was signed by
// somebody else, or lacks the log or the timestamp that o asks for, is passed
// over: it is no reason not to sign.
func recognise(e Evidence, o Options, m *material) known {
	var k known
	if o.Format.bundle() {
		for _, img := range e.Referrers {
			if c, ok := recogniseBundle(img, o, m); ok {
				k.bundles = append(k.bundles, c)
			}
		}
	}
	if o.Format.legacy() {
		for _, tag := range slices.Sorted(maps.Keys(e.Tags)) {
			k.layers = append(k.layers, recogniseLayers(tag, e.Tags[tag], o, m)...)
		}
	}
	return k
}

func recogniseBundle(img v1.Image, o Options, m *material) (claim, bool) {
	manifest, err := img.Manifest()
	if err != nil || manifest.Subject == nil || len(manifest.Layers) != 1 {
		return claim{}, false
	}
	d := manifest.Layers[0]
	if d.MediaType != MediaTypeBundle {
		return claim{}, false
	}
	content, err := layerText(img, d)
	if err != nil {
		return claim{}, false
	}
	s, ok := markOfBundle(content)
	if !ok || !m.made(s, o) {
		return claim{}, false
	}
	c := claim{at: manifest.Subject.Digest.String(), content: content}
	return c, json.Unmarshal(s.payload, &c.statement) == nil
}

func recogniseLayers(tag string, img v1.Image, o Options, m *material) []claim {
	if img == nil || !strings.HasSuffix(tag, ".sig") && !strings.HasSuffix(tag, ".att") {
		return nil
	}
	manifest, err := img.Manifest()
	if err != nil {
		return nil
	}
	var out []claim
	for _, d := range manifest.Layers {
		content, err := layerText(img, d)
		if err != nil {
			continue
		}
		s, err := markOfLayer(content, d)
		if err != nil || !m.made(s, o) {
			continue
		}
		c := claim{at: tag, payload: s.payload, layer: &d, image: img}
		if d.MediaType == envelopeType && json.Unmarshal(s.payload, &c.statement) != nil {
			continue
		}
		out = append(out, c)
	}
	return out
}

// made reports whether s is a signature of m's key or identity, with what o
// wants beside it. Whether the log and the authority are right is the
// verifier's to say.
func (m *material) made(s mark, o Options) bool {
	if len(o.Logs) > 0 && !s.logged || len(o.TimestampURLs) > 0 && !s.stamped {
		return false
	}
	verifier := m.verifier
	if m.certified != nil {
		certificate, err := x509.ParseCertificate(s.certificate)
		if err != nil || !m.certified.issued(certificate) {
			return false
		}
		if verifier, err = verifierOf(certificate.PublicKey); err != nil {
			return false
		}
	}
	return verifier.VerifySignature(bytes.NewReader(s.sig), bytes.NewReader(s.message)) == nil
}

// signed reports whether the legacy payload has a signature under tag.
func (k known) signed(tag string, payload []byte) bool {
	return slices.ContainsFunc(k.layers, func(c claim) bool {
		return c.at == tag && bytes.Equal(c.payload, payload)
	})
}

// find returns the first of claims that makes s, and where it is attached.
func find(claims []claim, s Statement) (c claim, at []string, ok bool) {
	for _, each := range claims {
		if !s.made(each.statement) {
			continue
		}
		if !ok {
			c, ok = each, true
		}
		at = append(at, each.at)
	}
	return c, at, ok
}

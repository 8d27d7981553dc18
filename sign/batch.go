package sign

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	sigsign "github.com/sigstore/sigstore-go/pkg/sign"
	"golang.org/x/sync/errgroup"
)

// parallel is how many signatures are made at once: the log and the authority
// are asked over a network.
const parallel = 4

// Batch is what is signed together.
type Batch struct {
	// Subjects are signed, each by itself.
	Subjects []Subject
	// Statements are signed and attached to their subjects.
	Statements []Statement
	// Existing is what is attached to all of these subjects. What the signer
	// has signed before is not signed again.
	Existing Evidence
}

// SignAll signs what b has and its evidence lacks, in the order of b. A batch
// that was signed before, by the same key or identity and with the same log
// and authority, gives nothing. Errors say which subject they are about and
// wrap *KeyError, *TokenError or *ServiceError.
func (s *Signer) SignAll(ctx context.Context, b Batch) (Signed, error) {
	m, err := s.material(ctx)
	if err != nil {
		return Signed{}, fmt.Errorf("signing: %w", err)
	}
	have := recognise(b.Existing, s.options, m)
	works := s.works(b)
	done := make([]result, len(works))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, w := range works {
		group.Go(func() error {
			m, err := s.material(ctx)
			if err == nil {
				done[i], err = w(ctx, m, have)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return Signed{}, fmt.Errorf("signing: %w", err)
	}
	return collect(done, b.Existing)
}

// work makes one signature, unless it is known.
type work func(ctx context.Context, m *material, have known) (result, error)

// result is what came of one work.
type result struct {
	attachments []Attachment
	layers      []tagged
}

// tagged is a legacy layer and where it goes.
type tagged struct {
	tag   string
	layer mutate.Addendum
}

func (s *Signer) works(b Batch) []work {
	var works []work
	for _, subject := range b.Subjects {
		if s.options.Format.bundle() {
			works = append(works, s.claiming(Statement{
				Subjects: []Subject{{Digest: subject.Digest, MediaType: subject.MediaType, Size: subject.Size}}, PredicateType: PredicateSignature, Predicate: json.RawMessage("{}"),
			}, FormatBundle))
		}
		if s.options.Format.legacy() {
			works = append(works, s.signing(subject))
		}
	}
	for _, claim := range b.Statements {
		works = append(works, s.claiming(claim, s.options.Format))
	}
	return works
}

// signing makes the legacy signature of subject.
func (s *Signer) signing(subject Subject) work {
	return func(ctx context.Context, m *material, have known) (result, error) {
		tag := SignatureTag(subject.Digest)
		payload, err := simpleSigning(subject)
		if err != nil || have.signed(tag, payload) {
			return result{}, err
		}
		layer, err := s.signPlain(ctx, m, payload)
		if err != nil {
			return result{}, fmt.Errorf("%s: %w", subject.Digest, err)
		}
		return result{layers: []tagged{{tag, layer}}}, nil
	}
}

func (s *Signer) signPlain(ctx context.Context, m *material, payload []byte) (mutate.Addendum, error) {
	b, err := s.bundle(ctx, m, &sigsign.PlainData{Data: payload})
	if err != nil {
		return mutate.Addendum{}, err
	}
	timestamps, err := s.timestamps(ctx, b.GetMessageSignature().GetSignature())
	if err != nil {
		return mutate.Addendum{}, err
	}
	layer, err := m.signatureLayer(payload, b, timestamps)
	if err != nil {
		return mutate.Addendum{}, err
	}
	return addendum(layer)
}

// claiming signs a statement once for both formats and all subjects, or takes
// the one that is attached to some of them already.
func (s *Signer) claiming(claim Statement, format Format) work {
	return func(ctx context.Context, m *material, have known) (result, error) {
		var r result
		if len(claim.Subjects) == 0 {
			return result{}, fmt.Errorf("%s: the statement has no subjects", claim.PredicateType)
		}
		about := claim.PredicateType + " of " + claim.Subjects[0].Digest.String()
		maker := &sealer{signer: s, material: m, claim: claim}
		if format.bundle() {
			content, err := maker.bundle(ctx, have.bundles)
			if err != nil {
				return result{}, fmt.Errorf("%s: %w", about, err)
			}
			r.attachments = content
		}
		if format.legacy() {
			layers, err := maker.layers(ctx, have.layers)
			if err != nil {
				return result{}, fmt.Errorf("%s: %w", about, err)
			}
			r.layers = layers
		}
		return r, nil
	}
}

// sealer makes one statement in the formats that are missing.
type sealer struct {
	signer   *Signer
	material *material
	claim    Statement
	done     *protobundle.Bundle
}

// bundle returns the attachments that are missing.
func (w *sealer) bundle(ctx context.Context, have []claim) ([]Attachment, error) {
	c, at, ok := find(have, w.claim)
	content := c.content
	if !ok {
		b, err := w.seal(ctx)
		if err != nil {
			return nil, err
		}
		timestamps, err := w.signer.timestamps(ctx, b.GetDsseEnvelope().GetSignatures()[0].GetSig())
		if err != nil {
			return nil, err
		}
		if content, err = encodeBundle(b, timestamps); err != nil {
			return nil, err
		}
	}
	var out []Attachment
	for _, subject := range w.claim.Subjects {
		if !slices.Contains(at, subject.Digest.String()) {
			out = append(out, attach(content, w.claim.PredicateType, subject))
		}
	}
	return out, nil
}

// layers returns the legacy layers that are missing.
func (w *sealer) layers(ctx context.Context, have []claim) ([]tagged, error) {
	c, at, ok := find(have, w.claim)
	var layer mutate.Addendum
	var err error
	if ok {
		layer, err = c.addendum()
	} else {
		layer, err = w.layer(ctx)
	}
	if err != nil {
		return nil, err
	}
	var out []tagged
	for _, subject := range w.claim.Subjects {
		if tag := AttestationTag(subject.Digest); !slices.Contains(at, tag) {
			out = append(out, tagged{tag, layer})
		}
	}
	return out, nil
}

func (w *sealer) layer(ctx context.Context) (mutate.Addendum, error) {
	b, err := w.seal(ctx)
	if err != nil {
		return mutate.Addendum{}, err
	}
	// sigstore-go logs these bytes: stock cosign compares their hash.
	envelope, err := json.Marshal(b.GetDsseEnvelope())
	if err != nil {
		return mutate.Addendum{}, err
	}
	// Stock cosign expects a timestamp of the envelope, not of the signature.
	timestamps, err := w.signer.timestamps(ctx, envelope)
	if err != nil {
		return mutate.Addendum{}, err
	}
	layer, err := w.material.attestationLayer(b, envelope, w.claim.PredicateType, timestamps)
	if err != nil {
		return mutate.Addendum{}, err
	}
	return addendum(layer)
}

// seal signs the statement and logs the signature, once.
func (w *sealer) seal(ctx context.Context) (*protobundle.Bundle, error) {
	if w.done != nil {
		return w.done, nil
	}
	payload, err := w.claim.encode()
	if err != nil {
		return nil, err
	}
	content := &sigsign.DSSEData{Data: payload, PayloadType: payloadType}
	b, err := w.signer.bundle(ctx, w.material, content)
	if errors.Is(err, errLogged) {
		// The response to a first attempt was lost: a new signature makes a new
		// entry.
		b, err = w.signer.bundle(ctx, w.material, content)
	}
	w.done = b
	return b, err
}

// timestamps requests a timestamp of message from every authority.
func (s *Signer) timestamps(ctx context.Context, message []byte) ([][]byte, error) {
	var all [][]byte
	for _, authority := range s.authorities {
		t, err := authority.timestamp(ctx, message)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// collect puts results together, in order.
func collect(done []result, existing Evidence) (Signed, error) {
	var out Signed
	layers := map[string][]mutate.Addendum{}
	for _, r := range done {
		out.Attachments = append(out.Attachments, r.attachments...)
		for _, l := range r.layers {
			layers[l.tag] = append(layers[l.tag], l.layer)
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(layers)) {
		old := existing.Tags[tag]
		have, err := addenda(old)
		if err != nil {
			return Signed{}, fmt.Errorf("signing: tag %s: %w", tag, err)
		}
		img, err := appendLayers(old, have, layers[tag])
		if err != nil {
			return Signed{}, fmt.Errorf("signing: tag %s: %w", tag, err)
		}
		if out.Tags == nil {
			out.Tags = map[string]v1.Image{}
		}
		out.Tags[tag] = img
	}
	return out, nil
}

// addendum returns the layer of c, to be used under another tag.
func (c claim) addendum() (mutate.Addendum, error) {
	layer, err := c.image.LayerByDigest(c.layer.Digest)
	return mutate.Addendum{Layer: layer, Annotations: c.layer.Annotations, MediaType: c.layer.MediaType}, err
}

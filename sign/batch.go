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
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
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

// Sign signs subject.
func (s *Signer) Sign(ctx context.Context, subject Subject) (Signed, error) {
	return s.SignAll(ctx, Batch{Subjects: []Subject{subject}})
}

// Attest signs a claim about subjects, once, and returns it for each of them.
func (s *Signer) Attest(ctx context.Context, claim Statement) (Signed, error) {
	return s.SignAll(ctx, Batch{Statements: []Statement{claim}})
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
	sig, err := m.sign(ctx, payload)
	if err != nil {
		return mutate.Addendum{}, err
	}
	var entries []*protorekor.TransparencyLogEntry
	for _, log := range s.logs {
		entry, err := log.plain(ctx, payload, sig, m.text)
		if err != nil {
			return mutate.Addendum{}, err
		}
		entries = append(entries, entry)
	}
	stamps, err := s.stamp(ctx, sig)
	if err != nil {
		return mutate.Addendum{}, err
	}
	layer, err := m.signatureLayer(payload, sig, entries, stamps)
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
	done     *sealed
}

// bundle returns the attachments that are missing.
func (w *sealer) bundle(ctx context.Context, have []claim) ([]Attachment, error) {
	c, at, ok := find(have, w.claim)
	content := c.content
	if !ok {
		e, err := w.seal(ctx)
		if err != nil {
			return nil, err
		}
		stamps, err := w.signer.stamp(ctx, e.sig)
		if err != nil {
			return nil, err
		}
		if content, err = w.material.bundle(*e, stamps); err != nil {
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
	e, err := w.seal(ctx)
	if err != nil {
		return mutate.Addendum{}, err
	}
	// The stock cosign looks for a timestamp of the whole envelope here.
	stamps, err := w.signer.stamp(ctx, e.envelope)
	if err != nil {
		return mutate.Addendum{}, err
	}
	layer, err := w.material.attestationLayer(*e, w.claim.PredicateType, stamps)
	if err != nil {
		return mutate.Addendum{}, err
	}
	return addendum(layer)
}

// seal signs the statement and logs it, once.
func (w *sealer) seal(ctx context.Context) (*sealed, error) {
	if w.done != nil {
		return w.done, nil
	}
	payload, err := w.claim.encode()
	if err != nil {
		return nil, err
	}
	e, err := w.sealOnce(ctx, payload)
	if errors.Is(err, errLogged) {
		// A first attempt arrived although its answer did not: a new signature
		// makes a new entry.
		e, err = w.sealOnce(ctx, payload)
	}
	w.done = e
	return e, err
}

func (w *sealer) sealOnce(ctx context.Context, payload []byte) (*sealed, error) {
	sig, err := w.material.sign(ctx, preAuth(payload))
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(envelope{payloadType, payload, []envelopeSignature{{Sig: sig}}})
	if err != nil {
		return nil, err
	}
	e := &sealed{payload: payload, envelope: text, sig: sig}
	for _, log := range w.signer.logs {
		entry, err := log.envelope(ctx, e, w.material)
		if err != nil {
			return nil, err
		}
		e.entries = append(e.entries, entry)
	}
	return e, nil
}

// stamp asks every authority.
func (s *Signer) stamp(ctx context.Context, message []byte) ([][]byte, error) {
	var stamps [][]byte
	for _, stamper := range s.stampers {
		stamp, err := stamper.stamp(ctx, message)
		if err != nil {
			return nil, err
		}
		stamps = append(stamps, stamp)
	}
	return stamps, nil
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

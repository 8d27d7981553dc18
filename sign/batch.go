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

	"github.com/pgext/pgext/internal/oci"
)

// parallel limits the signatures made at a time; most of the time is network
// latency.
const parallel = 4

// Batch is a set of subjects and statements to sign.
type Batch struct {
	// Subjects are signed separately.
	Subjects []Subject
	// Statements are signed and attached to their subjects.
	Statements []Statement
	// Existing is the evidence attached to the subjects. Signatures that the
	// signer made before are not made again.
	Existing oci.Set
}

// SignAll makes the signatures that b.Existing lacks, in the order of b. The
// result is empty if the same key or identity signed everything before, with log
// entries and timestamps if the options require them. Errors are *failure.Error;
// an error about a single subject names its digest.
func (s *Signer) SignAll(ctx context.Context, b Batch) (oci.Set, error) {
	m, err := s.material(ctx)
	if err != nil {
		return oci.Set{}, fmt.Errorf("signing: %w", err)
	}
	have := findExisting(b.Existing, s.options, m)
	jobs := s.jobs(b)
	done := make([]result, len(jobs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, job := range jobs {
		group.Go(func() error {
			m, err := s.material(ctx)
			if err == nil {
				done[i], err = job(ctx, m, have)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return oci.Set{}, fmt.Errorf("signing: %w", err)
	}
	return collect(done, b.Existing)
}

// job makes one signature unless it exists.
type job func(ctx context.Context, m *material, have existingSet) (result, error)

// result has the output of one job.
type result struct {
	attachments []attachment
	layers      []tagged
}

// tagged is a layer of the image under a legacy tag.
type tagged struct {
	tag   string
	layer mutate.Addendum
}

func (s *Signer) jobs(b Batch) []job {
	var jobs []job
	for _, subject := range b.Subjects {
		if s.options.Format.bundle() {
			jobs = append(jobs, s.statementJob(Statement{
				Subjects: []Subject{{Digest: subject.Digest, MediaType: subject.MediaType, Size: subject.Size}}, PredicateType: PredicateSignature, Predicate: json.RawMessage("{}"),
			}, FormatBundle))
		}
		if s.options.Format.legacy() {
			jobs = append(jobs, s.legacyJob(subject))
		}
	}
	for _, statement := range b.Statements {
		jobs = append(jobs, s.statementJob(statement, s.options.Format))
	}
	return jobs
}

// legacyJob makes the legacy signature of subject.
func (s *Signer) legacyJob(subject Subject) job {
	return func(ctx context.Context, m *material, have existingSet) (result, error) {
		tag := oci.SignatureTag(subject.Digest)
		payload, err := simpleSigning(subject)
		if err != nil || have.hasPayload(tag, payload) {
			return result{}, err
		}
		layer, err := s.legacySignature(ctx, m, payload)
		if err != nil {
			return result{}, fmt.Errorf("%s: %w", subject.Digest, err)
		}
		return result{layers: []tagged{{tag, layer}}}, nil
	}
}

func (s *Signer) legacySignature(ctx context.Context, m *material, payload []byte) (mutate.Addendum, error) {
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

// statementJob signs a statement once for all formats and subjects. If some of the
// subjects have the signed statement already, it is attached to the others.
func (s *Signer) statementJob(statement Statement, format Format) job {
	return func(ctx context.Context, m *material, have existingSet) (result, error) {
		var r result
		if len(statement.Subjects) == 0 {
			return result{}, fmt.Errorf("%s: the statement has no subjects", statement.PredicateType)
		}
		name := statement.PredicateType + " of " + statement.Subjects[0].Digest.String()
		w := &statementWriter{signer: s, material: m, statement: statement}
		if format.bundle() {
			attachments, err := w.bundles(ctx, have.bundles)
			if err != nil {
				return result{}, fmt.Errorf("%s: %w", name, err)
			}
			r.attachments = attachments
		}
		if format.legacy() {
			layers, err := w.layers(ctx, have.layers)
			if err != nil {
				return result{}, fmt.Errorf("%s: %w", name, err)
			}
			r.layers = layers
		}
		return r, nil
	}
}

// statementWriter writes one signed statement in the missing formats.
type statementWriter struct {
	signer    *Signer
	material  *material
	statement Statement
	signed    *protobundle.Bundle
}

// bundles returns the missing attachments.
func (w *statementWriter) bundles(ctx context.Context, have []existing) ([]attachment, error) {
	found, locations, ok := findStatement(have, w.statement)
	content := found.content
	if !ok {
		b, err := w.sign(ctx)
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
	var out []attachment
	for _, subject := range w.statement.Subjects {
		if !slices.Contains(locations, subject.Digest.String()) {
			out = append(out, newAttachment(content, w.statement.PredicateType, subject))
		}
	}
	return out, nil
}

// layers returns the missing legacy layers.
func (w *statementWriter) layers(ctx context.Context, have []existing) ([]tagged, error) {
	found, locations, ok := findStatement(have, w.statement)
	var layer mutate.Addendum
	var err error
	if ok {
		layer, err = found.addendum()
	} else {
		layer, err = w.newLayer(ctx)
	}
	if err != nil {
		return nil, err
	}
	var out []tagged
	for _, subject := range w.statement.Subjects {
		if tag := oci.AttestationTag(subject.Digest); !slices.Contains(locations, tag) {
			out = append(out, tagged{tag, layer})
		}
	}
	return out, nil
}

func (w *statementWriter) newLayer(ctx context.Context) (mutate.Addendum, error) {
	b, err := w.sign(ctx)
	if err != nil {
		return mutate.Addendum{}, err
	}
	// sigstore-go logs the hash of these bytes, and cosign compares it.
	envelope, err := json.Marshal(b.GetDsseEnvelope())
	if err != nil {
		return mutate.Addendum{}, err
	}
	// cosign expects a timestamp of the envelope, not of the signature.
	timestamps, err := w.signer.timestamps(ctx, envelope)
	if err != nil {
		return mutate.Addendum{}, err
	}
	layer, err := w.material.attestationLayer(b, envelope, w.statement.PredicateType, timestamps)
	if err != nil {
		return mutate.Addendum{}, err
	}
	return addendum(layer)
}

// sign signs the statement and logs the signature. Further calls return the same
// bundle.
func (w *statementWriter) sign(ctx context.Context) (*protobundle.Bundle, error) {
	if w.signed != nil {
		return w.signed, nil
	}
	payload, err := w.statement.encode()
	if err != nil {
		return nil, err
	}
	content := &sigsign.DSSEData{Data: payload, PayloadType: payloadType}
	b, err := w.signer.bundle(ctx, w.material, content)
	if errors.Is(err, errLogged) {
		// The response to the first attempt was lost. A new signature makes a new
		// entry.
		b, err = w.signer.bundle(ctx, w.material, content)
	}
	w.signed = b
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

// collect joins the results in their order.
func collect(done []result, existing oci.Set) (oci.Set, error) {
	var out oci.Set
	layers := map[string][]mutate.Addendum{}
	for _, r := range done {
		for _, a := range r.attachments {
			img, err := a.referrer()
			if err != nil {
				return oci.Set{}, fmt.Errorf("signing: %w", err)
			}
			out.Referrers = append(out.Referrers, img)
		}
		for _, l := range r.layers {
			layers[l.tag] = append(layers[l.tag], l.layer)
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(layers)) {
		old := existing.Legacy[tag]
		have, err := addenda(old)
		if err != nil {
			return oci.Set{}, fmt.Errorf("signing: tag %s: %w", tag, err)
		}
		img, err := appendLayers(old, have, layers[tag])
		if err != nil {
			return oci.Set{}, fmt.Errorf("signing: tag %s: %w", tag, err)
		}
		if out.Legacy == nil {
			out.Legacy = map[string]v1.Image{}
		}
		out.Legacy[tag] = img
	}
	return out, nil
}

// addendum returns the layer of e for use under another tag.
func (e existing) addendum() (mutate.Addendum, error) {
	layer, err := e.image.LayerByDigest(e.layer.Digest)
	return mutate.Addendum{Layer: layer, Annotations: e.layer.Annotations, MediaType: e.layer.MediaType}, err
}

package publish

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/location"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/registry"
	"github.com/pgext/pgext/internal/verify"
	"github.com/pgext/pgext/sign"
)

// Collector reads what a registry has about an image.
type Collector interface {
	Collect(ctx context.Context, ref string) (registry.Collection, error)
}

// Attestor signs images and what is told about them. It implements Attester.
type Attestor struct {
	Signer *sign.Signer
	// Invocation is the run that signs: the signed copy of the provenance
	// names it.
	Invocation provenance.Invocation
	// Registry knows what was signed before; nil knows nothing.
	Registry Collector
}

// Attest signs the index, every manifest of it, and the documents attached to
// them. What the same signer has signed before is not signed again.
func (a Attestor) Attest(ctx context.Context, repo string, about image.Collection) (Attested, error) {
	batch := sign.Batch{Existing: location.EvidenceOf(about)}
	if a.Registry != nil && repo != "" {
		known, err := a.known(ctx, repo, about.Digest)
		if err != nil {
			return Attested{}, err
		}
		batch.Existing.Referrers = append(batch.Existing.Referrers, known.Referrers...)
		maps.Copy(batch.Existing.Tags, known.Tags)
	}
	top, err := a.subjects(repo, about, &batch)
	if err != nil {
		return Attested{}, err
	}
	if err := a.statements(repo, about, top, &batch); err != nil {
		return Attested{}, err
	}
	signed, err := a.Signer.SignAll(ctx, batch)
	if err != nil {
		return Attested{}, err
	}
	return attached(signed)
}

// known is what the repository has about the image already; nothing when it
// does not have the image.
func (a Attestor) known(ctx context.Context, repo string, digest v1.Hash) (sign.Evidence, error) {
	c, err := a.Registry.Collect(ctx, registry.Reference(repo, digest.String()))
	switch {
	case registry.Absent(err):
		return sign.Evidence{}, nil
	case err != nil:
		return sign.Evidence{}, err
	}
	return sign.Evidence{Referrers: c.Referrers, Tags: c.Evidence}, nil
}

// subjects adds what is signed to the batch, and returns the image itself.
func (a Attestor) subjects(repo string, about image.Collection, batch *sign.Batch) (sign.Subject, error) {
	var all []partial.Describable
	if about.Index != nil {
		all = append(all, about.Index)
	}
	images, err := about.Architectures()
	if err != nil {
		return sign.Subject{}, err
	}
	for _, img := range images {
		all = append(all, img)
	}
	for _, d := range all {
		s, err := subjectOf(repo, d)
		if err != nil {
			return sign.Subject{}, err
		}
		if slices.ContainsFunc(batch.Subjects, func(known sign.Subject) bool { return known.Digest == s.Digest }) {
			continue // an index may list one image for two platforms
		}
		batch.Subjects = append(batch.Subjects, s)
	}
	return batch.Subjects[0], nil
}

func subjectOf(repo string, d partial.Describable) (sign.Subject, error) {
	s := sign.Subject{Repository: repo}
	var err error
	if s.Digest, err = d.Digest(); err == nil {
		s.Size, err = d.Size()
	}
	if err == nil {
		s.MediaType, err = d.MediaType()
	}
	return s, err
}

// statements adds a claim for every document about a manifest. It is about the
// index too, so that those who ask by a tag find it.
func (a Attestor) statements(repo string, about image.Collection, top sign.Subject, batch *sign.Batch) error {
	documents, err := location.Documents(location.Location{Repository: repo}, about)
	if err != nil {
		return err
	}
	for _, subject := range batch.Subjects {
		fitting, err := verify.Signable(documents[subject.Digest], subject.Digest.String())
		if err != nil {
			return err
		}
		for _, d := range fitting {
			s, err := a.statement(d)
			if err != nil {
				return err
			}
			s.Subjects = []sign.Subject{subject}
			if subject.Digest != top.Digest {
				s.Subjects = append(s.Subjects, top)
			}
			batch.Statements = append(batch.Statements, s)
		}
	}
	return nil
}

// statement is what a document is signed as.
func (a Attestor) statement(d verify.Document) (sign.Statement, error) {
	s := sign.Statement{PredicateType: d.Predicate, Predicate: d.Content}
	if d.Predicate != provenance.PredicateType {
		return s, nil
	}
	var err error
	if s.Predicate, err = a.invoked(d.Content); err != nil {
		return s, err
	}
	s.Same = func(other json.RawMessage) bool { return provenance.SameBuilder(s.Predicate, other) }
	return s, nil
}

// invoked is the predicate of a provenance statement with the run that signs
// it.
func (a Attestor) invoked(content []byte) ([]byte, error) {
	s, err := provenance.Parse(content)
	if err != nil {
		return nil, err
	}
	return s.WithInvocation(a.Invocation).Predicate.Encode()
}

// attached makes manifests of what was signed.
func attached(signed sign.Signed) (Attested, error) {
	out := Attested{Tags: signed.Tags}
	for _, at := range signed.Attachments {
		r, err := image.NewReferrer(at.Subject.Describable(), image.Referrer{
			ArtifactType: at.MediaType, Content: at.Content, Annotations: at.Annotations,
		})
		if err != nil {
			return Attested{}, err
		}
		out.Referrers = append(out.Referrers, r)
	}
	return out, nil
}

package publish

import (
	"context"
	"encoding/json"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"

	"github.com/pgext/pgext/internal/location"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/registry"
	"github.com/pgext/pgext/internal/verify"
	"github.com/pgext/pgext/sign"
)

// Collector reads an image with its attachments from a registry.
type Collector interface {
	Collect(ctx context.Context, ref string) (oci.Set, error)
}

// Attestor signs images and the documents attached to them. It implements Signer.
type Attestor struct {
	Signer *sign.Signer
	// Invocation is the run that signs. The signed copy of the provenance
	// contains it.
	Invocation provenance.Invocation
	// Registry has the signatures made before; nil for none.
	Registry Collector
}

// Attest signs the index, every manifest of it, and the documents attached to
// them. What the same signer has signed before is not signed again.
func (a Attestor) Attest(ctx context.Context, repo string, about oci.Set) (oci.Set, error) {
	batch := sign.Batch{Existing: about}
	if a.Registry != nil && repo != "" {
		known, err := a.known(ctx, repo, about.Digest)
		if err != nil {
			return oci.Set{}, err
		}
		if batch.Existing, err = about.WithAttachments(known); err != nil {
			return oci.Set{}, err
		}
	}
	top, err := a.subjects(repo, about, &batch)
	if err != nil {
		return oci.Set{}, err
	}
	if err := a.statements(repo, about, top, &batch); err != nil {
		return oci.Set{}, err
	}
	return a.Signer.SignAll(ctx, batch)
}

// known returns the attachments of the image in the repository, none if it does
// not have the image.
func (a Attestor) known(ctx context.Context, repo string, digest v1.Hash) (oci.Set, error) {
	c, err := a.Registry.Collect(ctx, oci.Ref{Repository: repo, Digest: digest.String()}.String())
	if registry.Absent(err) {
		return oci.Set{}, nil
	}
	return c, err
}

// subjects adds the index and its images to the batch, and returns the first.
func (a Attestor) subjects(repo string, about oci.Set, batch *sign.Batch) (sign.Subject, error) {
	var all []partial.Describable
	if about.Index != nil {
		all = append(all, about.Index)
	}
	for _, img := range about.Images {
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

// statements adds a statement for every document attached to a manifest. The index
// is a subject too, so that the statement is found by tag.
func (a Attestor) statements(repo string, about oci.Set, top sign.Subject, batch *sign.Batch) error {
	documents, err := location.Documents(oci.Ref{Repository: repo}, about)
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

// statement returns the statement to sign for a document.
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

// invoked returns the predicate of a provenance statement with the run that signs
// it.
func (a Attestor) invoked(content []byte) ([]byte, error) {
	s, err := provenance.Parse(content)
	if err != nil {
		return nil, err
	}
	return s.WithInvocation(a.Invocation).Predicate.Encode()
}

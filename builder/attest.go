package builder

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/registry"
	"github.com/pgext/pgext/internal/verify"
	"github.com/pgext/pgext/sbom"
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
	batch := sign.Batch{Existing: evidenceOf(about)}
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

func evidenceOf(c image.Collection) sign.Evidence {
	e := sign.Evidence{Referrers: c.Referrers, Tags: map[string]v1.Image{}}
	maps.Copy(e.Tags, c.Evidence)
	return e
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
	documents, err := documentsOf(Place{Repository: repo}, about)
	if err != nil {
		return err
	}
	for _, subject := range batch.Subjects {
		fitting, err := fittingDocuments(documents[subject.Digest], subject.Digest.String())
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

// fittingDocuments are those that are about the manifest they are attached to,
// one of a kind. Others are passed over, as a verifier does, where one of the
// same kind is right.
func fittingDocuments(all []verify.Document, digest string) ([]verify.Document, error) {
	var out []verify.Document
	wrong := map[string]error{}
	for _, d := range all {
		if err := verify.Misplaced(d, digest); err != nil {
			wrong[d.Predicate] = err
			continue
		}
		out = append(out, d)
	}
	for _, d := range out {
		delete(wrong, d.Predicate)
	}
	for _, predicate := range slices.Sorted(maps.Keys(wrong)) {
		return nil, &MisplacedError{wrong[predicate]}
	}
	return single(out, digest)
}

// single refuses two documents that say different things: anybody who may push
// may have attached one of them.
func single(all []verify.Document, digest string) ([]verify.Document, error) {
	var out []verify.Document
	for _, d := range all {
		i := slices.IndexFunc(out, func(other verify.Document) bool { return other.Predicate == d.Predicate })
		switch {
		case i < 0:
			out = append(out, d)
		case !bytes.Equal(out[i].Content, d.Content):
			return nil, &AmbiguousError{Digest: digest, Predicate: d.Predicate}
		}
	}
	return out, nil
}

// AmbiguousError says that two documents of a kind are attached to a manifest,
// and no signature can say which of them is meant.
type AmbiguousError struct{ Digest, Predicate string }

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("two different documents of type %s are attached to %s", e.Predicate, e.Digest)
}

// Hint says how the right ones are signed.
func (*AmbiguousError) Hint() string {
	return "pgext push --key signs what was built here, whatever others have attached"
}

// ExitCode is 13: it is not known which of them can be relied upon.
func (*AmbiguousError) ExitCode() int { return 13 }

// MisplacedError says that something attached to an image cannot be signed,
// since it is not about the image.
type MisplacedError struct{ Err error }

func (e *MisplacedError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *MisplacedError) Unwrap() error { return e.Err }

// Hint says how the image gets the right one.
func (*MisplacedError) Hint() string {
	return "pgext push attaches what was made for the image; what is wrong is then passed over"
}

// ExitCode is 13: what is said about the image cannot be relied upon.
func (*MisplacedError) ExitCode() int { return 13 }

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

// Signed is an image that was signed where it is.
type Signed struct {
	Published
	// Bare says which manifests have no document of which kind, so that nothing
	// is claimed about them.
	Bare []string
}

// Sign signs an image where it is, and what is attached to it there. Its tags
// stay as they are.
func Sign(ctx context.Context, m Mirror, at Place, ref string, a Attester) (Signed, error) {
	c, _, err := collect(ctx, m, at, ref)
	if err != nil {
		return Signed{}, err
	}
	bare, err := bareManifests(at, c)
	if err != nil {
		return Signed{}, err
	}
	published, err := signCollected(ctx, m, at, c, a)
	return Signed{published, bare}, err
}

// bareManifests says which manifests lack a document.
func bareManifests(at Place, c image.Collection) ([]string, error) {
	documents, err := documentsOf(at, c)
	if err != nil {
		return nil, err
	}
	images, err := c.Architectures()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, img := range images {
		digest, err := img.Digest()
		if err != nil {
			return nil, err
		}
		for _, k := range []struct{ predicate, name string }{
			{sbom.SPDXPredicate, "SBOM (SPDX)"}, {sbom.CycloneDXPredicate, "SBOM (CycloneDX)"}, {provenance.PredicateType, "provenance"},
		} {
			if !slices.ContainsFunc(documents[digest], func(d verify.Document) bool { return d.Predicate == k.predicate }) {
				out = append(out, fmt.Sprintf("no %s is attached to %s", k.name, digest))
			}
		}
	}
	return out, nil
}

func signCollected(ctx context.Context, m Mirror, at Place, c image.Collection, a Attester) (Published, error) {
	made, err := a.Attest(ctx, at.Repository, c)
	if err != nil {
		return Published{}, fmt.Errorf("signing %s@%s: %w", at, c.Digest, err)
	}
	out := Published{Repository: at.String(), Digest: c.Digest.String(), Referrers: len(made.Referrers), Evidence: len(made.Tags)}
	if len(made.Referrers)+len(made.Tags) == 0 {
		return out, nil
	}
	p := publicationOf(image.Collection{Artifact: c.Artifact, Image: c.Image, Referrers: made.Referrers, Evidence: made.Tags}, nil)
	if at.Layout == "" {
		_, err = m.Push(ctx, at.Repository, p)
		return out, err
	}
	return out, image.At(at.Layout).Write(ctx, image.Output{Referrers: p.Referrers, Evidence: merges(p)})
}

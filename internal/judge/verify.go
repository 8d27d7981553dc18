package judge

import (
	"context"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/inspect"
	"github.com/pgext/pgext/internal/location"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/registry"
	"github.com/pgext/pgext/internal/session"
	"github.com/pgext/pgext/internal/verify"
	"github.com/pgext/pgext/sign"
)

// VerifyOptions are the requirements of Verify.
type VerifyOptions struct {
	// Trust says whose signatures count; nil judges none.
	Trust  *sign.Trust
	Policy verify.Policy
	// Base, if not "", is the base whose libraries count: see Finished.
	// Otherwise the libraries in the lock of the provenance count.
	Base string
}

// Verified is the result of verifying an image with its evidence.
type Verified struct {
	// Digest is the image's, "sha256:" and hex.
	Digest string
	verify.Result
}

// Verify checks the image at a reference with the evidence attached to it there and
// its files. Failed checks are in the result; the error means that the checks could
// not run.
func Verify(ctx context.Context, ses *session.Session, m location.Registry, at oci.Ref, d VerifyOptions) (Verified, error) {
	c, err := location.Collect(ctx, m, at)
	if err != nil {
		return Verified{}, err
	}
	in, err := verifyInput(ctx, ses, at, c, d)
	if err != nil {
		return Verified{}, fmt.Errorf("verifying %s: %w", c.Digest, err)
	}
	return Verified{Digest: c.Digest.String(), Result: verify.Verify(in)}, nil
}

// input finds out all that is asked about.
func verifyInput(ctx context.Context, ses *session.Session, at oci.Ref, c oci.Set, d VerifyOptions) (verify.Input, error) {
	in := verify.Input{Trusted: d.Trust != nil, Policy: d.Policy}
	all, err := archEvidenceOf(at, c, d)
	if err != nil {
		return in, err
	}
	if c.Index != nil {
		in.Index = c.Digest.String()
		if in.Others, in.Unsupported, err = besides(c.Index); err != nil {
			return in, err
		}
		v, err := verdictOf(d.Trust, at, c.Digest, c)
		if err != nil {
			return in, err
		}
		in.Verdicts = append(in.Verdicts, v)
	}
	for _, e := range all {
		i, found, err := inspectArch(ctx, ses, at, e, d.Base)
		if err != nil {
			return in, err
		}
		in.Images, in.Findings, in.Verdicts = append(in.Images, i), append(in.Findings, found...), append(in.Verdicts, e.verdict)
	}
	in.Findings = slices.CompactFunc(finding.Sort(in.Findings), func(a, b finding.Finding) bool { return a == b })
	return in, nil
}

// besides are the entries of an index that are no images of architectures.
func besides(idx v1.ImageIndex) (others, unjudged []string, err error) {
	all, err := oci.UnlistedOf(idx)
	for _, d := range all.Attestations {
		others = append(others, d.Digest.String())
	}
	for _, d := range all.Unread {
		unjudged = append(unjudged, fmt.Sprintf("%s (%s)", d.Digest, d.MediaType))
	}
	return others, unjudged, err
}

// verdictOf judges the evidence about a subject. When what might have counted
// could not be read from where it is, that is an error.
func verdictOf(t *sign.Trust, at oci.Ref, subject v1.Hash, c oci.Set) (sign.Verdict, error) {
	if t == nil {
		return sign.Verdict{Subject: subject}, nil
	}
	v := t.Verify(subject, c)
	if len(v.Signatures) > 0 {
		return v, nil
	}
	for _, r := range v.Rejected {
		if r.Reason == sign.Unreadable && registry.Trouble(r) {
			return v, &registry.Error{Op: "reading", Ref: at.Repository, Err: r}
		}
	}
	return v, nil
}

// archEvidence is one architecture with what is attached to it, how its signatures
// are judged, and which of the documents it is judged by.
type archEvidence struct {
	oci.Set
	verdict             sign.Verdict
	documents, selected []verify.Document
}

// archEvidenceOf are the architectures of an image.
func archEvidenceOf(at oci.Ref, c oci.Set, d VerifyOptions) ([]archEvidence, error) {
	documents, err := location.Documents(at, c) // first: a registry in trouble is noticed at once
	if err != nil {
		return nil, err
	}
	out := make([]archEvidence, len(c.Images))
	for i, img := range c.Images {
		digest, err := img.Digest()
		if err != nil {
			return nil, err
		}
		e := archEvidence{Set: oci.Set{Digest: digest, Index: c.Index, Images: []v1.Image{img}}, documents: documents[digest]}
		if e.verdict, err = verdictOf(d.Trust, at, digest, c); err != nil {
			return nil, err
		}
		e.selected = verify.SelectDocuments(e.documents, e.verdict, d.Policy)
		out[i] = e
	}
	return out, nil
}

// inspect looks at the files of one architecture.
func inspectArch(ctx context.Context, ses *session.Session, at oci.Ref, e archEvidence, base string) (verify.Image, []finding.Finding, error) {
	out := verify.Image{Digest: e.Digest.String(), Documents: e.documents}
	s, err := inspect.Inspect(ctx, e.Set, ses.Cache)
	switch {
	case err == nil:
	case registry.Trouble(err):
		return out, nil, &registry.Error{Op: "reading", Ref: at.Repository, Err: err}
	case ctx.Err() != nil:
		return out, nil, ctx.Err()
	default:
		return e.damaged(out, err), nil, nil
	}
	i := s.Images[0]
	if why := i.UnpackError; why != nil {
		return e.damaged(out, why), nil, nil
	}
	out.Platform, out.Arch, out.Created, out.Tree = i.Platform, i.Arch, i.Created, i.Tree
	out.Labels, out.Annotations, out.Packages = i.Labels, i.Annotations, i.Packages
	for _, l := range i.Layers {
		if l.TrailingData {
			out.TrailingData = append(out.TrailingData, l.Digest)
		}
	}
	for _, special := range i.Special {
		out.Special = append(out.Special, special.Path)
	}
	found := s.ExceptBase()
	libraries, err := checkNeeds(ctx, ses, i, e.selected, base)
	return out, append(found, libraries...), err
}

// damaged describes an image whose layers, or whose config, cannot be read.
func (e archEvidence) damaged(out verify.Image, why error) verify.Image {
	out.Damage, out.Platform = why, e.platform()
	if config, err := e.Images[0].ConfigFile(); err == nil {
		out.Platform, out.Labels, out.Created = config.OS+"/"+config.Architecture, config.Config.Labels, config.Created.UTC()
	}
	return out
}

// platform returns the platform in the index, or the digest if there is none.
func (e archEvidence) platform() string {
	if e.Index != nil {
		m, err := e.Index.IndexManifest()
		for i := 0; err == nil && i < len(m.Manifests); i++ {
			if d := m.Manifests[i]; d.Digest == e.Digest && d.Platform != nil {
				return d.Platform.String()
			}
		}
	}
	return e.Digest.String()
}

// checkNeeds reports which libraries the image does not find: in the base that is
// named, else in what the lock in its provenance relied upon.
func checkNeeds(ctx context.Context, ses *session.Session, i inspect.Image, documents []verify.Document, base string) ([]finding.Finding, error) {
	files := session.ELFFiles{Arch: i.Arch, Roots: i.Roots, Own: i.Own}
	if base != "" {
		return ses.CheckLibraries(ctx, files, session.LibraryTarget{Distro: i.Distro, Postgres: i.Postgres, Base: base})
	}
	for _, d := range documents {
		if d.Predicate != provenance.PredicateType || verify.CheckSubject(d, i.Digest) != nil {
			continue // reported by package verify
		}
		s, err := provenance.Parse(d.Content)
		if err != nil {
			continue
		}
		pins, err := s.Predicate.BuildDefinition.ExternalParameters.Pins()
		if err != nil {
			continue
		}
		return session.CheckLockedLibraries(ctx, files, pins)
	}
	return nil, nil
}

package builder

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/pgext/pgext/internal/closure"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/registry"
	"github.com/pgext/pgext/internal/survey"
	"github.com/pgext/pgext/internal/verify"
	"github.com/pgext/pgext/sign"
)

// Demands are what Verify holds an image against.
type Demands struct {
	// Trust says whose signatures count; nil judges none.
	Trust  *sign.Trust
	Policy verify.Policy
	// Base, when set, is what the libraries are judged against: see Finished.
	// Else it is what the lock in the provenance relied upon.
	Base string
}

// Verified is what an image, with its evidence, turned out to be.
type Verified struct {
	// Digest is the image's, "sha256:" and hex.
	Digest string
	verify.Result
}

// Verify judges the image that ref names in a place by what is attached to it
// there, and by its files. The error says that it could not be judged; what is
// wrong with it is in the result.
func (b *Builder) Verify(ctx context.Context, m Mirror, at Place, ref string, d Demands) (Verified, error) {
	c, _, err := collect(ctx, m, at, ref)
	if err != nil {
		return Verified{}, err
	}
	in := verify.Input{Trusted: d.Trust != nil, Policy: d.Policy}
	if c.Index != nil {
		in.Index = c.Digest.String()
		in.Verdicts = append(in.Verdicts, verdictOf(d.Trust, c.Digest, c))
	}
	images, err := architectures(c)
	if err != nil {
		return Verified{}, err
	}
	documents, err := documentsOf(c)
	if err != nil {
		return Verified{}, err
	}
	for _, img := range images {
		i, found, err := b.inspect(ctx, img, documents, d.Base)
		if err != nil {
			return Verified{}, fmt.Errorf("verifying %s: %w", c.Digest, err)
		}
		in.Images, in.Findings = append(in.Images, i), append(in.Findings, found...)
		digest, err := v1.NewHash(i.Digest)
		if err != nil {
			return Verified{}, err
		}
		in.Verdicts = append(in.Verdicts, verdictOf(d.Trust, digest, c))
	}
	in.Findings = finding.Sort(in.Findings)
	return Verified{Digest: c.Digest.String(), Result: verify.Verify(in)}, nil
}

func verdictOf(t *sign.Trust, subject v1.Hash, c image.Collection) sign.Verdict {
	if t == nil {
		return sign.Verdict{Subject: subject}
	}
	return t.Verify(subject, evidenceOf(c))
}

// documentsOf are what is attached without a signature, by its subject.
func documentsOf(c image.Collection) (map[v1.Hash][]verify.Document, error) {
	out := map[v1.Hash][]verify.Document{}
	for _, r := range c.Referrers {
		subject, told, ok, err := image.ReadReferrer(r)
		if err != nil {
			return nil, err
		}
		if predicate := predicates[told.ArtifactType]; ok && predicate != "" {
			out[subject] = append(out[subject], verify.Document{Predicate: predicate, Content: told.Content})
		}
	}
	return out, nil
}

// inspect looks at the files of one architecture.
func (b *Builder) inspect(ctx context.Context, img v1.Image, documents map[v1.Hash][]verify.Document, base string) (verify.Image, []finding.Finding, error) {
	digest, err := img.Digest()
	if err != nil {
		return verify.Image{}, nil, err
	}
	out := verify.Image{Digest: digest.String(), Documents: documents[digest]}
	s, err := survey.Take(ctx, image.Artifact{Digest: digest, Images: []v1.Image{img}}, survey.Options{Cache: b.o.Cache})
	switch {
	case err == nil:
	case isTransport(err):
		return out, nil, &registry.Error{Op: "reading", Ref: digest.String(), Err: err}
	case ctx.Err() != nil:
		return out, nil, ctx.Err()
	default:
		return b.damaged(img, out, err)
	}
	i := s.Images[0]
	out.Platform, out.Arch, out.Created, out.Labels, out.Tree = i.Platform, i.Arch, i.Created, i.Labels, i.Tree
	for _, p := range i.Packages {
		out.Packages = append(out.Packages, verify.Package{Name: p.Package, Version: p.Version, Arch: p.Arch})
	}
	found := slices.DeleteFunc(s.All(), func(f finding.Finding) bool { return f.Code == "PGX053" })
	libraries, err := b.judgeNeeds(ctx, i, out.Documents, base)
	return out, append(found, libraries...), err
}

// damaged describes an image whose layers cannot be read.
func (b *Builder) damaged(img v1.Image, out verify.Image, why error) (verify.Image, []finding.Finding, error) {
	config, err := img.ConfigFile()
	if err != nil {
		return out, nil, err
	}
	out.Platform, out.Labels, out.Created = config.OS+"/"+config.Architecture, config.Config.Labels, config.Created.UTC()
	out.Damage = why
	return out, nil, nil
}

// isTransport tells the trouble of a network from that of an image.
func isTransport(err error) bool {
	var answer *transport.Error
	var trouble net.Error
	return errors.As(err, &answer) || errors.As(err, &trouble)
}

// judgeNeeds says which libraries the image does not find: in the base that is
// named, else in what the lock in its provenance relied upon.
func (b *Builder) judgeNeeds(ctx context.Context, i survey.Image, documents []verify.Document, base string) ([]finding.Finding, error) {
	if base != "" {
		return b.JudgeFinished(ctx, Finished{Distro: i.Distro, Postgres: i.Postgres, Arch: i.Arch, Base: base, Roots: i.Roots, Own: i.Own})
	}
	for _, d := range documents {
		if d.Predicate != provenance.PredicateType {
			continue
		}
		s, err := provenance.Parse(d.Content)
		if err != nil {
			continue // what is wrong with it is told by verify
		}
		pins, err := s.Predicate.BuildDefinition.ExternalParameters.Pins()
		if err != nil {
			continue
		}
		answer, err := closure.Search(ctx, closure.Input{Arch: i.Arch, Roots: i.Roots, Own: i.Own, Known: closure.Locked(pins)})
		return answer.Findings(i.Arch, nil), err
	}
	return nil, nil
}

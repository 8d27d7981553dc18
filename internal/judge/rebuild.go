package judge

import (
	"context"
	"fmt"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/location"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/verify"
)

// Comparison is an image beside what its provenance came to.
type Comparison struct {
	// Digest is the image's, "sha256:" and hex.
	Digest  string
	Rebuilt builder.Rebuilt
	// single is true if the image is a manifest that no index has.
	single bool
}

// Same reports whether the digests agree.
func (c Comparison) Same() bool {
	return c.Rebuilt.Same() && (c.single || c.Digest == c.Rebuilt.Digest)
}

// NoProvenanceError is about an image that does not say how it was built.
type NoProvenanceError struct {
	Digest string
	// Err describes what is wrong with what is attached; nil when nothing is.
	Err error
}

func (e *NoProvenanceError) Error() string {
	if e.Err != nil {
		return e.Err.Error()
	}
	return fmt.Sprintf("no provenance is attached to the manifest %s", e.Digest)
}

// Unwrap returns what is wrong.
func (e *NoProvenanceError) Unwrap() error { return e.Err }

// Hint returns where provenance is.
func (*NoProvenanceError) Hint() string {
	return "images of pgext build have it as a referrer; pgext copy carries referrers along, other tools may not"
}

// ExitCode is 13: there is nothing to rely on.
func (*NoProvenanceError) ExitCode() int { return 13 }

// Rebuild rebuilds the image that ref names in a place from the provenance
// that is attached to its manifests there. Of several statements about a
// manifest one that leads to it is enough.
func Rebuild(ctx context.Context, b *builder.Builder, m location.Registry, at oci.Ref, beside string) (Comparison, error) {
	c, err := location.Collect(ctx, m, at)
	if err != nil {
		return Comparison{}, err
	}
	waiting, err := statementsOf(at, c)
	if err != nil {
		return Comparison{}, err
	}
	statements := make([]provenance.Statement, len(waiting))
	for i := range waiting {
		statements[i] = waiting[i][0]
	}
	rebuilt, err := b.Rebuild(ctx, statements, beside)
	if err != nil || !rebuilt.Same() {
		if !choose(ctx, b, waiting, statements, beside) {
			return Comparison{Digest: c.Digest.String(), Rebuilt: rebuilt, single: c.Index == nil}, err
		}
		rebuilt, err = b.Rebuild(ctx, statements, beside)
	}
	return Comparison{Digest: c.Digest.String(), Rebuilt: rebuilt, single: c.Index == nil}, err
}

// choose puts into statements, for every architecture that has several, the
// first that leads to its manifest. It tells whether any was exchanged.
func choose(ctx context.Context, b *builder.Builder, waiting [][]provenance.Statement, statements []provenance.Statement, beside string) bool {
	changed := false
	for i, all := range waiting {
		if len(all) == 1 {
			continue
		}
		for at, s := range all {
			alone, err := b.Rebuild(ctx, []provenance.Statement{s}, beside)
			if err == nil && alone.Same() {
				statements[i], changed = s, changed || at > 0
				break
			}
		}
	}
	return changed
}

// statementsOf are the statements of plain provenance about each architecture,
// at least one.
func statementsOf(at oci.Ref, c oci.Set) ([][]provenance.Statement, error) {
	documents, err := location.Documents(at, c)
	if err != nil {
		return nil, err
	}
	var out [][]provenance.Statement
	for _, img := range c.Images {
		digest, err := img.Digest()
		if err != nil {
			return nil, err
		}
		good, err := statementsAbout(documents[digest], digest.String())
		if err != nil {
			return nil, err
		}
		out = append(out, good)
	}
	if len(out) == 0 {
		return nil, &NoProvenanceError{Digest: c.Digest.String(), Err: fmt.Errorf("%s lists no image for a platform", c.Digest)}
	}
	return out, nil
}

func statementsAbout(documents []verify.Document, digest string) ([]provenance.Statement, error) {
	missing := &NoProvenanceError{Digest: digest}
	var good []provenance.Statement
	for _, d := range documents {
		if d.Predicate != provenance.PredicateType {
			continue
		}
		if err := verify.CheckSubject(d, digest); err != nil {
			missing.Err = err
			continue
		}
		s, err := provenance.Parse(d.Content)
		if err != nil {
			return nil, err
		}
		good = append(good, s)
	}
	if len(good) == 0 {
		return nil, missing
	}
	return good, nil
}

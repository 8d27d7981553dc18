package builder_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/sigstore/cosign/v2/pkg/cosign"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/publish"
	"github.com/pgext/pgext/internal/registry"
	"github.com/pgext/pgext/sbom"
	"github.com/pgext/pgext/sign"
)

// forbidding is a registry that answers a question about a repository that is
// not there as if it were somebody else's.
type forbidding struct{ status int }

func (f forbidding) Collect(context.Context, string) (oci.Set, error) {
	return oci.Set{}, &registry.Error{Op: "reading", Ref: "x", Err: &transport.Error{StatusCode: f.status}}
}

// signer has a key of its own.
func signer(t *testing.T) *sign.Signer {
	t.Helper()
	keys, err := cosign.GenerateKeyPair(func(bool) ([]byte, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cosign.key")
	if err := os.WriteFile(path, keys.PrivateBytes, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := sign.Open(sign.Options{Key: path})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAttest(t *testing.T) {
	f := bundling(t)
	b := f.builder()
	built := f.build(b, f.plan(b, f.recipe(""), builder.Keep), t.TempDir())
	found, err := image.At(built.Path).Collect(built.Digest)
	if err != nil {
		t.Fatal(err)
	}
	a := publish.Attestor{Signer: signer(t), Registry: forbidding{http.StatusForbidden}}
	got, err := a.Attest(t.Context(), "registry.example.com/thing", found)
	// An index, two manifests, and three documents of each, attached to it and
	// to the index.
	if err != nil || len(got.Referrers) != 3+2*3*2 {
		t.Errorf("Attest() for a new repository = %d referrers, %v", len(got.Referrers), err)
	}
	a.Registry = forbidding{http.StatusBadGateway}
	if _, err := a.Attest(t.Context(), "registry.example.com/thing", found); err == nil {
		t.Error("Attest() does not care that the registry is in trouble")
	}

	a.Registry = nil
	found.Referrers = append(found.Referrers, got.Referrers...)
	for _, tt := range []struct {
		name, builder, run string
		want               int
	}{
		{"again", "", "", 0},
		// The provenance of two manifests, attached to them and to the index.
		{"by a platform", "https://ci.example.com", "run/1", 2 * 2},
		{"by its next run", "https://ci.example.com", "run/2", 0},
	} {
		a.Invocation = provenance.Invocation{BuilderID: tt.builder, ID: tt.run}
		more, err := a.Attest(t.Context(), "registry.example.com/thing", found)
		if err != nil || len(more.Referrers) != tt.want {
			t.Errorf("Attest() %s = %d referrers, %v, want %d", tt.name, len(more.Referrers), err, tt.want)
		}
		found.Referrers = append(found.Referrers, more.Referrers...)
	}

	found.Referrers = append(found.Referrers, second(t, found))
	var ambiguous *failure.Error
	if _, err := a.Attest(t.Context(), "registry.example.com/thing", found); !errors.As(err, &ambiguous) || ambiguous.ExitCode() != 13 {
		t.Errorf("Attest() of two bills of materials = %v", err)
	}
}

// second is a bill of materials like the first one, in other words.
func second(t *testing.T, c oci.Set) v1.Image {
	t.Helper()
	for _, r := range c.Referrers {
		subject, told, ok, err := oci.ReadReferrer(r, sbom.SPDXMediaType)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			continue
		}
		told.Content = append(told.Content, '\n')
		for _, img := range c.Images {
			if digest, err := img.Digest(); err == nil && digest == subject {
				out, err := oci.NewReferrer(img, told)
				if err != nil {
					t.Fatal(err)
				}
				return out
			}
		}
	}
	t.Fatal("no bill of materials is attached")
	return nil
}

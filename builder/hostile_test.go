package builder_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/judge"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/registry"
	"github.com/pgext/pgext/internal/session"
	"github.com/pgext/pgext/internal/verify"
	"github.com/pgext/pgext/sbom"
)

// archiveOf is a tar archive of empty files and of one device.
func archiveOf(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []tar.Header{{Name: "lib/a", Mode: 0o644}, {Name: "lib/null", Typeflag: tar.TypeChar, Mode: 0o666, Devmajor: 1, Devminor: 3}} {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestVerifyHostile: layers that no SBOM can be right about, though the one that
// is attached lists every file.
func TestVerifyHostile(t *testing.T) {
	good := archiveOf(t)
	for _, tc := range []struct {
		name   string
		layer  []byte
		absent bool // the blob was lost
		want   string
	}{
		{"lost", good, true, "layers: the layers do not match the manifest: "},
		{"device", good, false, "sbom files: the SBOM does not match the layers: lib/null: a device, pipe or socket, which an SBOM cannot list"},
		{"half", good[:1400], false, "layers: the layers do not match the manifest: "},
		{"text", []byte(strings.Repeat("text ", 500)), false, "layers: the layers do not match the manifest: "},
		{"cut gzip", []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"), false, "layers: the layers do not match the manifest: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			img, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), static.NewLayer(tc.layer, types.OCIUncompressedLayer))
			if err != nil {
				t.Fatal(err)
			}
			digest, err := img.Digest()
			if err != nil {
				t.Fatal(err)
			}
			document := sbom.Document{OutputVersion: 1, Image: sbom.Image{Name: "x", Version: "1", Arch: "amd64", Digest: digest.String()}, Files: []sbom.File{{
				Path: "lib/a", SHA1: "da39a3ee5e6b4b0d3255bfef95601890afd80709", SHA256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			}}}
			spdx, err := document.SPDX()
			if err != nil {
				t.Fatal(err)
			}
			r, err := oci.NewReferrer(img, oci.Referrer{ArtifactType: "application/spdx+json", Content: spdx})
			if err != nil {
				t.Fatal(err)
			}
			if err := image.At(dir).Write(t.Context(), image.Output{Set: oci.Set{Images: []v1.Image{img}, Referrers: []v1.Image{r}}, Tags: []string{"x"}}); err != nil {
				t.Fatal(err)
			}
			if sum := sha256.Sum256(tc.layer); tc.absent {
				if err := os.Remove(filepath.Join(dir, "blobs", "sha256", hex.EncodeToString(sum[:]))); err != nil {
					t.Fatal(err)
				}
			}
			got, err := judge.Verify(t.Context(), session.New(session.Options{Cache: newCache(t)}), registry.New(registry.Options{}), oci.Ref{Layout: dir, Tag: "x"}, judge.VerifyOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if !failsWith(got.Result, tc.want) {
				t.Errorf("no check fails with %q: %v", tc.want, got.Checks)
			}
			var untrusted *failure.Error
			if err := got.Err(); !errors.As(err, &untrusted) || untrusted.ExitCode() != 13 {
				t.Errorf("Err() = %v", err)
			}
		})
	}
}

func failsWith(r verify.Result, want string) bool {
	for _, c := range r.Checks {
		if c.Status == verify.Fail && strings.HasPrefix(c.Name+": "+c.Detail, want) {
			return true
		}
	}
	return false
}

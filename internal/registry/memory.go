package registry

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pgext/pgext/internal/digest"
	"github.com/pgext/pgext/internal/oci"
)

// Memory returns a writable registry in memory with the referrers API, for
// demonstrations and tests.
func Memory() http.Handler {
	return &memory{refuseTruncated(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true)))}
}

// refuseTruncated refuses truncated manifests, which the registry of the library
// accepts.
func refuseTruncated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodPut && strings.Contains(req.URL.Path, "/manifests/") {
			body, err := io.ReadAll(io.LimitReader(req.Body, oci.MaxManifest+1))
			if err != nil || len(body) > oci.MaxManifest {
				refusal{http.StatusBadRequest, "MANIFEST_INVALID", "the manifest is truncated"}.write(w)
				return
			}
			req.Body = io.NopCloser(bytes.NewReader(body))
		}
		next.ServeHTTP(w, req)
	})
}

// memory adds to the lists of referrers of the library's registry the artifactType
// and the filter, which it does not support.
type memory struct {
	next http.Handler
}

// ServeHTTP implements http.Handler.
func (m *memory) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	repo, subject, ok := strings.Cut(req.URL.Path, "/referrers/")
	if !ok || req.Method != http.MethodGet || !digest.IsNamed(subject) {
		m.next.ServeHTTP(w, req)
		return
	}
	listing := m.get(req, req.URL.Path)
	var listed v1.IndexManifest
	if listing.status != http.StatusOK || json.Unmarshal(listing.body.Bytes(), &listed) != nil {
		m.next.ServeHTTP(w, req)
		return
	}
	wanted := req.URL.Query().Get("artifactType")
	var all []v1.Descriptor
	for _, d := range listed.Manifests {
		doc, err := oci.ParseManifest(m.get(req, repo+"/manifests/"+d.Digest.String()).body.Bytes())
		if err != nil {
			continue
		}
		d.ArtifactType, d.Annotations = doc.ReferrerType(), doc.Annotations
		if wanted == "" || d.ArtifactType == wanted {
			all = append(all, d)
		}
	}
	if wanted != "" {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	writeJSON(w, req, string(types.OCIImageIndex), referrersIndex(all))
}

func (m *memory) get(req *http.Request, path string) *recorder {
	inner := req.Clone(req.Context())
	inner.URL.Path, inner.URL.RawQuery = path, ""
	r := &recorder{header: http.Header{}, status: http.StatusOK}
	m.next.ServeHTTP(r, inner)
	return r
}

// recorder is a response kept in memory.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (r *recorder) Header() http.Header { return r.header }

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) { r.status = status }

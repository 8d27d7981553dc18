package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pgext/pgext/internal/digest"
	"github.com/pgext/pgext/internal/oci"
)

// repository is a layout below the root.
type repository struct {
	root *os.Root
	name string
}

// index reads index.json.
func (r repository) index() ([]v1.Descriptor, error) {
	raw, err := r.read("index.json", oci.MaxLayoutIndex)
	if err != nil {
		return nil, err
	}
	var m v1.IndexManifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, err
	}
	return m.Manifests, nil
}

func (r repository) read(file string, limit int64) ([]byte, error) {
	f, err := r.open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(raw)) > limit {
		err = fmt.Errorf("%s: more than %d bytes", file, limit)
	}
	return raw, err
}

func (r repository) open(file string) (*os.File, error) {
	return r.root.Open(path.Join(r.name, "oci", file))
}

// blob returns the name of a blob's file. hash is a valid digest.
func (r repository) blob(hash string) string {
	return path.Join("blobs", "sha256", hash[len("sha256:"):])
}

// servedManifest is a manifest of a layout.
type servedManifest struct {
	oci.Manifest
	raw  []byte
	kind types.MediaType
}

// manifest reads a manifest and verifies its digest.
func (r repository) manifest(hash string) (servedManifest, error) {
	raw, err := r.read(r.blob(hash), oci.MaxManifest)
	if err != nil {
		return servedManifest{}, err
	}
	if h, _, err := v1.SHA256(bytes.NewReader(raw)); err != nil || h.String() != hash {
		return servedManifest{}, fmt.Errorf("blob %s: digest mismatch: got %s", hash, h)
	}
	m, err := oci.ParseManifest(raw)
	if err != nil {
		return servedManifest{}, fmt.Errorf("blob %s: %w", hash, err)
	}
	kind, err := m.Kind()
	return servedManifest{m, raw, kind}, err
}

func (r repository) serveManifest(w http.ResponseWriter, req *http.Request, index []v1.Descriptor, ref string) {
	hash := ref
	if !digest.IsNamed(ref) {
		i := slices.IndexFunc(index, func(d v1.Descriptor) bool { return d.Annotations[oci.RefName] == ref })
		if i < 0 {
			manifestUnknown.write(w)
			return
		}
		hash = index[i].Digest.String()
	}
	if !digest.IsNamed(hash) {
		digestInvalid.write(w)
		return
	}
	m, err := r.manifest(hash)
	if err != nil {
		manifestUnknown.write(w)
		return
	}
	w.Header().Set("Docker-Content-Digest", hash)
	w.Header().Set("ETag", `"`+hash+`"`)
	writeBytes(w, req, string(m.kind), m.raw)
}

// serveBlob serves a blob; net/http handles ranges and conditions.
func (r repository) serveBlob(w http.ResponseWriter, req *http.Request, hash string) {
	if !digest.IsNamed(hash) {
		digestInvalid.write(w)
		return
	}
	f, err := r.open(r.blob(hash))
	if err != nil {
		blobUnknown.write(w)
		return
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		blobUnknown.write(w)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Docker-Content-Digest", hash)
	w.Header().Set("ETag", `"`+hash+`"`)
	http.ServeContent(w, req, "", time.Time{}, f)
}

func (r repository) serveTags(w http.ResponseWriter, req *http.Request, index []v1.Descriptor) {
	var tags []string
	for _, d := range index {
		if tag := d.Annotations[oci.RefName]; tag != "" {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	if page, ok := paginate(w, req, slices.Compact(tags)); ok {
		writeJSON(w, req, "application/json", map[string]any{"name": r.name, "tags": page})
	}
}

// serveReferrers lists the untagged entries with subject hash (OCI Distribution
// Specification 1.1, "Listing Referrers"). The list of an unknown subject is empty.
func (r repository) serveReferrers(w http.ResponseWriter, req *http.Request, index []v1.Descriptor, hash string) {
	if !digest.IsNamed(hash) {
		digestInvalid.write(w)
		return
	}
	wanted := req.URL.Query().Get("artifactType")
	var all []v1.Descriptor
	for _, entry := range index {
		if entry.Annotations[oci.RefName] != "" || !digest.IsNamed(entry.Digest.String()) {
			continue
		}
		m, err := r.manifest(entry.Digest.String())
		if err != nil || m.Subject == nil || m.Subject.Digest.String() != hash {
			continue
		}
		listed := v1.Descriptor{
			MediaType: m.kind, Digest: entry.Digest, Size: int64(len(m.raw)),
			ArtifactType: m.ReferrerType(), Annotations: m.Annotations,
		}
		if wanted == "" || listed.ArtifactType == wanted {
			all = append(all, listed)
		}
	}
	if wanted != "" {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	writeJSON(w, req, string(types.OCIImageIndex), referrersIndex(all))
}

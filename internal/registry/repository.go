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
)

const (
	// maxManifest is what the distribution specification wants registries to
	// take at least, in bytes.
	maxManifest = 4 << 20
	// maxIndex bounds a layout's index.json, in bytes.
	maxIndex = 32 << 20
	// refName is the annotation that names a tag in a layout.
	refName = "org.opencontainers.image.ref.name"
)

// repository is one layout below the root.
type repository struct {
	root *os.Root
	name string
}

// index reads index.json, afresh for each request.
func (r repository) index() ([]v1.Descriptor, error) {
	raw, err := r.read("index.json", maxIndex)
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

// blob opens a blob; the digest was checked against its pattern.
func (r repository) blob(hash string) string {
	return path.Join("blobs", "sha256", hash[len("sha256:"):])
}

// document is the part of a manifest that decides how it is served.
type document struct {
	Version      int               `json:"schemaVersion"`
	MediaType    types.MediaType   `json:"mediaType"`
	ArtifactType string            `json:"artifactType"`
	Annotations  map[string]string `json:"annotations"`
	Manifests    []struct{}        `json:"manifests"`
	Config       *v1.Descriptor    `json:"config"`
	Layers       []struct{}        `json:"layers"`
	Subject      *v1.Descriptor    `json:"subject"`
}

// kind is the media type to serve the manifest with; "" when it is none, or an
// image and an index at once, which is another thing to everybody. Its own field
// is optional in OCI.
func (d document) kind() types.MediaType {
	switch {
	case d.Version != 2, d.Manifests != nil && (d.Config != nil || d.Layers != nil):
		return ""
	case d.MediaType.IsIndex() || d.MediaType.IsImage():
		return d.MediaType
	case d.MediaType != "":
		return ""
	case d.Manifests != nil:
		return types.OCIImageIndex
	case d.Config != nil:
		return types.OCIManifestSchema1
	}
	return ""
}

// manifest reads a manifest and verifies its digest.
func (r repository) manifest(hash string) ([]byte, document, error) {
	raw, err := r.read(r.blob(hash), maxManifest)
	if err != nil {
		return nil, document{}, err
	}
	if h, _, err := v1.SHA256(bytes.NewReader(raw)); err != nil || h.String() != hash {
		return nil, document{}, fmt.Errorf("blob %s is damaged", hash)
	}
	var d document
	if err := json.Unmarshal(raw, &d); err != nil || d.kind() == "" {
		return nil, document{}, fmt.Errorf("blob %s is no manifest", hash)
	}
	return raw, d, nil
}

func (r repository) serveManifest(w http.ResponseWriter, req *http.Request, index []v1.Descriptor, ref string) {
	hash := ref
	if !digest.IsNamed(ref) {
		i := slices.IndexFunc(index, func(d v1.Descriptor) bool { return d.Annotations[refName] == ref })
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
	raw, d, err := r.manifest(hash)
	if err != nil {
		manifestUnknown.write(w)
		return
	}
	w.Header().Set("Docker-Content-Digest", hash)
	w.Header().Set("ETag", `"`+hash+`"`)
	writeBytes(w, req, string(d.kind()), raw)
}

// serveBlob leaves ranges and conditions to net/http.
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
		if tag := d.Annotations[refName]; tag != "" {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	if page, ok := paginate(w, req, slices.Compact(tags)); ok {
		writeJSON(w, req, "application/json", map[string]any{"name": r.name, "tags": page})
	}
}

// serveReferrers lists the untagged entries whose subject is digest (OCI
// distribution specification 1.1, listing referrers). A subject that is not
// there has none, which is no error.
func (r repository) serveReferrers(w http.ResponseWriter, req *http.Request, index []v1.Descriptor, hash string) {
	if !digest.IsNamed(hash) {
		digestInvalid.write(w)
		return
	}
	wanted := req.URL.Query().Get("artifactType")
	var all []v1.Descriptor
	for _, entry := range index {
		if entry.Annotations[refName] != "" || !digest.IsNamed(entry.Digest.String()) {
			continue
		}
		raw, d, err := r.manifest(entry.Digest.String())
		if err != nil || d.Subject == nil || d.Subject.Digest.String() != hash {
			continue
		}
		described := v1.Descriptor{
			MediaType: d.kind(), Digest: entry.Digest, Size: int64(len(raw)),
			ArtifactType: d.artifactType(), Annotations: d.Annotations,
		}
		if wanted == "" || described.ArtifactType == wanted {
			all = append(all, described)
		}
	}
	if wanted != "" {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	writeJSON(w, req, string(types.OCIImageIndex), referrersIndex(all))
}

// artifactType is the manifest's own or, for want of one, its config's media
// type, as the specification says.
func (d document) artifactType() string {
	if d.ArtifactType == "" && d.Config != nil {
		return string(d.Config.MediaType)
	}
	return d.ArtifactType
}

package registry

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pgext/pgext/internal/failure"
)

// namePattern is the grammar of names in the OCI Distribution Specification.
var namePattern = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)

// Server is a read-only registry of the layouts in a folder: DIST/<image>/oci is the
// repository <image>. It keeps nothing in memory, so the next request serves what a
// build has changed. The response to other methods is 405.
type Server struct {
	root *os.Root
}

// NewServer returns the server of dist, which must exist. Call Close to release
// it.
func NewServer(dist string) (*Server, error) {
	root, err := os.OpenRoot(dist)
	if err != nil {
		return nil, failure.New(failure.Other, "name the output folder of pgext build, which is dist by default", "serving %s: %w", dist, err)
	}
	return &Server{root}, nil
}

// Close releases the folder.
func (s *Server) Close() error { return s.root.Close() }

// refusal is an error response.
type refusal struct {
	status        int
	code, message string
}

func (r refusal) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.status)
	_ = json.NewEncoder(w).Encode(map[string]any{ // fails if the client has disconnected
		"errors": []map[string]string{{"code": r.code, "message": r.message}},
	})
}

var (
	nameUnknown     = refusal{http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to registry"}
	nameInvalid     = refusal{http.StatusBadRequest, "NAME_INVALID", "invalid repository name"}
	manifestUnknown = refusal{http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown to registry"}
	blobUnknown     = refusal{http.StatusNotFound, "BLOB_UNKNOWN", "blob unknown to registry"}
	digestInvalid   = refusal{http.StatusBadRequest, "DIGEST_INVALID", "provided digest is not a SHA-256 digest"}
	readOnly        = refusal{http.StatusMethodNotAllowed, "UNSUPPORTED", "this registry is read-only"}
	damaged         = refusal{http.StatusInternalServerError, "UNKNOWN", "the layout is damaged"}
)

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Docker-Distribution-API-Version", "registry/2.0")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		readOnly.write(w)
		return
	}
	path, ok := strings.CutPrefix(req.URL.Path, "/v2/")
	switch {
	case !ok && req.URL.Path != "/v2":
		refusal{http.StatusNotFound, "UNSUPPORTED", "the API begins at /v2/"}.write(w)
	case path == "":
		writeJSON(w, req, "application/json", struct{}{})
	case path == "_catalog":
		s.catalog(w, req)
	default:
		s.repository(w, req, path)
	}
}

// repository serves <name>/<kind>/<what>; names may contain slashes.
func (s *Server) repository(w http.ResponseWriter, req *http.Request, path string) {
	parts := strings.Split(path, "/")
	if len(parts) < 3 {
		nameInvalid.write(w)
		return
	}
	n := len(parts)
	name, kind, what := strings.Join(parts[:n-2], "/"), parts[n-2], parts[n-1]
	if !namePattern.MatchString(name) {
		nameInvalid.write(w)
		return
	}
	repo := repository{s.root, name}
	index, err := repo.index()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		nameUnknown.write(w)
	case err != nil:
		damaged.write(w)
	case kind == "manifests":
		repo.serveManifest(w, req, index, what)
	case kind == "blobs":
		repo.serveBlob(w, req, what)
	case kind == "tags" && what == "list":
		repo.serveTags(w, req, index)
	case kind == "referrers":
		repo.serveReferrers(w, req, index, what)
	default:
		refusal{http.StatusNotFound, "UNSUPPORTED", "no such endpoint"}.write(w)
	}
}

// catalog lists the repositories.
func (s *Server) catalog(w http.ResponseWriter, req *http.Request) {
	var names []string
	err := fs.WalkDir(s.root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || d.Name() != "oci" {
			return err
		}
		if name := strings.TrimSuffix(path, "/oci"); namePattern.MatchString(name) {
			if _, err := (repository{s.root, name}).index(); err == nil {
				names = append(names, name)
			}
		}
		return fs.SkipDir
	})
	if err != nil {
		damaged.write(w)
		return
	}
	page, ok := paginate(w, req, names)
	if ok {
		writeJSON(w, req, "application/json", map[string][]string{"repositories": page})
	}
}

// paginate returns the page of a sorted list that the parameters n and last
// request, and sets the link to the next page.
func paginate(w http.ResponseWriter, req *http.Request, all []string) ([]string, bool) {
	query := req.URL.Query()
	if last := query.Get("last"); last != "" {
		for len(all) > 0 && all[0] <= last {
			all = all[1:]
		}
	}
	if text := query.Get("n"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			refusal{http.StatusBadRequest, "PAGINATION_NUMBER_INVALID", "n must be a number"}.write(w)
			return nil, false
		}
		if n > 0 && n < len(all) {
			query.Set("last", all[n-1])
			w.Header().Set("Link", "<"+req.URL.Path+"?"+query.Encode()+`>; rel="next"`)
		}
		all = all[:min(n, len(all))]
	}
	if all == nil {
		all = []string{}
	}
	return all, true
}

func writeJSON(w http.ResponseWriter, req *http.Request, mediaType string, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		damaged.write(w)
		return
	}
	writeBytes(w, req, mediaType, raw)
}

func writeBytes(w http.ResponseWriter, req *http.Request, mediaType string, raw []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(raw)))
	if req.Method != http.MethodHead {
		_, _ = w.Write(raw) // fails if the client has disconnected
	}
}

// referrersIndex returns the response of the referrers API.
func referrersIndex(all []v1.Descriptor) v1.IndexManifest {
	if all == nil {
		all = []v1.Descriptor{}
	}
	return v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: all}
}

package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Grammar of the OCI distribution specification.
var (
	namePattern = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
)

// Server is a read-only registry over a folder of layouts: DIST/<image>/oci is
// the repository <image>. It keeps nothing in memory, so what a build changes
// is served by the next request. Requests that would write get 405.
type Server struct {
	root *os.Root
}

// NewServer returns the server of dist, which must exist. Close frees it.
func NewServer(dist string) (*Server, error) {
	root, err := os.OpenRoot(dist)
	if err != nil {
		return nil, &NoDistError{dist, err}
	}
	return &Server{root}, nil
}

// NoDistError says that there is no folder of images to serve.
type NoDistError struct {
	Dir string
	// Err is the operating system's reason.
	Err error
}

func (e *NoDistError) Error() string { return fmt.Sprintf("serving %s: %v", e.Dir, e.Err) }

// Unwrap returns the operating system's reason.
func (e *NoDistError) Unwrap() error { return e.Err }

// Hint says who makes the folder.
func (*NoDistError) Hint() string {
	return "name the folder that pgext build --output has written to, dist when it was not given"
}

// Close frees the folder.
func (s *Server) Close() error { return s.root.Close() }

// refusal is an answer of the error kind.
type refusal struct {
	status        int
	code, message string
}

func (r refusal) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.status)
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client is gone when this fails
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
	damaged         = refusal{http.StatusInternalServerError, "UNKNOWN", "the layout cannot be read"}
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

// repository serves <name>/<kind>/<what>; names may hold slashes.
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

// paginate returns the part of a sorted list that n and last ask for, and
// links to the next.
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
		_, _ = w.Write(raw) //nolint:gosec // JSON with its own type and nosniff; fails when the client is gone
	}
}

// referrersIndex is the answer of the referrers API.
func referrersIndex(all []v1.Descriptor) v1.IndexManifest {
	if all == nil {
		all = []v1.Descriptor{}
	}
	return v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: all}
}

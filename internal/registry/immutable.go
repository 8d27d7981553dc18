package registry

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/pgext/pgext/internal/failure"
)

// fixedError returns the error for a tag that the registry refuses to move because
// it is configured so.
func fixedError(tag string, err error) error {
	hint := "make tags of the repository immutable only if they contain a time: the others name the newest build"
	if strings.HasPrefix(tag, "sha256-") {
		hint = "exempt tags that begin with sha256- from immutability in the registry: they list what is attached to an image"
	}
	return failure.New(failure.Registry, hint, "the registry refuses to move the tag: %w", err)
}

// keepsTags reports whether err is the response of a registry with immutable tags:
// 400 from Amazon, 409 from Google and Azure, 412 from Harbor. Registries also
// respond with 400 to an invalid manifest.
func keepsTags(err error) bool {
	var response *transport.Error
	if errors.As(err, &response) && response.StatusCode == http.StatusBadRequest && slices.ContainsFunc(response.Errors, aboutManifest) {
		return false
	}
	return hasStatus(err, http.StatusBadRequest, http.StatusConflict, http.StatusPreconditionFailed)
}

// aboutManifest reports whether an error code of the distribution specification is
// about a manifest.
func aboutManifest(d transport.Diagnostic) bool {
	return strings.HasPrefix(string(d.Code), "MANIFEST_")
}

package registry

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// FixedError says that a registry did not let a tag move that it has already, as
// some are told to.
type FixedError struct {
	Tag string
	Err error
}

func (e *FixedError) Error() string { return "the registry does not let it move: " + e.Err.Error() }

// Unwrap returns the registry's answer.
func (e *FixedError) Unwrap() error { return e.Err }

// ExitCode is that of registry errors.
func (*FixedError) ExitCode() int { return exitCode }

// Hint says what to change in the registry.
func (e *FixedError) Hint() string {
	if strings.HasPrefix(e.Tag, "sha256-") {
		return "where tags of the repository are immutable, except those that begin with sha256-: what is attached to an image is listed there"
	}
	return "where tags of the repository are immutable, except those without a time in them: they name the newest build"
}

// keepsTags tells the answers of registries whose tags are immutable: 400 is
// Amazon's, 409 Google's and Azure's, 412 Harbor's. With 400 registries find
// fault with manifests, too.
func keepsTags(err error) bool {
	var answer *transport.Error
	if errors.As(err, &answer) && answer.StatusCode == http.StatusBadRequest && slices.ContainsFunc(answer.Errors, aboutManifest) {
		return false
	}
	return hasStatus(err, http.StatusBadRequest, http.StatusConflict, http.StatusPreconditionFailed)
}

// aboutManifest tells the codes of the distribution specification that are about
// a manifest.
func aboutManifest(d transport.Diagnostic) bool {
	return strings.HasPrefix(string(d.Code), "MANIFEST_")
}

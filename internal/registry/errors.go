package registry

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/redact"
	"github.com/pgext/pgext/internal/text"
)

// exitCode is the exit code of registry errors.
const exitCode = int(failure.Registry)

// Error is the error of an operation on a registry. Its text has no credentials and
// no query of a URL.
type Error struct {
	// Op is the operation: "pushing", "resolving", …
	Op string
	// Ref is the repository, tag or digest of the operation.
	Ref string
	Err error
}

// maxReason bounds the part of a registry's response in a message, in bytes.
const maxReason = 1000

func (e *Error) Error() string {
	return e.Op + " " + e.Ref + ": " + text.TruncateLine(redact.Text(e.Err.Error()), maxReason)
}

// Unwrap returns the cause. Its text may contain credentials.
func (e *Error) Unwrap() error { return e.Err }

// ExitCode returns the exit code of registry errors.
func (e *Error) ExitCode() int { return exitCode }

// Hint returns the next command to try, "" for none.
func (e *Error) Hint() string {
	host, _, _ := strings.Cut(e.Ref, "/")
	hidden := "check the name; a private repository is visible after: docker login " + host
	var missing *NotFoundError
	if errors.As(e.Err, &missing) {
		return hidden
	}
	var inner interface{ Hint() string }
	if errors.As(e.Err, &inner) {
		return inner.Hint()
	}
	var status *transport.Error
	if !errors.As(e.Err, &status) {
		var dns *net.DNSError
		if isTemporary(e.Err) || errors.As(e.Err, &dns) {
			return "check that " + host + " is reachable, and run the command again: it continues"
		}
		return ""
	}
	switch code := status.StatusCode; {
	case code == http.StatusUnauthorized:
		return "docker login " + host
	case code == http.StatusForbidden:
		return "docker login " + host + " with an account that has the permission"
	case code == http.StatusNotFound && e.Op == "pushing":
		return "create the repository first: some registries require it"
	case code == http.StatusNotFound:
		return hidden
	case code == http.StatusTooManyRequests:
		return "rate limit of the registry: wait or lower --jobs, and run the command again: it continues"
	case code >= http.StatusInternalServerError:
		return "the registry has a problem: run the command again later: it continues"
	}
	return ""
}

func wrap(op, ref string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Ref: ref, Err: err}
}

var revision = regexp.MustCompile(`-r([0-9]{1,6})$`)

// immutableError returns the error for a tag that never moves and names another
// image. Its hint is the next revision.
func immutableError(tag string, got, want v1.Hash) error {
	n := 0
	if m := revision.FindStringSubmatch(tag); m != nil {
		n, _ = strconv.Atoi(m[1])
	}
	return failure.New(failure.Registry, fmt.Sprintf("publish it beside the old one with --revision %d", n+1),
		"tag %s never moves: it names %s, not %s", tag, got, want)
}

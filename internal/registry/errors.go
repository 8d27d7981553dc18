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

	"github.com/pgext/pgext/internal/redact"
	"github.com/pgext/pgext/internal/text"
)

// exitCode is that of everything a registry refused or failed to do.
const exitCode = 14

// Error is a registry's refusal, or the failure to reach it. Its text holds no
// credentials and no query of a URL.
type Error struct {
	// Op is what was done: "pushing", "resolving", …
	Op string
	// Ref is the repository, tag or digest it was done to.
	Ref string
	Err error
}

// maxReason is how much of a registry's answer a message tells, in bytes.
const maxReason = 1000

func (e *Error) Error() string {
	return e.Op + " " + e.Ref + ": " + text.TruncateLine(redact.Text(e.Err.Error()), maxReason)
}

// Unwrap returns the cause. Its own text may hold what Error leaves out.
func (e *Error) Unwrap() error { return e.Err }

// ExitCode is that of registry errors.
func (e *Error) ExitCode() int { return exitCode }

// Hint says what a user can do about it; "" when nothing general helps.
func (e *Error) Hint() string {
	host, _, _ := strings.Cut(e.Ref, "/")
	hidden := "check the name; private repositories hide until docker login " + host
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
			return "is " + host + " up and reachable? running the command again finishes the work"
		}
		return ""
	}
	switch code := status.StatusCode; {
	case code == http.StatusUnauthorized:
		return "docker login " + host
	case code == http.StatusForbidden:
		return "docker login " + host + " with an account that may do this"
	case code == http.StatusNotFound && e.Op == "pushing":
		return "some registries want the repository created before the first push"
	case code == http.StatusNotFound:
		return hidden
	case code == http.StatusTooManyRequests:
		return "the registry limits requests: wait, or lower --jobs; running the command again finishes the work"
	case code >= http.StatusInternalServerError:
		return "the registry is in trouble; running the command again finishes the work"
	}
	return ""
}

func wrap(op, ref string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Ref: ref, Err: err}
}

// ImmutableError says that a tag which never moves names something else.
type ImmutableError struct {
	Tag       string
	Got, Want v1.Hash
}

func (e *ImmutableError) Error() string {
	return fmt.Sprintf("tag %s never moves, and names %s instead of %s", e.Tag, e.Got, e.Want)
}

// ExitCode is that of registry errors.
func (*ImmutableError) ExitCode() int { return exitCode }

var revision = regexp.MustCompile(`-r([0-9]{1,6})$`)

// Hint names the next free-looking revision.
func (e *ImmutableError) Hint() string {
	n := 0
	if m := revision.FindStringSubmatch(e.Tag); m != nil {
		n, _ = strconv.Atoi(m[1])
	}
	return fmt.Sprintf("--revision %d publishes it beside the old one", n+1)
}

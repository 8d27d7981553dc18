package sign

import (
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/redact"
	"github.com/pgext/pgext/internal/text"
)

// Errors about keys, tokens, services and local files have the exit code
// failure.Other: the input of the user is wrong or a service is unavailable.
// What was received and cannot be trusted has failure.Untrusted.

// keyError returns an error about a signing key. key is the value of
// Options.Key, for the key of a KMS without its query.
func keyError(key, hint string, err error) error {
	return failure.Replace(failure.Other, hint, err, "key %s: %s", redactSecrets(key), safeText(err))
}

// tokenError returns an error about an identity token. The message must contain
// no part of the token.
func tokenError(hint, format string, args ...any) error {
	return failure.New(failure.Other, hint, "identity token: "+format, args...)
}

// servicesError returns an error about the choice of services to sign with.
func servicesError(hint, format string, args ...any) error {
	return failure.New(failure.Other, hint, "services to sign with: "+format, args...)
}

// fileError returns an error about a public key, a trusted root or a signing
// config. file is its name or env://NAME.
func fileError(what, file, hint string, err error) error {
	return failure.Replace(failure.Other, hint, err, "%s %s: %s", what, file, safeText(err))
}

// repositoryError returns an error about fetching a trusted root or a signing
// config. Its exit code is failure.Untrusted if the repository responded with
// metadata that is unsigned, expired or older than the cached version.
func repositoryError(what, mirror, hint string, err error) error {
	code := failure.Other
	if errors.Is(err, &metadata.ErrRepository{}) {
		code = failure.Untrusted
	}
	return failure.Replace(code, hint, err, "fetching the %s from %s: %s", what, redact.Address(mirror), safeText(err))
}

// serviceError returns an error about a request to s. status is 0 if there was
// no response; cause is the transport's error, if any. The message contains
// none of the secrets.
func (s *service) serviceError(status int, reason string, cause error, secrets ...string) error {
	message := s.name + " at " + s.redacted + ": "
	if status != 0 {
		message += strconv.Itoa(status) + " " + http.StatusText(status) + ": "
	}
	message = strings.TrimSuffix(message+truncate(redactSecrets(reason, secrets...)), ": ")
	return failure.Replace(failure.Other, s.hint(status, cause), cause, "%s", message)
}

// hint returns the next step after a failed request; "" if none is known.
func (s *service) hint(status int, cause error) string {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		if s.name == fulcioName {
			return "check that " + s.redacted + " accepts tokens of this issuer with this audience"
		}
		return "the service requires other credentials"
	case errors.Is(cause, errLogged):
		return "use an ECDSA key or a log of version 1: RSA signatures of the same content are identical"
	case status == http.StatusNotFound:
		return "check that " + s.redacted + " is the address of " + s.name
	case status == 0, status == http.StatusTooManyRequests, status >= http.StatusInternalServerError:
		return s.name + " is unavailable or failing; run the command again to finish the work"
	}
	return ""
}

// safeText returns the message of err on one line and without secrets.
func safeText(err error) string { return truncate(redactSecrets(err.Error())) }

var (
	webToken = regexp.MustCompile(`eyJ[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]*)*`)
	bearer   = regexp.MustCompile(`(?i)(bearer)[ :="]+[^\s"]+`)
)

const redacted = "[redacted]"

// redactSecrets removes tokens, credentials and queries of URLs, and the given
// secrets.
func redactSecrets(s string, secrets ...string) string {
	for _, secret := range secrets {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, redacted)
		}
	}
	s = bearer.ReplaceAllString(s, "$1 "+redacted)
	s = webToken.ReplaceAllString(s, redacted)
	return redact.Text(s)
}

// truncate limits foreign text in a message.
func truncate(s string) string { return text.TruncateLine(s, 500) }

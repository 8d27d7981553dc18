package sign

import (
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/pgext/pgext/internal/redact"
	"github.com/pgext/pgext/internal/text"
)

// KeyError says why a key cannot sign. None of these errors has an exit code
// of its own: a key, a token or a service that fails here is the user's, not
// something that was received and cannot be trusted.
type KeyError struct {
	// Key is what Options.Key says, of the key of a KMS without a query.
	Key string
	Err error

	hint string
}

func (e *KeyError) Error() string {
	return "key " + redactSecrets(e.Key) + ": " + redactSecrets(e.Err.Error())
}

// Unwrap returns the cause.
func (e *KeyError) Unwrap() error { return e.Err }

// Hint says what to do about it; "" when nothing general helps.
func (e *KeyError) Hint() string { return e.hint }

// TokenError says why there is no identity token, or why it is of no use. It
// holds no part of one.
type TokenError struct {
	Reason string

	hint string
}

func (e *TokenError) Error() string { return "identity token: " + e.Reason }

// Hint says where a token comes from.
func (e *TokenError) Hint() string { return e.hint }

// ServiceError is the refusal of Fulcio, Rekor, a timestamp authority or a
// provider of tokens, or the failure to reach it.
type ServiceError struct {
	// Service is its name, such as "Rekor"; URL has neither credentials nor
	// query.
	Service, URL string
	// Status is the last answer's; 0 when there was none.
	Status int
	// Reason is the answer's text or the transport's error, without secrets.
	Reason string

	cause error
}

func (e *ServiceError) Error() string {
	text := e.Service
	if e.URL != "" {
		text += " at " + e.URL
	}
	text += ": "
	if e.Status != 0 {
		text += strconv.Itoa(e.Status) + " " + http.StatusText(e.Status) + ": "
	}
	return strings.TrimSuffix(text+e.Reason, ": ")
}

// Unwrap returns the transport's error, such as context.Canceled. Its own text
// may hold what ServiceError leaves out.
func (e *ServiceError) Unwrap() error { return e.cause }

// Hint says what a user can do about it; "" when nothing general helps.
func (e *ServiceError) Hint() string {
	switch {
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		if e.Service == fulcioName {
			return "does " + e.URL + " accept tokens of this issuer, with this audience?"
		}
		return "this service wants other credentials"
	case errors.Is(e.cause, errLogged):
		return "an RSA key makes the same signature each time; an ECDSA key, or a log of version 1, takes it again"
	case e.Status == 0 && e.cause == nil: // it was not asked
		return ""
	case e.Status == http.StatusNotFound:
		return "is " + e.URL + " the address of " + e.Service + "?"
	case e.Status == 0, e.Status == http.StatusTooManyRequests, e.Status >= http.StatusInternalServerError:
		return e.Service + " is out of reach or in trouble; running the command again finishes the work"
	}
	return ""
}

var (
	webToken = regexp.MustCompile(`eyJ[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]*)*`)
	bearer   = regexp.MustCompile(`(?i)(bearer)[ :="]+[^\s"]+`)
)

const redacted = "[redacted]"

// redactSecrets removes what must not be printed: tokens, credentials in URLs
// and their queries, and secrets wherever they stand.
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

// clip bounds what a stranger's answer adds to a message.
func truncate(s string) string { return text.TruncateLine(s, 500) }

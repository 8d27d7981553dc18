package registry

import (
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/pgext/pgext/internal/failure"
)

// exposesSecret reports whether a request would send a password or token without
// encryption to another machine.
func exposesSecret(req *http.Request) bool {
	if req.URL.Scheme == "https" || isLoopback(req.URL.Hostname()) {
		return false
	}
	// A request for a token has the refresh token in a form (OAuth2 of Docker).
	return req.Header.Get("Authorization") != "" || req.Header.Get("Content-Type") == "application/x-www-form-urlencoded"
}

func isLoopback(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host).IsLoopback()
}

// plainError returns the error for a password that was not sent because the
// connection is not encrypted.
func plainError(host string) error {
	return failure.New(failure.Registry,
		"give the registry a certificate (SSL_CERT_FILE names a file with its authority) or use one on loopback; if it needs no password: docker logout "+host,
		"%s does not use TLS: its password would be sent unencrypted", host)
}

// credentialsError returns the error for credentials that the configuration of
// docker or podman does not provide.
func credentialsError(err error) error {
	return failure.New(failure.Registry,
		"check config.json in ~/.docker or $DOCKER_CONFIG: credsStore or credHelpers may name a program docker-credential-NAME that is not installed",
		"reading credentials: %w", err)
}

// lateBody opens its content at the first read.
type lateBody struct {
	open func() (io.ReadCloser, error)
	body io.ReadCloser
}

func (b *lateBody) Read(p []byte) (int, error) {
	if b.body == nil {
		var err error
		if b.body, err = b.open(); err != nil {
			return 0, err
		}
	}
	return b.body.Read(p)
}

func (b *lateBody) Close() error {
	if b.body == nil {
		return nil
	}
	return b.body.Close()
}

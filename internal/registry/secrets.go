package registry

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// tellsAll reports whether a request would show a password or token to whoever
// is on the way: it has one, there is no TLS, and it leaves this machine.
func tellsAll(req *http.Request) bool {
	if req.URL.Scheme == "https" || isLoopback(req.URL.Hostname()) {
		return false
	}
	// A token that asks for another one is in a form (Docker's OAuth2).
	return req.Header.Get("Authorization") != "" || req.Header.Get("Content-Type") == "application/x-www-form-urlencoded"
}

func isLoopback(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host).IsLoopback()
}

// PlainError says that a password was not sent, since anybody could read it.
type PlainError struct{ Host string }

func (e *PlainError) Error() string {
	return fmt.Sprintf("%s does not speak TLS, and there is a password for it: anybody on the way could read it", e.Host)
}

// ExitCode is that of registry errors.
func (*PlainError) ExitCode() int { return exitCode }

// Hint says what would help.
func (e *PlainError) Hint() string {
	return "give the registry a certificate (SSL_CERT_FILE names a file with its authority), or use one on loopback; where none is needed, docker logout " + e.Host
}

// CredentialsError says that docker's or podman's configuration does not give
// the credentials that it names.
type CredentialsError struct{ Err error }

func (e *CredentialsError) Error() string { return "reading credentials: " + e.Err.Error() }

// Unwrap returns what is wrong.
func (e *CredentialsError) Unwrap() error { return e.Err }

// ExitCode is that of registry errors.
func (*CredentialsError) ExitCode() int { return exitCode }

// Hint says where they come from.
func (*CredentialsError) Hint() string {
	return "config.json in ~/.docker, or in $DOCKER_CONFIG, says where credentials are: mend it, or install the program docker-credential-NAME that credsStore or credHelpers names"
}

// lateBody opens when it is read.
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

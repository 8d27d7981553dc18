// Package imagetest tests finished images: on a real PostgreSQL server with the
// images that they require, as an upgrade from an earlier image, or by their
// files alone where this machine cannot run the server.
package imagetest

import "github.com/pgext/pgext/internal/session"

// Tester tests images. It is safe for concurrent use.
type Tester struct {
	s *session.Session
}

// New returns a Tester.
func New(s *session.Session) *Tester { return &Tester{s} }

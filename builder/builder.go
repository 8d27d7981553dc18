package builder

import "github.com/pgext/pgext/internal/session"

// Builder builds recipes. It is safe for concurrent use.
type Builder struct {
	s *session.Session
}

// New returns a Builder.
func New(s *session.Session) *Builder { return &Builder{s} }

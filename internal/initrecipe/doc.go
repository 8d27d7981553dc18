// Package initrecipe writes recipes: it looks into packages of an archive,
// classifies them, and finds by a test on a real server what a recipe has to
// set.
package initrecipe

import (
	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/imagetest"
	"github.com/pgext/pgext/internal/session"
)

// Finder finds the contents of recipes. It is safe for concurrent use.
type Finder struct {
	s      *session.Session
	b      *builder.Builder
	tester *imagetest.Tester
}

// New returns a Finder.
func New(s *session.Session) *Finder {
	return &Finder{s, builder.New(s), imagetest.New(s)}
}

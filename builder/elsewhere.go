package builder

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/recipe"
)

// ElsewhereError is about a package that the archives of a target lack, and
// those of other distributions have.
type ElsewhereError struct {
	// Err is what the resolution of the target came to.
	Err error
	// Name is the package.
	Name string
	// Found names the distributions with the version each has.
	Found []string
}

func (e *ElsewhereError) Error() string { return e.Err.Error() }

// Unwrap returns what the resolution came to.
func (e *ElsewhereError) Unwrap() error { return e.Err }

// ExitCode returns 12: nothing in the archives satisfies it.
func (*ElsewhereError) ExitCode() int { return 12 }

// Hint names the distributions.
func (e *ElsewhereError) Hint() string {
	return fmt.Sprintf("other distributions have %s: %s; choose one with --distro or targets", e.Name, strings.Join(e.Found, ", "))
}

// elsewhere looks for an unknown package in the same built-in archives of the
// other distributions. What cannot be read there is no news: err is the one
// to tell then.
func (b *Builder) elsewhere(ctx context.Context, t recipe.Target, arch string, err error) error {
	var unknown *apt.UnknownError
	if !errors.As(err, &unknown) || len(unknown.Providers) > 0 || len(t.Archives) > 0 {
		return err
	}
	distros := recipe.Distros()
	found := make([]string, len(distros))
	group, ctx := errgroup.WithContext(ctx)
	for i, distro := range distros {
		if distro == t.Distro || distro == "experimental" {
			continue
		}
		group.Go(func() error {
			found[i] = b.versionIn(ctx, distro, arch, unknown.Name)
			return nil
		})
	}
	if waitErr := group.Wait(); waitErr != nil {
		return err
	}
	e := &ElsewhereError{Err: err, Name: unknown.Name}
	for i, version := range found {
		if version != "" {
			e.Found = append(e.Found, fmt.Sprintf("%s (%s)", distros[i], version))
		}
	}
	if len(e.Found) == 0 {
		return err
	}
	return e
}

// versionIn returns the version of a package that Debian's archive has for a
// distribution; "" when it has none, or cannot be read. A hint may come from
// an archive past its date.
func (b *Builder) versionIn(ctx context.Context, distro, arch, name string) string {
	a, err := archive.Builtin(archive.Debian, distro)
	if err != nil {
		return ""
	}
	o := b.archiveOptions()
	o.AllowExpired = true
	opened, err := archive.Open(ctx, a, []string{arch}, o)
	if err != nil {
		return ""
	}
	ix, err := apt.Load(ctx, b.o.Cache, indexFiles([]*archive.Opened{opened}), arch)
	if err != nil {
		return ""
	}
	p, _ := ix.Candidate(name)
	return p.Version
}

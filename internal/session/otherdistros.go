package session

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/recipe"
)

// OtherDistros returns err with a hint if err is about an unknown package that
// the built-in archives of other distributions have. Archives that cannot be
// read are skipped.
func (s *Session) OtherDistros(ctx context.Context, t recipe.Target, arch string, err error) error {
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
			found[i] = s.versionIn(ctx, distro, arch, unknown.Name)
			return nil
		})
	}
	if waitErr := group.Wait(); waitErr != nil {
		return err
	}
	var others []string
	for i, version := range found {
		if version != "" {
			others = append(others, fmt.Sprintf("%s (%s)", distros[i], version))
		}
	}
	if len(others) == 0 {
		return err
	}
	return failure.Wrap(failure.Unavailable, fmt.Sprintf("other distributions have %s: %s; choose one with --distro or targets",
		unknown.Name, strings.Join(others, ", ")), err)
}

// versionIn returns the version of a package in Debian's archive for a
// distribution, "" if it has none or cannot be read. Expired archives are
// accepted, since the result is a hint only.
func (s *Session) versionIn(ctx context.Context, distro, arch, name string) string {
	a, err := archive.Builtin(archive.Debian, distro)
	if err != nil {
		return ""
	}
	o := s.ArchiveOptions()
	o.AllowExpired = true
	opened, err := archive.Open(ctx, a, []string{arch}, o)
	if err != nil {
		return ""
	}
	ix, err := apt.Load(ctx, s.Cache, indexFiles([]*archive.Opened{opened}), arch)
	if err != nil {
		return ""
	}
	p, _ := ix.Candidate(name)
	return p.Version
}

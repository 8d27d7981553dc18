package imagetest

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/pgext/pgext/internal/base"
	"github.com/pgext/pgext/internal/inspect"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/recipe"
)

// ForeignError is the error for an image whose labels and files do not name the
// distribution.
type ForeignError struct {
	Image string
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("testing %s: it has no label %s, and its distribution is unknown", e.Image, metadata.Label)
}

// Hint names the flag for the distribution.
func (*ForeignError) Hint() string { return "name the distribution with --distro" }

// Foreign returns the architectures of an image that pgext has not built:
// extensions, modules and requirements as its files have them, the server from
// its labels or, where these are silent, from the selection. Its name is that
// of its repository.
func (ts *Tester) Foreign(ctx context.Context, a oci.Set, name string, sel recipe.Selection) ([]Subject, error) {
	s, err := inspect.Inspect(ctx, a, ts.s.Cache)
	if err != nil {
		return nil, err
	}
	var out []Subject
	for n, i := range s.Images {
		if i.Distro == "" && len(sel.Distros) == 1 {
			i.Distro = sel.Distros[0]
		}
		if i.Distro == "" {
			return nil, &ForeignError{Image: name}
		}
		m := i.Derive(repository(name), base.Contrib(i.Postgres))
		out = append(out, Subject{Name: name, Image: a.Images[n], Metadata: m, Derived: true})
	}
	return out, nil
}

// unfit are the characters that no mount folder has.
var unfit = regexp.MustCompile(`[^a-z0-9]+`)

// repository is the last part of an image's name, without tag and digest.
func repository(name string) string {
	name, _, _ = strings.Cut(strings.TrimPrefix(name, "oci:"), "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	name = strings.TrimSuffix(strings.TrimRight(name, "/"), "/oci")
	return cmp.Or(strings.Trim(unfit.ReplaceAllString(strings.ToLower(path.Base(name)), "-"), "-"), "image")
}

package builder

import (
	"context"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/closure"
	"github.com/pgext/pgext/internal/debinfo"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/layout"
)

// extract looks into the packages that the pins name; their files open from
// the cache.
func (b *Builder) extract(ctx context.Context, in inputs) ([]layout.Package, error) {
	wants := in.layoutInput(nil)
	requests := make([]debinfo.Request, len(in.pins.Packages))
	for i, p := range in.pins.Packages {
		requests[i] = debinfo.Request{Name: p.Package, SHA256: p.SHA256, Keep: keep(wants, p.Package, p.Role)}
	}
	all, err := b.s.Debs.ScanAll(ctx, requests)
	if err != nil {
		return nil, err
	}
	out := make([]layout.Package, len(all))
	for i, p := range in.pins.Packages {
		if err := agree(in, p, all[i]); err != nil {
			return nil, err
		}
		out[i] = layoutPackage(pinnedIdentity(p), p.Role, all[i])
	}
	return out, nil
}

// keep selects the files of a package that layout may open. A package of data may
// turn out to supply a bundled library too.
func keep(wants layout.Input, pkg string, role lock.Role) debinfo.Keep {
	return func(e filetree.Entry) bool {
		return role != lock.Extension && closure.Keep(e) || wants.Wants(pkg, role, e.Path)
	}
}

// identity names a package.
type identity struct{ name, version, source, sourceVersion, arch string }

func identityOf(p apt.Package) identity {
	return identity{p.Name, p.Version, p.Source, p.SourceVersion, p.Arch}
}

func layoutPackage(id identity, role lock.Role, c *debinfo.Info) layout.Package {
	return layout.Package{
		Name: id.name, Version: id.version, Source: id.source, Arch: id.arch,
		Role: role, Control: c.Control, Scripts: c.Scripts, Tree: c.Tree, Objects: c.Objects,
	}
}

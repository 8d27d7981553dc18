package apt

import (
	"context"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/debian"
)

// recordKind is the kind of the cache records that hold tables.
const recordKind = "packages"

// Load reads the files for arch, a Debian architecture, and for "all". The order of
// files is that of apt's sources: among equal versions of a name the first file
// counts. Files are parsed in parallel, one per processor, and cached in parsed form
// in c, which may be nil. An error of writing to c is ignored.
func Load(ctx context.Context, c *cache.Cache, files []File, arch string) (*Index, error) {
	var fitting []File
	for _, f := range files {
		if f.Arch == arch || f.Arch == "" || f.Arch == "all" {
			fitting = append(fitting, f)
		}
	}
	tables := make([]*table, len(fitting))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, f := range fitting {
		g.Go(func() error {
			t, err := loadTable(ctx, c, f, arch)
			if err != nil {
				return fmt.Errorf("reading the packages of %s: %w", describe(f), err)
			}
			tables[i] = t
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	ix := &Index{arch: arch, tables: tables}
	ix.establish()
	return ix, nil
}

// loadTable reads a table from the cache, or parses the file and caches its table.
func loadTable(ctx context.Context, c *cache.Cache, f File, arch string) (*table, error) {
	key := tableMagic + "-" + arch + "-" + f.SHA256
	kept := c != nil && f.SHA256 != ""
	if kept {
		if b, ok := c.Record(recordKind, key); ok {
			if t, err := openTable(f, b); err == nil {
				return t, nil
			}
		}
	}
	b, err := parseFile(ctx, f, arch)
	if err != nil {
		return nil, err
	}
	if kept {
		_ = c.PutRecord(recordKind, key, b) // without the record the next run is slower
	}
	return openTable(f, b)
}

// unused lists the largest fields of an index that a Package does not have.
var unused = map[string]bool{
	"Description": true, "Description-md5": true, "Homepage": true, "Maintainer": true, "Tag": true,
	"Installed-Size": true, "MD5sum": true, "Build-Ids": true, "Ruby-Versions": true,
}

// parseFile reads a Packages file to its end, so that the reader can verify all of
// it, and returns its table.
func parseFile(ctx context.Context, f File, arch string) (_ []byte, err error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := r.Close(); err == nil {
			err = cerr
		}
	}()
	w := newTableWriter(arch)
	s := debian.NewScanner(r)
	s.Skip = unused
	for n := 0; s.Scan(); n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err := w.add(s.Paragraph()); err != nil {
			return nil, fmt.Errorf("line %d: %w", s.Line(), err)
		}
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	return w.table(), nil
}

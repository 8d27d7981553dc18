package apt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/pgext/pgext/internal/cache"
)

// recordKind is the kind of cache record that holds tables.
const recordKind = "packages"

// Load reads the files that fit arch, a Debian architecture; packages of
// architecture "all" are part of it. Their order is that of apt's sources:
// among equal versions of a name the first file counts. Files are parsed in
// parallel, one per processor; the parsed form of each is kept in c, which
// may be nil, and a cache that cannot be written to only costs time.
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

// loadTable takes a table from the cache, or makes it and puts it there.
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
		_ = c.PutRecord(recordKind, key, b) // a cache that is full or read-only only makes the next run slower
	}
	return openTable(f, b)
}

// parseFile reads a Packages file to its end, which makes sure that whatever
// verifies it has seen all of it.
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
	s := newStanzaScanner(r)
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		st, err := s.next()
		if errors.Is(err, io.EOF) {
			return w.table(), nil
		}
		if err != nil {
			return nil, err
		}
		if err := w.add(st); err != nil {
			return nil, fmt.Errorf("line %d: %w", s.line, err)
		}
	}
}

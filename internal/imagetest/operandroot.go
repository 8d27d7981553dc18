package imagetest

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/pgext/pgext/internal/base"
	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/pgtest"
	"github.com/pgext/pgext/internal/rootfs"
	"github.com/pgext/pgext/internal/session"
)

// operandRoot returns the root file system in which t is tested, and the
// upstream version of its server.
func (ts *Tester) operandRoot(ctx context.Context, roots *rootfs.Store, t Subject) (root, version string, err error) {
	r, target := t.target()
	m := t.Metadata
	if o, ok := session.OperandOf(target.BaseFor(m.Arch), filepath.Dir(r.Path), m.Arch, m.Postgres); ok {
		if pins, ok := t.pins(); ok {
			o.Digest = pins.Base.Image
		}
		return ts.imageRoot(ctx, roots, o)
	}
	packages, err := ts.operandPackages(ctx, t)
	if err != nil {
		return "", "", err
	}
	root, err = roots.FromDebs(ctx, packages.Packages)
	return root, packages.Postgres, err
}

// imageRoot unpacks an operand image.
func (ts *Tester) imageRoot(ctx context.Context, roots *rootfs.Store, o session.Operand) (root, version string, err error) {
	known, err := ts.s.OperandBase(ctx, o)
	if err != nil {
		return "", "", err
	}
	root, err = roots.FromOperand(ctx, o.Arch+" "+known.Image, func(scratch string) (filetree.Tree, error) {
		return ts.operandTree(ctx, o, known, scratch)
	})
	if err != nil {
		return "", "", err
	}
	program, err := pgtest.Missing(root, o.Postgres)
	if err == nil && program != "" {
		err = &base.OperandError{Name: known.Name, Problem: fmt.Sprintf("it has no /%s, which a test needs", program)}
	}
	return root, known.Postgres, err
}

func (ts *Tester) operandTree(ctx context.Context, o session.Operand, known base.Base, scratch string) (filetree.Tree, error) {
	artifact, err := ts.s.FindOperand(ctx, o)
	if err != nil {
		return filetree.Tree{}, err
	}
	img, err := session.PlatformImage(artifact, base.Operand{Name: known.Name, Arch: o.Arch})
	if err != nil {
		return filetree.Tree{}, err
	}
	contents, err := cache.Open(scratch)
	if err != nil {
		return filetree.Tree{}, err
	}
	flat, err := image.Flatten(ctx, img, image.FlattenOptions{Cache: contents})
	return flat.Tree, err
}

// operandKind names the cache records of what a base consists of, by its
// checksum.
const operandKind = "operand-1"

// operandList lists the packages of the root file system of a base.
type operandList struct {
	Postgres string
	Packages []rootfs.Deb
}

// operandPackages returns the packages of the base that the image was built
// for: those its lock knows, where they were fetched before, else those that
// the archives have now. All are in the cache.
func (ts *Tester) operandPackages(ctx context.Context, t Subject) (operandList, error) {
	if known, ok := ts.lockedOperand(t); ok {
		return known, nil
	}
	m := t.Metadata
	r, target := t.target()
	src, err := ts.s.Sources(ctx, r, target, m.Arch)
	if err != nil {
		return operandList{}, err
	}
	digests, err := src.Fetch(ctx, src.Base.Packages)
	if err != nil {
		return operandList{}, err
	}
	list := operandList{Postgres: src.Base.Postgres}
	for i, p := range src.Base.Packages {
		list.Packages = append(list.Packages, rootfs.Deb{Name: p.Name, SHA256: digests[i]})
	}
	record, err := json.Marshal(list)
	if err == nil {
		err = ts.s.Cache.PutRecord(operandKind, "sha256:"+src.Base.Checksum(), record)
	}
	return list, err
}

// lockedOperand looks up the base that the lock of t's recipe names.
func (ts *Tester) lockedOperand(t Subject) (operandList, bool) {
	var list operandList
	pins, ok := t.pins()
	if !ok {
		return list, false
	}
	record, ok := ts.s.Cache.Record(operandKind, pins.Base.Checksum)
	if !ok || json.Unmarshal(record, &list) != nil {
		return list, false
	}
	for _, p := range list.Packages {
		if _, ok := ts.s.Cache.Has(p.SHA256); !ok {
			return list, false
		}
	}
	return list, true
}

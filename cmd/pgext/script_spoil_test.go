package main

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/rogpeppe/go-internal/testscript"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/oci"
)

// maxSpoilt bounds a file that is spoilt, in bytes.
const maxSpoilt = 64 << 20

// cmdLive gives a script the cache of the tests that run a real server. Its
// commands say --allow-expired, since forky may be past its date.
func cmdLive(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: live")
	}
	ts.Setenv("PGEXT_CACHE_DIR", liveCache(stateOf(ts).tb))
}

// cmdSpoil writes the first image of the layout FROM as the layout TO, spoilt:
//
//	spoil FROM TO WAY PATH [ARGUMENT]
//
//	mode PATH MODE       in octal
//	remove PATH          the files, or all below the folder
//	machine PATH         the ELF file is for AArch64
//	major PATH           the module was compiled for PostgreSQL 17
//	truncate PATH SHARE  so many percent of the file remain
//	content PATH FILE    that of a file of the script
//	unlabel NAME         the image loses this label
//
// PATH may be a pattern. All layers become one.
func cmdSpoil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 || len(args) > 5 {
		ts.Fatalf("usage: spoil FROM TO WAY PATH [ARGUMENT]")
	}
	way, pattern, argument := args[2], args[3], ""
	if len(args) == 5 {
		argument = args[4]
	}
	if way == "content" {
		argument = ts.ReadFile(argument)
	}
	ctx := stateOf(ts).tb.Context()
	local, err := oci.ParseRef(ts.MkAbs(args[0]))
	ts.Check(err)
	entries, err := image.At(local.Layout).Entries()
	ts.Check(err)
	a, err := image.At(local.Layout).Open(entries[0].Digest.String())
	ts.Check(err)
	flat, err := image.Flatten(ctx, a.Images[0], image.FlattenOptions{})
	ts.Check(err)
	var list []filetree.Entry
	config, err := a.Images[0].ConfigFile()
	ts.Check(err)
	config = config.DeepCopy()
	_, touched := config.Config.Labels[pattern]
	if way == "unlabel" {
		delete(config.Config.Labels, pattern)
	}
	for e := range flat.Tree.All() {
		hit, err := path.Match(pattern, e.Path)
		ts.Check(err)
		hit = hit || way == "remove" && strings.HasPrefix(e.Path, pattern+"/")
		touched = touched || hit
		if hit && way == "remove" {
			continue
		}
		if hit {
			ts.Check(spoilEntry(&e, way, argument))
		}
		list = append(list, e)
	}
	if !touched {
		ts.Fatalf("spoil: the image has no %s", pattern)
	}
	idx, err := imageLike(config, list)
	ts.Check(err)
	ts.Check(image.At(ts.MkAbs(args[1])).Write(ctx, image.Output{Set: oci.Set{Index: idx}, Tags: []string{"spoilt"}}))
}

func spoilEntry(e *filetree.Entry, way, argument string) error {
	if way == "mode" {
		mode, err := strconv.ParseUint(argument, 8, 32)
		e.Mode = e.Mode.Type() | fs.FileMode(mode)
		return err
	}
	before, err := e.ReadAll(maxSpoilt)
	if err != nil {
		return err
	}
	after := slices.Clone(before)
	switch way {
	case "machine":
		binary.LittleEndian.PutUint16(after[18:], 183) // e_machine: AArch64
	case "major":
		after = anotherMajor(after)
	case "truncate":
		share, err := strconv.Atoi(argument)
		if err != nil {
			return err
		}
		after = after[:len(after)*share/100]
	case "content":
		after = []byte(argument)
	default:
		return fmt.Errorf("spoil: there is no way %q", way)
	}
	if bytes.Equal(before, after) {
		return errors.New("spoil: nothing was changed")
	}
	*e = e.Holding(after)
	return nil
}

// anotherMajor changes the version that a module was compiled for, in
// Pg_magic_struct (fmgr.h): 1800, then FUNC_MAX_ARGS, INDEX_MAX_KEYS and
// NAMEDATALEN.
func anotherMajor(b []byte) []byte {
	block := func(version uint32) []byte {
		var out []byte
		for _, n := range []uint32{version, 100, 32, 64} {
			out = binary.LittleEndian.AppendUint32(out, n)
		}
		return out
	}
	return bytes.Replace(b, block(1800), block(1700), 1)
}

// imageLike is an index of one image with the platform and the labels of a
// config and one layer of entries.
func imageLike(config *v1.ConfigFile, entries []filetree.Entry) (v1.ImageIndex, error) {
	data, err := tarOf(entries)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	img, err := image.New(image.Spec{Platform: *config.Platform(), Parts: []image.Part{{Layer: layer}}, Labels: config.Config.Labels})
	if err != nil {
		return nil, err
	}
	return image.NewIndex([]v1.Image{img}, nil)
}

// tarOf writes entries as they are, which pgext itself would not.
func tarOf(entries []filetree.Entry) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		h := tar.Header{Name: e.Path, Mode: int64(e.Mode.Perm()), Size: e.Size, Linkname: e.Link, Typeflag: tar.TypeReg}
		var content []byte
		switch e.Kind {
		case filetree.Dir:
			h.Typeflag = tar.TypeDir
		case filetree.Symlink:
			h.Typeflag = tar.TypeSymlink
		case filetree.File:
			var err error
			if content, err = e.ReadAll(maxSpoilt); err != nil {
				return nil, err
			}
		}
		if err := w.WriteHeader(&h); err != nil {
			return nil, err
		}
		if _, err := w.Write(content); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), w.Close()
}

package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/rogpeppe/go-internal/testscript"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/oci"
)

// operandPaths are what a server needs of an operating system.
var operandPaths = regexp.MustCompile(`^(bin|lib|lib64|sbin|etc/.*|usr/(lib|lib64)/[^/]+\.so[^/]*|usr/lib/[^/]+-linux-gnu[^/]*/[^/]+\.so[^/]*|` +
	`usr/(lib|share)/postgresql/.*|usr/bin/(tar|sh|dash|bash|env|cat|ls|true)|usr/share/zoneinfo/Etc/.*)$`)

// cmdOperand makes an operand image of the root file system that a live test
// used last: the OCI layout DIR, tagged TAG, with the same bytes each time.
//
//	operand DIR TAG
func cmdOperand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage, after live: operand DIR TAG")
	}
	layer, err := rootLayer(lastRoot(ts))
	ts.Check(err)
	img, err := image.New(image.Spec{Platform: v1.Platform{OS: "linux", Architecture: runtime.GOARCH}, Parts: []image.Part{{Layer: layer}}})
	ts.Check(err)
	idx, err := image.NewIndex([]v1.Image{img}, nil)
	ts.Check(err)
	ts.Check(image.At(ts.MkAbs(args[0])).Write(stateOf(ts).tb.Context(), image.Output{Set: oci.Set{Index: idx}, Tags: []string{args[1]}}))
}

// lastRoot is the root in the cache that was used last; nobody removes it while
// the script runs, since it is that young.
func lastRoot(ts *testscript.TestScript) string {
	roots, err := filepath.Glob(filepath.Join(ts.Getenv("PGEXT_CACHE_DIR"), "rootfs-*", "debs-*"))
	ts.Check(err)
	var last string
	var at time.Time
	for _, root := range roots {
		info, err := os.Stat(root)
		ts.Check(err)
		if _, err := os.Stat(filepath.Join(root, "usr/lib/x86_64-linux-gnu/libc.so.6")); err == nil && info.ModTime().After(at) {
			last, at = root, info.ModTime()
		}
	}
	if last == "" {
		ts.Fatalf("operand: no live test has run")
	}
	return last
}

// rootLayer is a layer of what operandPaths name, and of a package database
// that knows the server.
func rootLayer(root string) (v1.Layer, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	status := fmt.Sprintf("Package: postgresql-18\nStatus: install ok installed\nVersion: 18.6-1\nArchitecture: %s\n", runtime.GOARCH)
	if err := addFile(w, &tar.Header{Name: "var/lib/dpkg/status", Mode: 0o644}, []byte(status)); err != nil {
		return nil, err
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil || d.IsDir() || !operandPaths.MatchString(name) {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		h := &tar.Header{Name: name, Mode: int64(info.Mode().Perm())}
		if info.Mode().Type() == fs.ModeSymlink {
			h.Typeflag = tar.TypeSymlink
			if h.Linkname, err = os.Readlink(path); err != nil {
				return err
			}
			return w.WriteHeader(h)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return addFile(w, h, content)
	})
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(out.Bytes())), nil
	}, tarball.WithMediaType(types.OCIUncompressedLayer))
}

func addFile(w *tar.Writer, h *tar.Header, content []byte) error {
	h.Typeflag, h.Size = tar.TypeReg, int64(len(content))
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	_, err := w.Write(content)
	return err
}

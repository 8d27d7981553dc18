package inspect

import (
	"archive/tar"
	"bytes"
	"crypto/md5"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/cache/cachetest"
	"github.com/pgext/pgext/internal/elf/elftest"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/oci"
)

// member is an entry of a layer; a file by default.
type member struct {
	path    string
	content string
	link    string
	mode    int64 // 0 stands for 0644, or 0755 for a directory
	uid     int
	typ     byte
}

func tarOf(tb testing.TB, members ...member) []byte {
	tb.Helper()
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	for _, m := range members {
		h := &tar.Header{Name: m.path, Mode: m.mode, Uid: m.uid, Typeflag: m.typ, Size: int64(len(m.content))}
		switch {
		case m.link != "":
			h.Typeflag, h.Linkname = tar.TypeSymlink, m.link
		case m.typ == 0 && strings.HasSuffix(m.path, "/"):
			h.Typeflag = tar.TypeDir
		case m.typ == 0:
			h.Typeflag = tar.TypeReg
		}
		if h.Mode == 0 {
			h.Mode = 0o644
			if h.Typeflag == tar.TypeDir {
				h.Mode = 0o755
			}
		}
		if err := tw.WriteHeader(h); err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(tw, m.content); err != nil {
			tb.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// layer returns a gzip layer with media type t.
func layer(tb testing.TB, t types.MediaType, members ...member) v1.Layer {
	tb.Helper()
	data := tarOf(tb, members...)
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}, tarball.WithMediaType(t))
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// plain returns an uncompressed layer.
func plain(data []byte, t types.MediaType) v1.Layer { return static.NewLayer(data, t) }

// made returns an image for arch with labels and layers.
func made(tb testing.TB, arch string, labels map[string]string, layers ...v1.Layer) v1.Image {
	tb.Helper()
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.ConfigFile(img, &v1.ConfigFile{
		Architecture: arch, OS: "linux", RootFS: v1.RootFS{Type: "layers"}, Config: v1.Config{Labels: labels},
	})
	if err != nil {
		tb.Fatal(err)
	}
	if img, err = mutate.AppendLayers(img, layers...); err != nil {
		tb.Fatal(err)
	}
	return img
}

func changed(tb testing.TB, img v1.Image, change func(*v1.ConfigFile)) v1.Image {
	tb.Helper()
	config, err := img.ConfigFile()
	if err != nil {
		tb.Fatal(err)
	}
	config = config.DeepCopy()
	change(config)
	if img, err = mutate.ConfigFile(img, config); err != nil {
		tb.Fatal(err)
	}
	return img
}

// object returns a shared object for an architecture.
func object(arch, soname string, needed ...string) string {
	return string(elftest.Build(elftest.Spec{Arch: arch, SONAME: soname, Needed: needed}))
}

// database returns the entries of the package database for a package.
func database(name, version string, files ...member) []member {
	sums := ""
	for _, f := range files {
		sums += fmt.Sprintf("%x  %s\n", md5.Sum([]byte(f.content)), f.path)
	}
	return []member{
		{path: "var/lib/dpkg/status.d/" + name, content: fmt.Sprintf("Package: %s\nSource: src-%s\nVersion: %s\nArchitecture: amd64\n", name, name, version)},
		{path: "var/lib/dpkg/status.d/" + name + ".md5sums", content: sums},
	}
}

// vector returns the members of a valid image for arch.
func vector(arch string) []member {
	return []member{
		{path: "lib/vector.so", content: object(arch, "", "libc.so.6")},
		{path: "share/extension/vector.control", content: "default_version = '0.8.1'\nmodule_pathname = 'vector'\n"},
		{path: "share/extension/vector--0.8.1.sql", content: "CREATE FUNCTION f() RETURNS int AS 'vector' LANGUAGE C;\n"},
	}
}

func label(tb testing.TB, change func(*metadata.Metadata)) map[string]string {
	tb.Helper()
	m := metadata.Metadata{
		Name: "pgvector", Image: "pgvector", Version: "0.8.1", Distro: "forky", Postgres: 18, Arch: "amd64",
		Extensions: []metadata.Extension{{Name: "vector", Version: "0.8.1"}}, Modules: []string{"vector"},
		ExtensionControlPath: []string{"share"}, DynamicLibraryPath: []string{"lib"},
	}
	if change != nil {
		change(&m)
	}
	text, err := m.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	return map[string]string{metadata.Label: string(text)}
}

func take(tb testing.TB, a oci.Set, err error) Result {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	c := cachetest.Open(tb)
	s, err := Inspect(tb.Context(), a, c)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func texts(s Result) []string {
	var out []string
	for _, f := range s.All() {
		out = append(out, f.String())
	}
	return out
}

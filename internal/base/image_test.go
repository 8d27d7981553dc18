package base

import (
	"archive/tar"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/cache/cachetest"
	"github.com/pgext/pgext/internal/elf/elftest"
)

// operandImage is an image of files; a content of "-> x" is a link, one of
// "elf SONAME" a library, and paths below a bin folder are programs.
func operandImage(tb testing.TB, env []string, files ...[2]string) v1.Image {
	tb.Helper()
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f[0], Typeflag: tar.TypeReg, Mode: 0o644}
		if strings.Contains(f[0], "bin/") {
			h.Mode = 0o755
		}
		content := f[1]
		if soname, ok := strings.CutPrefix(content, "elf "); ok {
			content = string(elftest.Build(elftest.Spec{SONAME: soname}))
		}
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			h.Typeflag, h.Linkname, content = tar.TypeSymlink, target, ""
		}
		if strings.HasSuffix(f[0], "/") {
			h.Typeflag, h.Mode = tar.TypeDir, 0o755
		}
		h.Size = int64(len(content))
		if err := tw.WriteHeader(h); err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(tw, content); err != nil {
			tb.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		tb.Fatal(err)
	}
	img, err := mutate.ConfigFile(mutate.MediaType(empty.Image, types.OCIManifestSchema1), &v1.ConfigFile{
		OS: "linux", Architecture: "amd64", RootFS: v1.RootFS{Type: "layers"}, Config: v1.Config{Env: env},
	})
	if err != nil {
		tb.Fatal(err)
	}
	if img, err = mutate.AppendLayers(img, static.NewLayer(b.Bytes(), types.OCIUncompressedLayer)); err != nil {
		tb.Fatal(err)
	}
	return img
}

const status = `Package: libc6
Status: install ok installed
Priority: required
Section: libs
Source: glibc
Version: 2.42-1
Architecture: amd64
Multi-Arch: same
Description: C library
 of many
 .
 lines

Package: postgresql-18
Status: install ok installed
Version: 18.6-1.pgdg13+1
Architecture: amd64
Depends: libc6 (>= 2.34),
 libpq5

Package: gone
Status: deinstall ok config-files
Version: 1
Architecture: amd64

Package: libc6
Status: install ok installed
Version: 2.42-1
Architecture: i386

Package: bash
Status: install ok installed
Version: 5.3-1
Architecture: amd64
`

func operand(tb testing.TB, img v1.Image) Operand {
	tb.Helper()
	digest, err := img.Digest()
	if err != nil {
		tb.Fatal(err)
	}
	return Operand{Name: "image:h.example/pg:18", Digest: digest.String(), Arch: "amd64", Postgres: 18, Image: img}
}

func TestFromImage(t *testing.T) {
	img := operandImage(t, nil,
		[2]string{"lib", "-> usr/lib"}, [2]string{"bin", "-> usr/bin"},
		[2]string{"usr/lib/x86_64-linux-gnu/libc.so.6", "elf libc.so.6"},
		[2]string{"usr/lib/x86_64-linux-gnu/blas/libblas.so.3", "elf libblas.so.3"},
		[2]string{"usr/lib/x86_64-linux-gnu/libblas.so.3", "-> blas/libblas.so.3"},
		[2]string{"usr/lib/x86_64-linux-gnu/libc.so", "/* GNU ld script */ GROUP ( /lib/libc.so.6 ) and so on, long enough"},
		[2]string{"opt/vendor/lib/libvendor-1.2.so", "elf libvendor.so.1"},
		[2]string{"etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n"},
		[2]string{"etc/ld.so.conf.d/vendor.conf", "# a vendor's\n/opt/vendor/lib\n"},
		[2]string{"usr/lib/elsewhere/libhidden.so.1", "elf libhidden.so.1"},
		[2]string{"usr/bin/bash", "program"}, [2]string{"usr/bin/sh", "-> bash"}, [2]string{"usr/bin/env", "program"},
		[2]string{"usr/share/postgresql/18/extension/cube.control", "x"},
		[2]string{"usr/share/postgresql/18/extension/cube--1.5.control", "x"},
		[2]string{"usr/share/postgresql/17/extension/old.control", "x"},
		[2]string{"var/lib/dpkg/status", status},
		[2]string{"var/lib/dpkg/info/libc6:amd64.list", "/.\n/lib/x86_64-linux-gnu/libc.so.6\n/usr/lib/x86_64-linux-gnu/blas/libblas.so.3\n"},
		[2]string{"var/lib/dpkg/info/bash.list", "/bin/bash\n"},
	)
	c := cachetest.Open(t)
	o := operand(t, img)
	b, err := FromImage(t.Context(), o, c)
	if err != nil {
		t.Fatal(err)
	}
	var packages, libraries []string
	for _, p := range b.Packages {
		packages = append(packages, p.Name+" "+p.Version+" "+p.Source+" "+p.Depends)
	}
	for _, l := range b.Libraries {
		libraries = append(libraries, l.SONAME+" of "+l.Package+" at "+l.Path)
	}
	if diff := cmp.Diff([]string{
		"bash 5.3-1 bash ", "libc6 2.42-1 glibc ", "postgresql-18 18.6-1.pgdg13+1 postgresql-18 libc6 (>= 2.34), libpq5",
	}, packages); diff != "" {
		t.Errorf("Packages (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"libblas.so.3 of libc6 at usr/lib/x86_64-linux-gnu/blas/libblas.so.3",
		"libc.so.6 of libc6 at usr/lib/x86_64-linux-gnu/libc.so.6",
		"libvendor-1.2.so of unpackaged at opt/vendor/lib/libvendor-1.2.so",
		"libvendor.so.1 of unpackaged at opt/vendor/lib/libvendor-1.2.so",
	}, libraries); diff != "" {
		t.Errorf("Libraries (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"cube"}, b.Extensions); diff != "" {
		t.Errorf("Extensions (-want +got):\n%s", diff)
	}
	if b.Name != o.Name || b.Image != o.Digest || b.Postgres != "18.6" || !b.Known() {
		t.Errorf("got %s %s %s", b.Name, b.Image, b.Postgres)
	}
	for line, want := range map[string]string{
		"/bin/sh": "bash", "/usr/bin/env bash": "bash", "/usr/bin/env -S PATH=x sh -e": "bash", "/usr/bin/bash -e": "bash",
		"/usr/bin/python3": "", "/usr/bin/env perl": "", "": "", "/opt/sh": "", "/usr/bin/env": "",
	} {
		if p, _ := b.Interpreter(line); p.Name != want {
			t.Errorf("Interpreter(%q) = %q, want %q", line, p.Name, want)
		}
	}

	t.Run("again, without the image", func(t *testing.T) {
		o.Image = nil
		again, known, err := Recall(o, c)
		if err != nil || !known {
			t.Fatalf("Recall() = %v, %v", known, err)
		}
		if diff := cmp.Diff(b, again, cmp.AllowUnexported(Base{})); diff != "" {
			t.Errorf("Recall() (-first +again):\n%s", diff)
		}
		if b.Checksum() != again.Checksum() {
			t.Error("the checksums differ")
		}
	})
}

func TestOperandErrors(t *testing.T) {
	server := [2]string{"usr/lib/postgresql/18/bin/postgres", "program"}
	database := [2]string{"var/lib/dpkg/status.d/base", "Package: base\nVersion: 1\nArchitecture: all\n"}
	for _, tc := range []struct {
		name  string
		env   []string
		files [][2]string
		want  string // the server's version, or the error
	}{
		{"no packages", nil, [][2]string{server}, "image:h.example/pg:18: it has no database of Debian packages"},
		{"no server", nil, [][2]string{database}, "image:h.example/pg:18: it has no PostgreSQL 18"},
		{"a server of its own", nil, [][2]string{database, server}, "18"},
		{"a version in the environment", []string{"PG_VERSION=18.6-1.pgdg13+1"}, [][2]string{database}, "18.6"},
		{"another major in the environment", []string{"PG_VERSION=17.2"}, [][2]string{database}, "image:h.example/pg:18: it has no PostgreSQL 18"},
		{"a package twice: the later file counts", nil, [][2]string{
			{"var/lib/dpkg/status.d/a", "Package: postgresql-18\nVersion: 18.7-1\nArchitecture: amd64\n"},
			{"var/lib/dpkg/status.d/b", "Package: postgresql-18\nVersion: 18.6-1\nArchitecture: amd64\n"},
			{"var/lib/dpkg/status.d/c", "Package: other\nVersion: 1\nArchitecture: amd64\n"},
		}, "18.6"},
		{"broken database", nil, [][2]string{{"var/lib/dpkg/status", "no field\n"}}, "var/lib/dpkg/status: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := cachetest.Open(t)
			b, err := FromImage(t.Context(), operand(t, operandImage(t, tc.env, tc.files...)), c)
			got := b.Postgres
			if err != nil {
				got = err.Error()
			}
			if got != tc.want && !strings.Contains(got, ": "+tc.want) {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

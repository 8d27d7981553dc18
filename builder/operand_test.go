package builder_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/elf/elftest"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/inspect"
	"github.com/pgext/pgext/internal/judge"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/registry"
	"github.com/pgext/pgext/internal/session"
)

// operandIndex is an operand image: libc of a package, a library of a vendor,
// cube among its extensions.
func operandIndex(t *testing.T, archs ...string) v1.ImageIndex {
	t.Helper()
	idx := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, arch := range archs {
		status := ""
		for _, p := range []string{"libc6 1-1", "dash 1-1", "postgresql-18 18.7-1"} {
			name, version, _ := strings.Cut(p, " ")
			status += fmt.Sprintf("Package: %s\nStatus: install ok installed\nVersion: %s\nArchitecture: %s\n\n", name, version, arch)
		}
		elf := func(soname string) string {
			return string(elftest.Build(elftest.Spec{Arch: arch, SONAME: soname, Defines: []string{"GLIBC_2.34"}}))
		}
		files := map[string]string{
			"var/lib/dpkg/status":                             status,
			"var/lib/dpkg/info/libc6:" + arch + ".list":       "/lib/" + tuples[arch] + "/libc.so.6\n",
			"lib/" + tuples[arch] + "/libc.so.6":              elf("libc.so.6"),
			"usr/lib/libvendor.so.1":                          elf("libvendor.so.1"),
			"usr/share/postgresql/18/extension/cube.control":  "default_version = '1.5'\n",
			"usr/share/postgresql/18/extension/other.control": "default_version = '1'\n",
		}
		var b bytes.Buffer
		tw := tar.NewWriter(&b)
		for name, content := range files {
			if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
				t.Fatal(err)
			}
			if _, err := tw.Write([]byte(content)); err != nil {
				t.Fatal(err)
			}
		}
		if err := tw.Close(); err != nil {
			t.Fatal(err)
		}
		img, err := mutate.ConfigFile(mutate.MediaType(empty.Image, types.OCIManifestSchema1), &v1.ConfigFile{
			OS: "linux", Architecture: arch, RootFS: v1.RootFS{Type: "layers"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if img, err = mutate.AppendLayers(img, static.NewLayer(b.Bytes(), types.OCIUncompressedLayer)); err != nil {
			t.Fatal(err)
		}
		idx = mutate.AppendManifests(idx, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{
			Platform: &v1.Platform{OS: "linux", Architecture: arch},
		}})
	}
	return idx
}

// onOperand is the fixture's recipe on another base.
func onOperand(t *testing.T, f *fixture, base string) *recipe.Recipe {
	t.Helper()
	f.recipe("")
	text := strings.Replace(f.read("recipe.yaml"), "archs: [amd64, arm64]", fmt.Sprintf("archs: [amd64, arm64], base: %q", "image:"+base), 1)
	f.write("recipe.yaml", text)
	r, err := recipe.Parse(filepath.Join(f.dir, "recipe.yaml"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// operandFixture has an extension that needs a library of the operand's
// package, one of its vendor and one that it lacks.
func operandFixture(t *testing.T) *fixture {
	t.Helper()
	return newFixture(t,
		extension("postgresql-18-thing", "1.0-1", "Source: thing\nDepends: postgresql-18, libx1\n", "requires = 'cube'\n", "libvendor.so.1", "libx.so.1"),
		library("libx1", "libx.so.1", "libc.so.6"))
}

func digestOf(t *testing.T, idx v1.ImageIndex) string {
	t.Helper()
	digest, err := idx.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

// module is an ELF file of an image that needs libraries.
func module(needed ...string) []elf.Root {
	return []elf.Root{{Path: "lib/x.so", Object: elf.Object{Arch: "amd64", Type: "dyn", Needed: needed}}}
}

// exitCodeOf is what the program would exit with.
func exitCodeOf(err error) int {
	var coder interface{ ExitCode() int }
	if errors.As(err, &coder) {
		return coder.ExitCode()
	}
	return 1
}

// TestPlanOnOperand: a real operand image takes the place of the computed base,
// from a layout and from a registry; the lock then stands alone.
func TestPlanOnOperand(t *testing.T) {
	idx := operandIndex(t, "amd64", "arm64")
	server := httptest.NewServer(registry.Memory())
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	client := registry.New(registry.Options{Backoff: time.Millisecond})
	if _, err := client.Push(t.Context(), host+"/pg", registry.Publication{Set: oci.Set{Index: idx}, Moving: []string{"18"}}); err != nil {
		t.Fatal(err)
	}
	for name, ref := range map[string]string{
		"layout": "oci:operands:18", "registry": host + "/pg:18", "registry by digest": host + "/pg@" + digestOf(t, idx),
	} {
		t.Run(name, func(t *testing.T) {
			f := operandFixture(t)
			if err := image.At(filepath.Join(f.dir, "operands")).Write(t.Context(), image.Output{Set: oci.Set{Index: idx}, Tags: []string{"18"}}); err != nil {
				t.Fatal(err)
			}
			r := onOperand(t, f, ref)
			online := func(o *session.Options) { o.Registry = client }
			p := f.plan(f.builder(online), r, builder.Keep)
			pins := p.Targets[0].Architectures[1].Pins
			want := lock.Base{
				Name: "image:" + ref, Image: digestOf(t, idx), Postgres: "18.7", Checksum: pins.Base.Checksum,
				Extensions: []string{"cube"},
				Packages: []lock.BasePackage{
					{Package: "libc6", Version: "1-1", Libraries: []string{"libc.so.6"}},
					{Package: "unpackaged", Version: "0", Libraries: []string{"libvendor.so.1"}},
				},
			}
			if diff := cmp.Diff(want, pins.Base); diff != "" {
				t.Errorf("Base (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(bothArchs("libx1 1-1 library, postgresql-18-thing 1.0-1 extension"), pinned(p)); diff != "" {
				t.Errorf("pins (-want +got):\n%s", diff)
			}
			if len(pins.Requires) > 0 {
				t.Errorf("Requires = %v: the operand has it", pins.Requires)
			}

			// The lock is enough from here on; the operand may be gone.
			if err := os.RemoveAll(filepath.Join(f.dir, "operands")); err != nil {
				t.Fatal(err)
			}
			f.cache = newCache(t)
			b := f.builder()
			p, err := b.Plan(t.Context(), r, recipe.Selection{}, builder.Locked)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Build(t.Context(), p, t.TempDir()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPlanOnOperandFails(t *testing.T) {
	for _, tc := range []struct {
		name, ref string
		archs     []string
		code      int
		want      string
	}{
		{"no such architecture", "oci:operands:18", []string{"amd64"}, 10, "it has no image for arm64"},
		{"no such layout", "oci:nowhere:18", []string{"amd64"}, 1, "nowhere"},
		{"offline", "h.example/pg:18", []string{"amd64"}, 12, "base image h.example/pg:18: not in the cache, and working offline"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := operandFixture(t)
			if err := image.At(filepath.Join(f.dir, "operands")).Write(t.Context(), image.Output{Set: oci.Set{Index: operandIndex(t, tc.archs...)}, Tags: []string{"18"}}); err != nil {
				t.Fatal(err)
			}
			_, err := f.builder().Plan(t.Context(), onOperand(t, f, tc.ref), recipe.Selection{}, builder.Keep)
			if err == nil || !strings.Contains(err.Error(), tc.want) || exitCodeOf(err) != tc.code {
				t.Errorf("Plan() = %v with exit code %d, want %q with %d", err, exitCodeOf(err), tc.want, tc.code)
			}
		})
	}
}

// TestLintImage: an image that others made, against an operand image.
func TestLintImage(t *testing.T) {
	f := operandFixture(t)
	if err := image.At(filepath.Join(f.dir, "operands")).Write(t.Context(), image.Output{Set: oci.Set{Index: operandIndex(t, "amd64")}, Tags: []string{"18"}}); err != nil {
		t.Fatal(err)
	}
	got, err := judge.LintImage(t.Context(), f.session(), inspect.Result{Images: []inspect.Image{{
		Distro: "forky", Postgres: 18, Arch: "amd64", Roots: module("libc.so.6", "libvendor.so.1", "libx.so.1"),
	}}}, "image:oci:"+filepath.Join(f.dir, "operands")+":18")
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, f := range got {
		texts = append(texts, f.String())
	}
	want := []string{"PGX001 error: lib/x.so: needs libx.so.1, which neither the base nor the image has (amd64)"}
	if diff := cmp.Diff(want, texts); diff != "" || got[0].Severity != finding.Error {
		t.Errorf("LintImage() (-want +got):\n%s", diff)
	}
}

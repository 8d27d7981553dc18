package main

import (
	"bytes"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/oracle"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/testmirror"
	"github.com/pgext/pgext/sbom"
)

// place is where, and under which circumstances, recipes are built.
type place struct {
	dir              string
	zone, umask, env string
	mirror           string
	flags            []string
}

// TestReproducible builds three of the project's recipes from the live archive, as
// it is today, in two places that have nothing in common but the recipes: the
// images are the same to the last bit, and other programs accept them.
func TestReproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("downloads package indexes twice")
	}
	mirror := reachable(t)
	here := place{dir: copyRecipes(t), zone: "UTC", umask: "022", env: "LC_ALL=C", mirror: mirror, flags: []string{"--jobs", "4"}}
	there := place{
		dir: copyRecipes(t), zone: "Asia/Kathmandu", umask: "077", env: "LC_ALL=tr_TR.UTF-8",
		mirror: proxy(t, mirror), flags: []string{"--jobs", "1", "--verbose"},
	}
	lines := here.build(t, "recipes", "--distro", "forky", "--allow-expired")
	if got := there.build(t, "recipes", "--distro", "forky", "--allow-expired"); got != lines {
		t.Errorf("what was built (-there +here):\n%s", cmp.Diff(got, lines))
	}
	if count := strings.Count(lines, "\n"); count != 6 {
		t.Fatalf("%d lines, want two tags of three images:\n%s", count, lines)
	}
	if diff := cmp.Diff(files(t, there.dir), files(t, here.dir)); diff != "" {
		t.Errorf("files (-there +here):\n%s", diff)
	}
	t.Run("the layouts have what is told", func(t *testing.T) { here.checkTold(t, lines) })
	t.Run("one architecture is its share", func(t *testing.T) { here.checkShare(t) })
	t.Run("the images are sound", func(t *testing.T) { here.checkImages(t, lines) })
	t.Run("pgvector is small", func(t *testing.T) { here.checkSize(t) })
}

// reachable returns the mirror of this machine. Without a network the test is
// skipped through the oracles' rules.
func reachable(t *testing.T) string {
	t.Helper()
	mirror := testmirror.URL(t)
	answer, err := http.Head(mirror + "/dists/forky/InRelease")
	if err != nil {
		oracle.Missing(t, "debian-mirror", "out of reach: "+err.Error())
	}
	answer.Body.Close()
	return mirror
}

// copyRecipes returns a new folder that holds some of the project's recipes,
// without their locks.
func copyRecipes(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"pgvector", "pgaudit", "hypopg"} {
		text, err := os.ReadFile(filepath.Join("../../recipes", name, "recipe.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		folder := filepath.Join(dir, "recipes", name)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "recipe.yaml"), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// proxy returns another URL of the mirror.
func proxy(t *testing.T, mirror string) string {
	t.Helper()
	target, err := url.Parse(mirror)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.URL.Path = strings.TrimSuffix(target.Path, "/") + strings.TrimPrefix(r.In.URL.Path, "/another/root")
	}})
	t.Cleanup(server.Close)
	return server.URL + "/another/root"
}

// build runs pgext build in the place, as a process of its own, and returns
// its standard output.
func (p place) build(t *testing.T, args ...string) string {
	t.Helper()
	program := filepath.Join(p.dir, "pgext")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, program); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
	args = append([]string{"-c", `umask "$1" && shift && exec "$0" build "$@"`, program, p.umask}, args...)
	args = append(args, "--cache-dir", filepath.Join(p.dir, "cache"), "--mirror", "debian="+p.mirror)
	cmd := exec.CommandContext(t.Context(), "sh", append(args, p.flags...)...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "TZ="+p.zone, p.env)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, &stderr)
	}
	return string(out)
}

// files returns what is in the locks and in the output folder.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, folder := range []string{"dist", "recipes"} {
		err := filepath.WalkDir(filepath.Join(dir, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			name, _ := filepath.Rel(dir, path)
			out[name] = string(data)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// checkTold: what lies beside a layout is attached to the manifests in it, and
// nothing else is.
func (p place) checkTold(t *testing.T, lines string) {
	t.Helper()
	for _, name := range []string{"hypopg", "pgaudit", "pgvector"} {
		for i, arch := range []string{"amd64", "arm64"} {
			got := p.told(t, "dist", name, i)
			for artifactType, document := range map[string]string{
				sbom.SPDXMediaType: "spdx", sbom.CycloneDXMediaType: "cdx", provenance.MediaType: "provenance",
			} {
				file := filepath.Join(p.dir, "dist", name, p.tag(lines, name)+"-"+arch+"."+document+".json")
				want, err := os.ReadFile(file)
				if err != nil || got[artifactType] != string(want) {
					t.Errorf("%s: another %s is attached than the file has: %v", file, artifactType, err)
				}
			}
			if len(got) != 3 {
				t.Errorf("%s for %s has %d referrers, want 3", name, arch, len(got))
			}
		}
	}
}

// told are the documents attached to a manifest of a layout, by type.
func (p place) told(t *testing.T, dist, name string, at int) map[string]string {
	t.Helper()
	manifest, err := p.open(t, dist, name).Images[at].Digest()
	if err != nil {
		t.Fatal(err)
	}
	referrers, err := image.At(image.Path(filepath.Join(p.dir, dist), name)).Referrers(manifest)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, r := range referrers {
		subject, document, ok, err := oci.ReadReferrer(r, sbom.SPDXMediaType, sbom.CycloneDXMediaType, provenance.MediaType)
		if err != nil || !ok || subject != manifest {
			t.Fatalf("a referrer of %s is about %s: %v", manifest, subject, err)
		}
		out[document.ArtifactType] += string(document.Content)
	}
	return out
}

// checkShare: an image of one architecture alone has the digest that it has in
// the index of both, and the same is told about it. It needs neither network
// nor another resolution.
func (p place) checkShare(t *testing.T) {
	t.Helper()
	both := p.open(t, "dist", "pgvector")
	for i, arch := range []string{"amd64", "arm64"} {
		p.build(t, "recipes/pgvector", "--distro", "forky", "--arch", arch, "--locked", "--offline", "--output", "alone-"+arch)
		alone := p.open(t, "alone-"+arch, "pgvector")
		if got, want := digest(t, alone.Images[0]), digest(t, both.Images[i]); got != want || len(alone.Images) != 1 {
			t.Errorf("%s alone is %s, in the index of both %s", arch, got, want)
		}
		if diff := cmp.Diff(p.told(t, "dist", "pgvector", i), p.told(t, "alone-"+arch, "pgvector", 0)); diff != "" {
			t.Errorf("what is told about %s (-both +alone):\n%s", arch, diff)
		}
		if diff := cmp.Diff(p.beside(t, "dist", arch), p.beside(t, "alone-"+arch, arch)); diff != "" {
			t.Errorf("files about %s (-both +alone):\n%s", arch, diff)
		}
	}
}

// beside are the files about pgvector for arch that lie beside its layout.
func (p place) beside(t *testing.T, dist, arch string) map[string]string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(p.dir, dist, "pgvector", "*-"+arch+".*.json"))
	if err != nil || len(found) != 4 {
		t.Fatalf("%d files about %s in %s: %v", len(found), arch, dist, err)
	}
	out := map[string]string{}
	for _, path := range found {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(path)] = string(data)
	}
	return out
}

// open returns the only image that a layout has.
func (p place) open(t *testing.T, dist, name string) oci.Set {
	t.Helper()
	found, err := image.At(image.Path(filepath.Join(p.dir, dist), name)).Open("")
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func digest(t *testing.T, img v1.Image) string {
	t.Helper()
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// checkImages has other programs read the layouts. umoci knows no index of
// several images, so it is given one architecture.
func (p place) checkImages(t *testing.T, lines string) {
	t.Helper()
	for _, name := range []string{"hypopg", "pgaudit", "pgvector"} {
		path, err := layout.FromPath(image.Path(filepath.Join(p.dir, "dist"), name))
		if err != nil {
			t.Fatal(err)
		}
		root, err := path.ImageIndex()
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Index(root); err != nil {
			t.Errorf("%s: go-containerregistry: %v", name, err)
		}
	}
	skopeo := oracle.Need(t, "skopeo")
	for line := range strings.Lines(lines) {
		reference, want, _ := strings.Cut(strings.TrimSpace(line), "@")
		name, tag, _ := strings.Cut(reference, ":")
		source := "oci:" + image.Path(filepath.Join(p.dir, "dist"), name) + ":" + tag
		for _, arch := range []string{"amd64", "arm64"} {
			got := output(t, skopeo, "inspect", "--override-arch", arch, "--override-os", "linux", "--format", "{{.Digest}} {{.Architecture}}", source)
			if got != want+" "+arch {
				t.Errorf("skopeo sees %s: %s, want %s %s", source, got, want, arch)
			}
		}
	}
	umoci := oracle.Need(t, "umoci")
	for _, arch := range []string{"amd64", "arm64"} {
		tag := p.tag(lines, "pgvector")
		bundle := filepath.Join(p.dir, "unpacked-"+arch)
		output(t, umoci, "unpack", "--rootless", "--image", image.Path(filepath.Join(p.dir, "alone-"+arch), "pgvector")+":"+tag, bundle)
		for _, file := range []string{"lib/vector.so", "share/extension/vector.control", "licenses/postgresql-18-pgvector/copyright"} {
			if _, err := os.Stat(filepath.Join(bundle, "rootfs", file)); err != nil {
				t.Errorf("umoci unpacked %s: %v", arch, err)
			}
		}
	}
}

// tag returns the first tag of an image in what build printed.
func (place) tag(lines, name string) string {
	_, rest, _ := strings.Cut(lines, name+":")
	tag, _, _ := strings.Cut(rest, "@")
	return tag
}

func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, &stderr)
	}
	return strings.TrimSpace(string(out))
}

// checkSize: what a node downloads for pgvector.
func (p place) checkSize(t *testing.T) {
	t.Helper()
	const most = 115_000 // bytes
	manifest, err := p.open(t, "dist", "pgvector").Images[0].Manifest()
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	for _, l := range manifest.Layers {
		sum += l.Size
	}
	t.Logf("pgvector's layers for amd64 have %d bytes", sum)
	if sum > most {
		t.Errorf("pgvector's layers for amd64 have %d bytes, more than %d", sum, most)
	}
}

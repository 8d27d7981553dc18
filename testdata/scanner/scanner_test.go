// Package scanner compares the packages that syft's dpkg cataloguer finds in the
// layers of images that pgext built with those that their SBOMs list.
//
//	go test ./...                                  builds some recipes first
//	PGEXT_SCAN=/folder/dist go test ./...          scans the images of a dist folder
package scanner

import (
	"archive/tar"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/anchore/syft/syft/pkg/cataloger/debian"
	"github.com/anchore/syft/syft/source"
	"github.com/anchore/syft/syft/source/directorysource"
	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/match"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
)

// recipes are built if PGEXT_SCAN is not set: one with a single package, and one
// with many packages, libraries, links and rewritten scripts.
var recipes = []string{"pgvector", "postgis-3"}

// document has the parts of an SPDX document that the test reads.
type document struct {
	Packages []struct {
		Name, VersionInfo string
		Checksums         []struct{ Algorithm, ChecksumValue string }
		ExternalRefs      []struct{ ReferenceType, ReferenceLocator string }
	}
}

// TestScanner: syft finds the packages that the SPDX document lists, with the
// same names, versions and package URLs.
func TestScanner(t *testing.T) {
	dist := os.Getenv("PGEXT_SCAN")
	if dist == "" {
		dist = build(t)
	}
	documents, err := filepath.Glob(filepath.Join(dist, "*", "*.spdx.json"))
	if err != nil || len(documents) == 0 {
		t.Fatalf("no SPDX documents below %s: %v", dist, err)
	}
	for _, path := range documents {
		name := filepath.Base(filepath.Dir(path)) + "/" + strings.TrimSuffix(filepath.Base(path), ".spdx.json")
		t.Run(name, func(t *testing.T) {
			digest, want := listed(t, path)
			got := found(t, filepath.Join(filepath.Dir(path), "oci"), digest)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("packages (-listed +found):\n%s", diff)
			}
			t.Logf("%d packages", len(got))
		})
	}
}

// build builds the program and, with it, the recipes.
func build(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run := func(program string, args ...string) {
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Dir, cmd.Stderr = root, os.Stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s: %v", program, err)
		}
	}
	home, err := os.UserCacheDir() // shared with the live tests of the project
	if err != nil {
		t.Fatal(err)
	}
	run("go", "build", "-o", filepath.Join(dir, "pgext"), "./cmd/pgext")
	args := []string{"build", "--distro", "forky", "--allow-expired", "--output", filepath.Join(dir, "dist"), "--cache-dir", filepath.Join(home, "pgext-test", "live")}
	for _, r := range recipes {
		// A copy, because the build writes a new lock.
		if err := os.CopyFS(filepath.Join(dir, r), os.DirFS(filepath.Join(root, "recipes", r))); err != nil {
			t.Fatal(err)
		}
		os.Remove(filepath.Join(dir, r, "pgext.lock"))
		args = append(args, filepath.Join(dir, r))
	}
	run(filepath.Join(dir, "pgext"), args...)
	return filepath.Join(dir, "dist")
}

// listed returns from an SPDX document the digest of the image's manifest, and
// name, version and package URL of each package.
func listed(t *testing.T, path string) (digest v1.Hash, packages []string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	for _, p := range d.Packages {
		if len(p.ExternalRefs) != 1 || p.ExternalRefs[0].ReferenceType != "purl" {
			t.Fatalf("%s: references %v", p.Name, p.ExternalRefs)
		}
		purl := p.ExternalRefs[0].ReferenceLocator
		if strings.HasPrefix(purl, "pkg:oci/") {
			digest = v1.Hash{Algorithm: "sha256", Hex: p.Checksums[0].ChecksumValue}
			continue
		}
		packages = append(packages, fmt.Sprintf("%s %s %s", p.Name, p.VersionInfo, purl))
	}
	sort.Strings(packages)
	return digest, packages
}

// found returns the same as syft finds it in the files of the image.
func found(t *testing.T, path string, digest v1.Hash) []string {
	t.Helper()
	index, err := layout.ImageIndexFromPath(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	unpack(t, imageOf(t, index, digest), dir)
	src, err := directorysource.New(directorysource.Config{Path: dir, Base: dir})
	if err != nil {
		t.Fatal(err)
	}
	resolver, err := src.FileResolver(source.SquashedScope)
	if err != nil {
		t.Fatal(err)
	}
	all, _, err := debian.NewDBCataloger().Catalog(t.Context(), resolver)
	for _, line := range strings.Split(fmt.Sprint(err), "\n") {
		// It tries to read the lists of digests as packages too, as it does in
		// distroless images, and notes that they are none.
		if err != nil && !strings.HasSuffix(line, ".md5sums: unable to determine packages") {
			t.Error(line)
		}
	}
	var packages []string
	for _, p := range all {
		packages = append(packages, fmt.Sprintf("%s %s %s", p.Name, p.Version, p.PURL))
	}
	sort.Strings(packages)
	return packages
}

// imageOf returns the image that a document is about, which some index of the
// layout must have.
func imageOf(t *testing.T, index v1.ImageIndex, digest v1.Hash) v1.Image {
	t.Helper()
	images, err := partial.FindImages(index, match.Digests(digest))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range manifest.Manifests {
		if m.MediaType.IsIndex() && len(images) == 0 {
			child, err := index.ImageIndex(m.Digest)
			if err != nil {
				t.Fatal(err)
			}
			if images, err = partial.FindImages(child, match.Digests(digest)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(images) == 0 {
		t.Fatalf("the layout has no image %s", digest)
	}
	return images[0]
}

// unpack puts the files of an image into dir.
func unpack(t *testing.T, img v1.Image, dir string) {
	t.Helper()
	flat := mutate.Extract(img)
	defer flat.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for entries := tar.NewReader(flat); ; {
		e, err := entries.Next()
		if err == io.EOF {
			return
		}
		switch {
		case err != nil:
		case e.Typeflag == tar.TypeDir:
			err = root.MkdirAll(strings.TrimSuffix(e.Name, "/"), 0o755)
		case e.Typeflag == tar.TypeReg:
			err = write(root, e.Name, entries)
		}
		if err != nil {
			t.Fatalf("%s: %v", e.Name, err)
		}
	}
}

func write(root *os.Root, name string, content io.Reader) error {
	f, err := root.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(f, content)
	return err
}

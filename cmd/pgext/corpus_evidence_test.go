//go:build corpus && linux

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	document "github.com/spdx/tools-golang/spdx"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/judge"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/session"
	"github.com/pgext/pgext/internal/verify"
	"github.com/pgext/pgext/sbom"
	"github.com/pgext/pgext/sbom/sbomtest"
)

// told is what the documents about one architecture say.
type told struct {
	bytes, own, links int
	files             int
	packages          []sbom.Entry
	// texts are the references with their texts, by name.
	texts map[string]string
}

// proven is what came of an image's evidence.
type proven struct {
	checks  map[verify.Status]int
	rebuilt int
	// same is how many files a second build left, byte for byte.
	same int
}

// checkDocuments holds the documents about one architecture against the rules
// of their formats, and the list of files against what tar has unpacked.
func (c *corpus) checkDocuments(t *testing.T, u unpacked, built builder.Image, arch string) told {
	t.Helper()
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(c.dir, "dist", built.Name, built.Tags[0]+"-"+arch+"."+name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	spdx, cyclonedx, provenance := read("spdx"), read("cdx"), read("provenance")
	doc := sbomtest.Check(t, spdx)
	if err := sbomtest.CycloneDX(t, cyclonedx); err != nil {
		t.Errorf("%s: CycloneDX by its schema: %v", arch, err)
	}
	inv, err := sbom.ReadSPDX(spdx)
	if err != nil {
		t.Fatal(err)
	}
	checkLicences(t, arch, doc)
	u.checkFiles(t, arch, inv)
	out := told{
		bytes: len(spdx) + len(cyclonedx) + len(provenance), files: len(inv.Files), links: len(inv.Links),
		packages: inv.Packages, texts: map[string]string{},
	}
	for _, f := range inv.Files {
		if f.Package == "" {
			out.own++
		}
	}
	for _, l := range doc.OtherLicenses {
		out.texts[l.LicenseIdentifier] = l.ExtractedText
	}
	return out
}

// checkLicences wants a declared licence of every package that says something,
// and none that was concluded from nothing: the image's own is, of the packages.
func checkLicences(t *testing.T, arch string, doc *document.Document) {
	t.Helper()
	if len(doc.Packages) < 2 {
		t.Errorf("%s: %d packages, the image's own included", arch, len(doc.Packages))
	}
	for _, p := range doc.Packages {
		if l := p.PackageLicenseDeclared; l == "" || l == "NOASSERTION" || l == "NONE" {
			t.Errorf("%s: the licence of %s is %q", arch, p.PackageName, l)
		}
		if l := p.PackageLicenseConcluded; l != "NOASSERTION" && l != p.PackageLicenseDeclared {
			t.Errorf("%s: the concluded licence of %s is %q", arch, p.PackageName, l)
		}
	}
}

// checkFiles wants one owner of every file and link that tar has unpacked, and
// no other file.
func (u unpacked) checkFiles(t *testing.T, arch string, inv sbom.Inventory) {
	t.Helper()
	listed := map[string]sbom.Owned{}
	for _, o := range slices.Concat(inv.Files, inv.Links) {
		if o.Owners != 1 {
			t.Errorf("%s: %s has %d owners", arch, o.Path, o.Owners)
		}
		listed[o.Path] = o
	}
	err := filepath.WalkDir(u.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(u.dir, path)
		if err != nil {
			return err
		}
		want := sbom.Owned{Path: rel}
		if d.Type() == fs.ModeSymlink {
			want.Target, err = os.Readlink(path)
		} else {
			want.SHA256, err = sumOf(path)
		}
		got := listed[rel]
		delete(listed, rel)
		if got.SHA256 != want.SHA256 || got.Target != want.Target {
			t.Errorf("%s: %s is listed as %+v, tar has unpacked %+v", arch, rel, got, want)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for path := range listed {
		t.Errorf("%s: %s is listed, and tar has not unpacked it", arch, path)
	}
}

func sumOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), err
}

// elsewhere builds in another folder, through other mirrors, with another
// number of jobs and a cache that knows packages and nothing about them.
type elsewhere struct {
	dir     string
	recipes map[string]*recipe.Recipe
	// online may ask the mirrors, offline asks nobody.
	online, offline *session.Session
}

func (c *corpus) elsewhere(t *testing.T) elsewhere {
	t.Helper()
	e := elsewhere{dir: t.TempDir(), recipes: map[string]*recipe.Recipe{}}
	a := corpusApp()
	known, err := a.openCache()
	if err != nil {
		t.Fatal(err)
	}
	a.global.cacheDir, a.global.jobs = filepath.Join(e.dir, "cache"), 3
	blobs := filepath.Join(a.global.cacheDir, "v1", "blobs")
	copyFiles(t, filepath.Join(known.Dir(), "v1", "blobs"), blobs)
	flags := resolvingFlags{archives: c.archives, allowExpired: true}
	for name, mirror := range c.mirrors {
		flags.mirrors = append(flags.mirrors, name+"="+proxy(t, string(mirror)))
	}
	if e.online, err = a.newSession(flags, imageFlags{}); err != nil {
		t.Fatal(err)
	}
	a.global.offline = true
	if e.offline, err = a.newSession(resolvingFlags{}, imageFlags{}); err != nil {
		t.Fatal(err)
	}
	for _, i := range c.images {
		folder := filepath.Join(e.dir, "recipes", i.name)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, recipe.FileName), i.recipe.Text, 0o644); err != nil {
			t.Fatal(err)
		}
		loaded, err := recipe.Load(folder)
		if err != nil {
			t.Fatal(err)
		}
		e.recipes[i.name] = loaded[0]
	}
	return e
}

// copyFiles copies a folder by links where the file system has them.
func copyFiles(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if exec.CommandContext(t.Context(), "cp", "-al", from, to).Run() == nil {
		return
	}
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v\n%s", err, out)
	}
}

// evidence has every image's evidence judged, its provenance followed, and all
// of it made once more elsewhere.
func (c *corpus) evidence(t *testing.T, ses *session.Session) {
	t.Helper()
	e := c.elsewhere(t)
	for i, img := range c.images {
		t.Run(img.name, func(t *testing.T) {
			p := &c.images[i].proven
			p.checks = img.verify(t, ses)
			p.rebuilt = img.rebuild(t, e)
			p.same = c.again(t, e, img)
		})
	}
	t.Log(c.evidenceTotals())
}

// verify judges the documents by the bytes of the layers; nobody has signed.
func (i corpusImage) verify(t *testing.T, ses *session.Session) map[verify.Status]int {
	t.Helper()
	v, err := judge.Verify(t.Context(), ses, nil, oci.Ref{Layout: i.built.Path, Tag: i.built.Tags[0]}, judge.VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	count := map[verify.Status]int{}
	for _, check := range v.Checks {
		count[check.Status]++
		if check.Status == verify.Fail {
			t.Errorf("verify: %s\n%q", check, check.Items)
		}
	}
	if want := 9*len(i.built.Archs) + 1; count[verify.Pass] < want {
		t.Errorf("verify: %d checks passed, want %d at least:\n%v", count[verify.Pass], want, v.Checks)
	}
	return count
}

// rebuild follows the provenance offline, with a cache that knows nothing of
// the build, and returns how many digests came out.
func (i corpusImage) rebuild(t *testing.T, e elsewhere) int {
	t.Helper()
	r, err := judge.Rebuild(t.Context(), builder.New(e.offline), nil, oci.Ref{Layout: i.built.Path, Tag: i.built.Tags[0]}, "")
	if err != nil {
		t.Fatal(err)
	}
	if !r.Same() || r.Digest != i.built.Digest || len(r.Rebuilt.Images) != len(i.built.Archs) {
		t.Errorf("rebuild: %s came to %s: %+v", r.Digest, r.Rebuilt.Digest, r.Rebuilt.Images)
		return 0
	}
	return 1 + len(r.Rebuilt.Images)
}

// again resolves and builds elsewhere, wants the same lock, and the same bytes
// in every file, and returns how many there are.
func (c *corpus) again(t *testing.T, e elsewhere, i corpusImage) int {
	t.Helper()
	plan, err := builder.New(e.online).Plan(t.Context(), e.recipes[i.name], recipe.Selection{Distros: []string{c.distro}, Postgres: []int{c.postgres}}, builder.Keep)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(i.lock), string(plan.Lock.Encode())); diff != "" {
		t.Errorf("the lock elsewhere (-here +there):\n%s", diff)
	}
	dist := filepath.Join(e.dir, "dist")
	if _, err := builder.New(e.online).Build(t.Context(), plan, dist); err != nil {
		t.Fatal(err)
	}
	there := sumsOf(t, filepath.Join(dist, i.built.Name))
	if diff := cmp.Diff(sumsOf(t, filepath.Join(c.dir, "dist", i.built.Name)), there); diff != "" {
		t.Errorf("files elsewhere (-here +there):\n%s", diff)
	}
	if err := os.RemoveAll(filepath.Join(dist, i.built.Name)); err != nil {
		t.Fatal(err)
	}
	return len(there)
}

// sumsOf are the digests of the files below dir.
func sumsOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err == nil {
			out[rel], err = sumOf(path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

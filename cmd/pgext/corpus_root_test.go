//go:build corpus && linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/base"
	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/oracle"
)

// unpackBase makes the base's root file system for both architectures, with
// dpkg-deb and without maintainer scripts. It is kept for the next time.
func (c *corpus) unpackBase(t *testing.T) {
	t.Helper()
	oracle.Need(t, "dpkg-deb")
	user, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	a := corpusApp()
	store, err := a.openCache()
	if err != nil {
		t.Fatal(err)
	}
	fetcher := fetch.New(store, a.fetchOptions())
	opened := c.open(t, store, fetcher)
	c.roots, c.mirrors = map[string]string{}, map[string]archive.Mirror{}
	for _, o := range opened {
		c.mirrors[o.Archive.Name] = o.Mirror
		for _, r := range o.Releases {
			c.release = strings.TrimPrefix(fmt.Sprintf("%s, %s %s of %s (sha256 %s…)", c.release, r.Archive, r.Suite, r.Date.Format("2006-01-02"), r.SHA256[:12]), ", ")
		}
	}
	for _, arch := range []string{"amd64", "arm64"} {
		operand := c.operand(t, store, opened, arch)
		c.roots[arch] = filepath.Join(user, "pgext-corpus", operand.Checksum()+"-"+arch)
		if _, err := os.Stat(c.roots[arch]); err == nil {
			continue
		}
		unpackRoot(t, c.roots[arch], fetchBase(t, fetcher, store, opened, operand))
	}
}

// operand computes the base.
func (c *corpus) operand(t *testing.T, store *cache.Cache, opened []*archive.Opened, arch string) base.Base {
	t.Helper()
	var files []apt.File
	for _, o := range opened {
		for _, p := range o.Packages {
			files = append(files, apt.File{Archive: p.Archive, Suite: p.Suite, Component: p.Component, Arch: p.Arch, SHA256: p.SHA256, Open: p.Open})
		}
	}
	index, err := apt.Load(t.Context(), store, files, arch)
	if err != nil {
		t.Fatal(err)
	}
	operand, err := base.MinimalProfile(index, c.postgres)
	if err != nil {
		t.Fatal(err)
	}
	return operand
}

// open opens the archives as a recipe without a list of them has it.
func (c *corpus) open(t *testing.T, store *cache.Cache, fetcher *fetch.Fetcher) []*archive.Opened {
	t.Helper()
	names := c.archives
	if len(names) == 0 {
		names = archive.Defaults(c.distro)
	}
	var out []*archive.Opened
	for _, name := range names {
		a, err := archive.Builtin(name, c.distro)
		if err != nil {
			t.Fatal(err)
		}
		opened, err := archive.Open(t.Context(), a, []string{"amd64", "arm64"}, archive.Options{Fetcher: fetcher, Store: store, AllowExpired: true})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, opened)
	}
	return out
}

// fetchBase returns the paths of the base's packages.
func fetchBase(t *testing.T, fetcher *fetch.Fetcher, store *cache.Cache, opened []*archive.Opened, operand base.Base) []string {
	t.Helper()
	blobs := make([]fetch.Blob, len(operand.Packages))
	for i, p := range operand.Packages {
		blobs[i] = fetch.Blob{Name: p.Name, SHA256: p.SHA256, SHA512: p.SHA512, Size: p.Size}
		for _, o := range opened {
			if o.Archive.Name == p.Archive {
				blobs[i].URLs = archive.URLs(o.Archive, []archive.Mirror{o.Mirror}, p.Filename, o.Releases[0].Date)
			}
		}
	}
	digests, err := fetcher.Blobs(t.Context(), blobs)
	if err != nil {
		t.Fatal(err)
	}
	paths := make([]string, len(digests))
	for i, d := range digests {
		f, err := store.Open(d)
		if err != nil {
			t.Fatal(err)
		}
		paths[i] = f.Name()
		f.Close()
	}
	return paths
}

// unpackRoot makes dir hold what the packages hold.
func unpackRoot(t *testing.T, dir string, packages []string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "root") //nolint:usetesting // it is renamed, and stays
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(tmp) })
	for _, d := range []string{"bin", "lib", "lib64", "sbin"} { // merged, as every Debian since bookworm has it
		if err := os.MkdirAll(filepath.Join(tmp, "usr", d), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("usr/"+d, filepath.Join(tmp, d)); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range packages {
		if out, err := exec.CommandContext(t.Context(), "dpkg-deb", "--extract", p, tmp).CombinedOutput(); err != nil {
			t.Fatalf("unpacking %s: %v\n%s", p, err, out)
		}
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, dir); err != nil {
		t.Fatal(err)
	}
}

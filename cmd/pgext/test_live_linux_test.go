package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/oracle"
	"github.com/pgext/pgext/internal/pgtest"
	"github.com/pgext/pgext/internal/sandbox"
	"github.com/pgext/pgext/internal/testmirror"
)

// liveArgs are those of every command of these tests: a cache that outlives
// them, and an archive whose newest Release may be past its date.
func liveArgs(t *testing.T, args ...string) []string {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		oracle.Missing(t, "amd64", "not this machine")
	}
	testmirror.Packages(t, "forky", "amd64") // skips where there is no mirror
	s, err := sandbox.Open(t.Context(), sandbox.Spec{Root: emptyRoot(t), User: 26})
	if err != nil {
		oracle.Missing(t, "a sandbox", err.Error())
	}
	s.Close()
	home, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return append(args, "--allow-expired", "--cache-dir", filepath.Join(home, "pgext-test", "live"))
}

func emptyRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"dev", "proc"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// live runs pgext and returns its exit code and output.
func live(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(liveArgs(t, args...), &out, &errs)
	return code, out.String(), errs.String()
}

// liveRecipe writes the recipe of a package of forky.
func liveRecipe(t *testing.T, name, more string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "recipe.yaml")
	text := fmt.Sprintf("name: %s\nsource:\n  deb:\n    packages: [postgresql-18-%s]\ntargets:\n  - {distro: forky, archs: [amd64]}\n%s", name, name, more)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestLive tries pgvector out on a real server, with a script of its own.
func TestLive(t *testing.T) {
	recipe, dist := liveRecipe(t, "pgvector", "test: {sql: test.sql}\n"), t.TempDir()
	script := "SELECT '[1,2,3]'::vector <-> '[1,2,4]' AS distance \\gset\n\\if :{?distance} \\else SELECT 1/0; \\endif\n"
	if err := os.WriteFile(filepath.Join(filepath.Dir(recipe), "test.sql"), []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(dist, "junit.xml")
	code, stdout, stderr := live(t, "test", recipe, "--output", dist, "--json", "--junit", report)
	if code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	var doc testDocument
	if err := json.Unmarshal([]byte(stdout), &doc); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range doc.Images[0].Checks {
		got = append(got, string(c.Status)+" "+c.Name)
	}
	want := []string{
		"pass start", "pass available", "pass create vector", "pass create together", "pass test.sql",
		"pass restart", "pass drop vector", "pass log",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("checks (-got +want):\n%s", diff)
	}
	if xml, err := os.ReadFile(report); err != nil || !strings.Contains(string(xml), `name="create vector"`) {
		t.Errorf("the JUnit report: %v\n%s", err, xml)
	}

	t.Run("what is wrong with a spoilt image", func(t *testing.T) { testSpoilt(t, dist) })
	t.Run("a script that fails", func(t *testing.T) {
		if err := os.WriteFile(filepath.Join(filepath.Dir(recipe), "test.sql"), []byte("SELECT 1/0;\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		code, stdout, _ := live(t, "test", recipe, "--output", dist)
		if code != exitFindings || !strings.Contains(stdout, "fail test.sql: division by zero") {
			t.Errorf("exit code %d\n%s", code, stdout)
		}
		_, log, _ := strings.Cut(strings.TrimSpace(stdout), "  log: ")
		if text, err := os.ReadFile(log); err != nil || !strings.Contains(string(text), "division by zero") {
			t.Errorf("the log %q: %v", log, err)
		}
	})
}

// testSpoilt spoils the pgvector in dist in several ways; each is told.
func testSpoilt(t *testing.T, dist string) {
	t.Helper()
	for _, tc := range []struct {
		name  string
		spoil func(t *testing.T, e *filetree.Entry) (keep bool)
		want  []string
	}{
		{
			"module with mode 0600",
			func(_ *testing.T, e *filetree.Entry) bool {
				if e.Path == "lib/vector.so" {
					e.Mode = 0o600
				}
				return true
			},
			[]string{"fail create vector", "Permission denied", "lib/vector.so may not be read by everybody"},
		},
		{
			"control file with mode 0600",
			func(_ *testing.T, e *filetree.Entry) bool {
				if e.Path == "share/extension/vector.control" {
					e.Mode = 0o600
				}
				return true
			},
			[]string{"fail available", "Permission denied", "vector.control may not be read by everybody"},
		},
		{
			"no module",
			func(_ *testing.T, e *filetree.Entry) bool { return e.Path != "lib/vector.so" },
			[]string{"fail create vector", `could not access file "vector"`, "the module vector is in no image that was mounted"},
		},
		{
			"broken control file",
			func(t *testing.T, e *filetree.Entry) bool {
				t.Helper()
				if e.Path == "share/extension/vector.control" {
					replaceContent(t, e, func([]byte) []byte { return []byte("default_version = 'x\nnonsense\n") })
				}
				return true
			},
			[]string{"fail available: syntax error in file", "vector.control"},
		},
		{
			"wrong machine",
			func(t *testing.T, e *filetree.Entry) bool {
				t.Helper()
				if e.Path == "lib/vector.so" {
					replaceContent(t, e, func(b []byte) []byte {
						binary.LittleEndian.PutUint16(b[18:], 183) // e_machine: AArch64
						return b
					})
				}
				return true
			},
			[]string{"fail create vector", "was built for another machine than amd64"},
		},
		{
			"another major",
			func(t *testing.T, e *filetree.Entry) bool {
				t.Helper()
				if e.Path == "lib/vector.so" {
					replaceContent(t, e, anotherMajor)
				}
				return true
			},
			[]string{"fail create vector: incompatible library", "was built for another PostgreSQL than 18"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ref := spoil(t, filepath.Join(dist, "pgvector"), tc.spoil)
			code, stdout, stderr := live(t, "test", ref, "--output", t.TempDir())
			if code != exitFindings {
				t.Errorf("exit code %d, want %d\n%s", code, exitFindings, stderr)
			}
			for _, want := range tc.want {
				if !strings.Contains(stdout, want) {
					t.Errorf("%q is not in\n%s", want, stdout)
				}
			}
		})
	}
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

func replaceContent(t *testing.T, e *filetree.Entry, change func([]byte) []byte) {
	t.Helper()
	before, err := e.ReadAll(16 << 20)
	if err != nil {
		t.Fatal(err)
	}
	after := change(slices.Clone(before))
	if bytes.Equal(before, after) {
		t.Fatalf("%s was not changed", e.Path)
	}
	*e = fileOf(e.Path, e.Mode, after, e.ModTime)
}

func fileOf(path string, mode fs.FileMode, content []byte, at time.Time) filetree.Entry {
	sum := sha256.Sum256(content)
	return filetree.Entry{
		Path: path, Mode: mode, ModTime: at, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]), Content: filetree.Bytes(content),
	}
}

// spoil writes the image of a layout again, with every entry changed or left
// out, and returns its reference.
func spoil(t *testing.T, dir string, change func(t *testing.T, e *filetree.Entry) bool) string {
	t.Helper()
	local, _ := image.ParseRef(dir)
	entries, err := image.At(local.Dir).Entries()
	if err != nil {
		t.Fatal(err)
	}
	a, err := image.At(local.Dir).Open(entries[0].Digest.String())
	if err != nil {
		t.Fatal(err)
	}
	flat, err := image.Flatten(t.Context(), a.Images[0], image.FlattenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var list []filetree.Entry
	for e := range flat.Tree.All() {
		if change(t, &e) {
			list = append(list, e)
		}
	}
	data := tarOf(t, list)
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		t.Fatal(err)
	}
	labels, err := image.Labels(a.Images[0])
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.New(image.Spec{Platform: v1.Platform{OS: "linux", Architecture: "amd64"}, Parts: []image.Part{{Layer: layer}}, Labels: labels})
	if err != nil {
		t.Fatal(err)
	}
	idx, err := image.NewIndex([]v1.Image{img}, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	if err := image.At(out).Write(t.Context(), image.Output{Index: idx, Tags: []string{"spoilt"}}); err != nil {
		t.Fatal(err)
	}
	return "oci:" + out + ":spoilt"
}

// tarOf writes entries as they are, which pgext itself would not.
func tarOf(t *testing.T, entries []filetree.Entry) []byte {
	t.Helper()
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
			if content, err = e.ReadAll(16 << 20); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestLiveMissingLibrary drops the libraries that an image bundles.
func TestLiveMissingLibrary(t *testing.T) {
	dist := t.TempDir()
	if code, _, stderr := live(t, "build", liveRecipe(t, "pg-pwhash", ""), "--output", dist); code != 0 {
		t.Fatal(stderr)
	}
	ref := spoil(t, filepath.Join(dist, "pg-pwhash"), func(_ *testing.T, e *filetree.Entry) bool {
		return !strings.HasPrefix(e.Path, "system")
	})
	code, stdout, _ := live(t, "test", ref, "--output", t.TempDir())
	if want := "bundle: {libraries: [libscrypt"; code != exitFindings || !strings.Contains(stdout, want) {
		t.Errorf("exit code %d, %q is not in\n%s", code, want, stdout)
	}
}

// TestLivePreload finds out what a recipe forgot.
func TestLivePreload(t *testing.T) {
	code, stdout, _ := live(t, "test", liveRecipe(t, "cron", ""), "--output", t.TempDir())
	want := "hint: pg_cron must be preloaded; with it all checks pass\n    in the recipe: shared_preload_libraries: [pg_cron]\n"
	if code != exitFindings || !strings.Contains(stdout, want) {
		t.Errorf("exit code %d, %q is not in\n%s", code, want, stdout)
	}
}

// TestLiveKilled kills pgext in the middle of a test: nothing stays.
func TestLiveKilled(t *testing.T) {
	recipe, dist := liveRecipe(t, "pgvector", ""), t.TempDir()
	args := liveArgs(t, "test", recipe, "--output", dist, "-v")
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = append([]string{"pgext"}, args...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		if strings.Contains(lines.Text(), string(pgtest.Pass)+" start") {
			break
		}
	}
	family := descendants(cmd.Process.Pid)
	if len(family) < 3 {
		t.Errorf("%d processes below pgext, want its sandbox and a server", len(family))
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		left := slices.DeleteFunc(slices.Clone(family), func(pid int) bool {
			_, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
			return errors.Is(err, fs.ErrNotExist)
		})
		if len(left) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("processes that outlive pgext: %v", left)
		}
	}
	if mounts, err := os.ReadFile("/proc/self/mountinfo"); err != nil || strings.Contains(string(mounts), "pgext-test/live/rootfs") {
		t.Errorf("mounts remain: %v", err)
	}
	if code, stdout, stderr := live(t, "test", recipe, "--output", dist); code != 0 {
		t.Errorf("afterwards: exit code %d\n%s%s", code, stdout, stderr)
	}
	if left, _ := filepath.Glob(filepath.Join(args[len(args)-1], "rootfs-*", "tmp-*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

// descendants are the processes that pid started, and those that they did.
func descendants(pid int) []int {
	var out []int
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, field := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				out = append(append(out, child), descendants(child)...)
			}
		}
	}
	return out
}

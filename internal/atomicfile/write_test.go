package atomicfile_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pgext/pgext/internal/atomicfile"
	"github.com/pgext/pgext/internal/oracle"
)

func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	stat := func() os.FileInfo {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	if err := atomicfile.Write(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	first := stat()
	if got, want := first.Mode().Perm(), os.FileMode(0o644); got != want {
		t.Errorf("got mode %v, want %v", got, want)
	}
	if err := atomicfile.Write(path, []byte("one")); err != nil || !os.SameFile(first, stat()) {
		t.Errorf("the same content: error %v, the same file: %v", err, os.SameFile(first, stat()))
	}
	if err := atomicfile.Write(path, []byte("two")); err != nil || os.SameFile(first, stat()) {
		t.Errorf("other content: error %v, the same file: %v", err, os.SameFile(first, stat()))
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "two" {
		t.Errorf("got %q, %v, want %q", got, err, "two")
	}
}

func TestWriteReplacesLinks(t *testing.T) {
	dir := t.TempDir()
	path, target := filepath.Join(dir, "link"), filepath.Join(dir, "target")
	if err := os.WriteFile(target, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("target", path); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(path, []byte("ours")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(target); err != nil || string(got) != "theirs" {
		t.Errorf("got %q, %v in the link's target, want %q", got, err, "theirs")
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "ours" {
		t.Errorf("got %q, %v, want %q", got, err, "ours")
	}
}

// TestWriteFails: the error names the path, not the temporary file, a person
// can act on it, and nothing is left behind.
func TestWriteFails(t *testing.T) {
	for _, c := range []struct {
		name, path, hint string
	}{
		{"a folder is in the way", "folder", "a folder has this name"},
		{"no folder for it", "absent/file", "make the folder "},
		{"a file in the folder's place", "file/file", "it needs a folder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, c.path)
			err := atomicfile.Write(path, []byte("x"))
			var failed *atomicfile.WriteError
			if !errors.As(err, &failed) {
				t.Fatalf("got %v, want a *WriteError", err)
			}
			if !strings.HasPrefix(err.Error(), path+": ") || strings.Contains(err.Error(), atomicfile.Temporary) {
				t.Errorf("got %q, want the path and the reason", err)
			}
			if !strings.HasPrefix(failed.Hint(), c.hint) {
				t.Errorf("got hint %q, want %q", failed.Hint(), c.hint)
			}
			left, err := filepath.Glob(filepath.Join(dir, "*", atomicfile.Temporary+"*"))
			if err != nil || len(left) > 0 {
				t.Errorf("got %q, %v left behind", left, err)
			}
		})
	}
}

// TestWriteSyncs: the content is on the disk before it has its name. The system
// calls are the witness.
func TestWriteSyncs(t *testing.T) {
	if path := os.Getenv("WHOLEFILE_TEST_PATH"); path != "" {
		if err := atomicfile.Write(path, []byte("content")); err != nil {
			t.Fatal(err)
		}
		return
	}
	strace := oracle.Need(t, "strace")
	dir := t.TempDir()
	log, path := filepath.Join(dir, "log"), filepath.Join(dir, "file")
	cmd := exec.CommandContext(t.Context(), strace, "-f", "-o", log, "-e", "trace=/^(write|fsync|rename.*)$",
		os.Args[0], "-test.run=^TestWriteSyncs$")
	cmd.Env = append(os.Environ(), "WHOLEFILE_TEST_PATH="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		oracle.Missing(t, "strace", "not allowed here: "+err.Error()+": "+string(out))
	}
	calls, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	order := regexp.MustCompile(`(?s)write\(\d+, "content".*fsync\(\d+\).*rename\w*\([^\n]*` + regexp.QuoteMeta(path) + `"`)
	if !order.Match(calls) {
		t.Errorf("got these calls, want write, fsync, rename:\n%s", calls)
	}
}

package pgtest

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMissing(t *testing.T) {
	const bin = "usr/lib/postgresql/18/bin/"
	programs := []string{bin + "postgres", bin + "initdb", bin + "psql", "usr/bin/tar"}
	for _, tt := range []struct {
		name  string
		major int
		spoil func(dir string) error
		want  string
	}{
		{"all", 18, func(string) error { return nil }, ""},
		{"no server of this major", 19, func(string) error { return nil }, "usr/lib/postgresql/19/bin/postgres"},
		{"no tar", 18, func(dir string) error { return os.Remove(filepath.Join(dir, "usr/bin/tar")) }, "usr/bin/tar"},
		{"not executable", 18, func(dir string) error { return os.Chmod(filepath.Join(dir, bin, "psql"), 0o644) }, bin + "psql"},
		{"a folder", 18, func(dir string) error {
			path := filepath.Join(dir, bin, "initdb")
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.Mkdir(path, 0o755)
		}, bin + "initdb"},
		{"a link out of the root", 18, func(dir string) error {
			path := filepath.Join(dir, "usr/bin/tar")
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.Symlink("/nowhere", path)
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, p := range programs {
				path := filepath.Join(dir, p)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, nil, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := tt.spoil(dir); err != nil {
				t.Fatal(err)
			}
			if got, err := Missing(dir, tt.major); err != nil || got != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
	if _, err := Missing(filepath.Join(t.TempDir(), "absent"), 18); err == nil {
		t.Error("a root that does not exist: no error")
	}
}

package recipe

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// write creates a file below dir.
func write(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "many/b/recipe.yaml", smallest)
	write(t, dir, "many/a/recipe.yaml", smallest)
	write(t, dir, "many/notes/readme.txt", "")
	write(t, dir, "many/readme.txt", "")
	write(t, dir, "x.yaml", smallest)
	for _, tt := range []struct {
		path string
		want []string
	}{
		{"x.yaml", []string{"x.yaml"}},
		{"many/a", []string{"many/a/recipe.yaml"}},
		{"many", []string{"many/a/recipe.yaml", "many/b/recipe.yaml"}},
	} {
		t.Run(tt.path, func(t *testing.T) {
			recipes, err := Load(filepath.Join(dir, tt.path))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range recipes {
				got = append(got, strings.TrimPrefix(r.Path, dir+"/"))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Load() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "none/readme.txt", "")
	write(t, dir, "bad/a/recipe.yaml", "name: a\n")
	write(t, dir, "bad/b/recipe.yaml", smallest)
	write(t, dir, "bad/c/recipe.yaml", "[]")
	write(t, dir, "large.yaml", strings.Repeat("#", MaxSize+2))

	for _, name := range []string{"none", "absent", "absent.yaml"} {
		_, err := Load(filepath.Join(dir, name))
		var missing *NotFoundError
		if !errors.As(err, &missing) || missing.ExitCode() != 10 || missing.Hint() == "" {
			t.Errorf("Load(%s) = %v, want a *NotFoundError", name, err)
		}
		if strings.HasPrefix(name, "absent") != errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Load(%s) = %v", name, err)
		}
	}
	_, err := Load(filepath.Join(dir, "bad"))
	if err == nil {
		t.Fatal("Load() accepted bad recipes")
	}
	want := "bad/a/recipe.yaml:1:1: source: is required: one of deb, pgxs, tree\nbad/c/recipe.yaml:1:1: want a mapping, got a list"
	if diff := cmp.Diff(want, strings.ReplaceAll(err.Error(), dir+"/", "")); diff != "" {
		t.Errorf("Load() (-want +got):\n%s", diff)
	}
	if _, err := Load(filepath.Join(dir, "large.yaml")); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("Load() = %v, want an error for the size", err)
	}
}

func TestLoadHint(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "recipes/postgis-3/recipe.yaml", smallest)
	write(t, dir, "recipes/postgos/readme.txt", "")
	write(t, dir, "recipes/vector.yaml", smallest)
	if err := os.Symlink("absent", filepath.Join(dir, "recipes/hypopg.yaml")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ path, want string }{
		{"recipes/postgis", "did you mean recipes/postgis-3?"},
		{"recipes/postgis/", "did you mean recipes/postgis-3?"},
		{"./recipes/vectro.yaml", "did you mean recipes/vector.yaml?"},
		{"recipes/hypopg.yaml", "RECIPE is a file"}, // which leads nowhere
		{"recipe", "RECIPE is a file"},
		{"recipes/timescaledb", "RECIPE is a file"},
		{"absent/postgis", "RECIPE is a file"},
	} {
		t.Run(tt.path, func(t *testing.T) {
			t.Chdir(dir)
			_, err := Load(tt.path)
			var missing *NotFoundError
			if !errors.As(err, &missing) {
				t.Fatalf("Load() = %v, want a *NotFoundError", err)
			}
			if got := missing.Hint(); !strings.HasPrefix(got, tt.want) {
				t.Errorf("Hint() = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLockPath(t *testing.T) {
	for _, tt := range []struct{ recipe, want string }{
		{"recipe.yaml", "pgext.lock"},
		{"recipes/pgvector/recipe.yaml", "recipes/pgvector/pgext.lock"},
		{"a/x.yaml", "a/x.lock"},
		{"x.yml", "x.lock"},
		{"./a.b/x", "./a.b/x.lock"},
	} {
		if got := LockPath(tt.recipe); got != tt.want {
			t.Errorf("LockPath(%q) = %q, want %q", tt.recipe, got, tt.want)
		}
	}
}

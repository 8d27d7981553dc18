package recipe

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/text"
)

// FileName is the name of a recipe in a folder of its own.
const FileName = "recipe.yaml"

// NotFoundError reports that a path names no recipe.
type NotFoundError struct {
	Path string
	// Near is the neighbour that Path was most likely meant to be; "" when there is none.
	Near string
	// Err is the error of the file system; nil if the path exists.
	Err error
}

// Error returns the path and what is not there.
func (e *NotFoundError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("loading recipe: %v", e.Err)
	}
	return fmt.Sprintf("loading recipe: %s has no %s, nor has a folder in it", e.Path, FileName)
}

// Unwrap returns what the file system said.
func (e *NotFoundError) Unwrap() error { return e.Err }

// ExitCode returns 10: there is no valid recipe.
func (e *NotFoundError) ExitCode() int { return 10 }

// Hint names the recipe that was likely meant, else what a recipe argument may be.
func (e *NotFoundError) Hint() string {
	if e.Near != "" {
		return "did you mean " + e.Near + "?"
	}
	return "RECIPE is a file, a folder with " + FileName + ", or a folder of such folders; pgext init PACKAGE writes one"
}

// Load reads the recipes that path names: a file, a folder with recipe.yaml,
// or a folder of such folders, in the order of their names. The error is an
// *Errors with the problems of all of them, or a *NotFoundError.
func Load(path string) ([]*Recipe, error) {
	files, err := find(path)
	if err != nil {
		return nil, err
	}
	var recipes []*Recipe
	var faults Errors
	for _, file := range files {
		data, err := read(file)
		if err != nil {
			return nil, err
		}
		r, err := Parse(file, data)
		var problems *Errors
		switch {
		case errors.As(err, &problems):
			faults.Problems = append(faults.Problems, problems.Problems...)
			faults.More += problems.More
		default:
			recipes = append(recipes, r)
		}
	}
	if len(faults.Problems) > 0 {
		return nil, &faults
	}
	return recipes, nil
}

// find returns the files of the recipes that path names.
func find(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, &NotFoundError{Path: path, Near: neighbour(path), Err: err}
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	if own := filepath.Join(path, FileName); isFile(own) {
		return []string{own}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("loading recipes: %w", err)
	}
	var files []string
	for _, e := range entries {
		if file := filepath.Join(path, e.Name(), FileName); isFile(file) {
			files = append(files, file)
		}
	}
	if len(files) == 0 {
		return nil, &NotFoundError{Path: path}
	}
	return files, nil
}

// neighbour returns the recipe in path's folder whose name is nearest to path's;
// "" when none is near.
func neighbour(path string) string {
	parent, name := filepath.Split(filepath.Clean(path))
	entries, err := os.ReadDir(filepath.Clean(parent))
	if err != nil {
		return "" // the error at hand is that path is not there
	}
	var names []string
	for _, e := range entries {
		if at := filepath.Join(parent, e.Name()); isFile(filepath.Join(at, FileName)) || isRecipeFile(at) {
			names = append(names, e.Name())
		}
	}
	if near := text.Nearest(name, names); near != "" {
		return parent + near
	}
	return ""
}

func isRecipeFile(path string) bool {
	return slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(path)) && isFile(path)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// read returns the bytes of a file, one more than MaxSize at most: Parse
// refuses what is larger.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &NotFoundError{Path: path, Err: err}
	}
	if err != nil {
		return nil, fmt.Errorf("loading recipe: %w", err)
	}
	defer f.Close() // read side: the read error is the one that counts
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("loading recipe %s: %w", path, err)
	}
	return data, nil
}

// LockPath returns where the lock of a recipe is: pgext.lock beside
// recipe.yaml, x.lock beside x.yaml.
func LockPath(recipePath string) string {
	dir, file := filepath.Split(recipePath)
	if file == FileName {
		return dir + "pgext.lock"
	}
	return dir + strings.TrimSuffix(file, filepath.Ext(file)) + ".lock"
}

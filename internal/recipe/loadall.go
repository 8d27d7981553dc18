package recipe

import (
	"fmt"
	"path/filepath"
)

// LoadAll reads the recipes that paths name, each once, in the order in which
// they are named first. The error is as of Load, or a *SameImageError.
func LoadAll(paths []string) ([]*Recipe, error) {
	var all []*Recipe
	seen := map[string]string{}
	for _, path := range paths {
		recipes, err := Load(path)
		if err != nil {
			return nil, err
		}
		for _, r := range recipes {
			other, known := seen[r.Image]
			switch {
			case !known:
				seen[r.Image] = r.Path
				all = append(all, r)
			case filepath.Clean(other) != filepath.Clean(r.Path):
				return nil, &SameImageError{Image: r.Image, Paths: [2]string{other, r.Path}}
			}
		}
	}
	return all, nil
}

// SameImageError is about two recipes that would overwrite each other's image.
type SameImageError struct {
	Image string
	Paths [2]string
}

func (e *SameImageError) Error() string {
	return fmt.Sprintf("%s and %s both make the image %s", e.Paths[0], e.Paths[1], e.Image)
}

// Hint names the field to change.
func (*SameImageError) Hint() string { return "give one of them another image" }

// ExitCode is 10: the recipes together are invalid.
func (*SameImageError) ExitCode() int { return 10 }

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"github.com/pgext/pgext/internal/pgtest"
	"github.com/pgext/pgext/internal/regress"
)

// regressFlags name a regression suite.
type regressFlags struct {
	dir            string
	tests, options []string
}

func (f *regressFlags) bind(fs *pflag.FlagSet) {
	fs.StringVar(&f.dir, "regress", "", "source tree of the extension, whose regression suite (pg_regress) runs too")
	fs.StringSliceVar(&f.tests, "regress-tests", nil, "tests of the suite instead of those that its Makefile names")
	fs.StringArrayVar(&f.options, "regress-option", nil, "option of pg_regress besides those of the Makefile, such as --load-extension=NAME")
}

// suite returns the suite that was asked for; nil is none.
func (f regressFlags) suite(images []string) (*pgtest.Suite, error) {
	switch {
	case f.dir == "" && len(f.tests)+len(f.options) > 0:
		return nil, usageErrorf("--regress-tests and --regress-option need --regress")
	case f.dir == "":
		return nil, nil //nolint:nilnil // no suite is what was asked for
	case len(images) != 1:
		return nil, usageErrorf("--regress needs one image, and %d are named", len(images))
	}
	dir, err := filepath.Abs(f.dir)
	if err != nil {
		return nil, err
	}
	if err := regress.Find(os.DirFS(dir)); err != nil {
		return nil, fmt.Errorf("--regress %s: %w", f.dir, err)
	}
	return &pgtest.Suite{Dir: dir, Tests: f.tests, Options: f.options}, nil
}

// withSuite gives the subjects a suite. Architectures of one image are one
// image.
func withSuite(subjects []subject, suite *pgtest.Suite) ([]subject, error) {
	if suite == nil {
		return subjects, nil
	}
	var names []string
	for i := range subjects {
		subjects[i].suite = suite
		if name := subjects[i].Metadata.Name; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) > 1 {
		return nil, usageErrorf("--regress needs one image, and these are %d: %q", len(names), names)
	}
	return subjects, nil
}

package finding_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pgext/pgext/internal/finding"
)

var codePattern = regexp.MustCompile(`PGX\d{3}`)

// TestEveryCodeIsUsed checks that product code uses every registered code, that a
// test expects it, and that product code uses no unregistered code.
func TestEveryCodeIsUsed(t *testing.T) {
	made, expected := mentions(t, "../..")
	for _, k := range finding.Kinds() {
		if made[k.Code] == "" {
			t.Errorf("%s (%s): not used in product code", k.Code, k.Title)
		}
		if expected[k.Code] == "" {
			t.Errorf("%s (%s): not used in a test", k.Code, k.Title)
		}
	}
	for code, file := range made {
		if _, ok := finding.Lookup(code); !ok {
			t.Errorf("%s: %s is not registered", file, code)
		}
	}
}

// mentions maps the codes in product files and the codes in tests to one of the
// files. It skips this package.
func mentions(t *testing.T, root string) (made, expected map[string]string) {
	t.Helper()
	made, expected = map[string]string{}, map[string]string{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == ".git" || name == "bin" || filepath.ToSlash(file) == root+"/internal/finding" {
				return filepath.SkipDir
			}
			return nil
		}
		into := made
		switch {
		case strings.HasSuffix(file, "_test.go"), filepath.Ext(file) == ".txtar":
			into = expected
		case filepath.Ext(file) != ".go":
			return nil
		}
		text, err := os.ReadFile(file)
		for _, code := range codePattern.FindAllString(string(text), -1) {
			into[code] = file
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return made, expected
}

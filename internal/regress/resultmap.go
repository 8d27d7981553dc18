package regress

import (
	"errors"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// resultMap reads the lines TEST:TYPE:PLATFORM=FILE of the input folder's
// resultmap. PLATFORM is a regular expression of which only . and .* are
// special, and which matches at the start; the last line that matches counts.
func (i *Invocation) resultMap(fsys fs.FS, platform string) error {
	name := path.Join(i.InputDir, "resultmap")
	text, err := ReadFile(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for n, line := range strings.Split(strings.TrimRight(string(text), "\n"), "\n") {
		test, rest, ok := strings.Cut(strings.TrimSpace(line), ":")
		kind, rest, ok2 := strings.Cut(rest, ":")
		pattern, file, ok3 := strings.Cut(rest, "=")
		if !ok || !ok2 || !ok3 || strings.Contains(file, "/") {
			return refuse("", "%s:%d: %q is not a line of a resultmap", name, n+1, line)
		}
		if kind == "out" && matchesPlatform(platform, pattern) {
			if i.ResultMap == nil {
				i.ResultMap = map[string]string{}
			}
			i.ResultMap[test] = file
		}
	}
	return nil
}

func matchesPlatform(platform, pattern string) bool {
	quoted := regexp.QuoteMeta(pattern)
	quoted = strings.NewReplacer(`\.\*`, ".*", `\.`, ".").Replace(quoted)
	ok, err := regexp.MatchString("^"+quoted, platform)
	return err == nil && ok
}

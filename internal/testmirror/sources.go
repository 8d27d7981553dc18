package testmirror

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fallback is used where apt has no sources.
const fallback = "http://ftp.debian.org/debian"

// URL returns the root of the Debian mirror, without a slash at its end:
// $PGEXT_TEST_MIRROR, or the first root called "debian" among the apt sources
// of this machine, or the official one.
func URL(tb testing.TB) string {
	tb.Helper()
	if url := os.Getenv("PGEXT_TEST_MIRROR"); url != "" {
		return strings.TrimRight(url, "/")
	}
	return cmp.Or(root("/etc/apt"), fallback)
}

// root returns the first Debian root in the apt sources below dir; "" when
// there is none.
func root(dir string) string {
	var files []string
	for _, pattern := range []string{"sources.list", "sources.list.d/*.list", "sources.list.d/*.sources"} {
		found, _ := filepath.Glob(filepath.Join(dir, pattern)) // the patterns are well-formed
		files = append(files, found...)
	}
	slices.Sort(files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for word := range wordsOf(string(text), strings.HasSuffix(file, ".sources")) {
			url := strings.TrimRight(word, "/")
			if strings.HasPrefix(url, "http") && strings.HasSuffix(url, "/debian") {
				return url
			}
		}
	}
	return ""
}

// wordsOf yields the words of the lines that can name a root: "deb …" lines
// of the one-line style, the URIs field of the deb822 style.
func wordsOf(text string, deb822 bool) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		inside := false
		for line := range strings.Lines(text) {
			switch {
			case strings.HasPrefix(line, "#"):
				continue
			case !deb822:
				inside = strings.HasPrefix(line, "deb ")
			case !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "\t"):
				inside = strings.HasPrefix(strings.ToLower(line), "uris:")
			}
			if !inside {
				continue
			}
			for _, word := range strings.Fields(line) {
				if !yield(word) {
					return
				}
			}
		}
	}
}

//go:build ignore

// Prose counts phrases that readers with English as a second language
// misunderstand, per 1,000 lines of comments, of user-visible strings and of
// Markdown, and exits with status 1 if a limit is exceeded.
//
//	go run .ci/prose.go [-v] [PATH…]
//
// PATH is a file or a folder; the default is the whole repository. With -v each
// occurrence is printed with its position.
package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// phrases are the patterns counted, with the occurrences allowed per 1,000 lines
// of strings and Markdown, and of comments. The limits of comments are what the
// comments measure today; they are lowered as comments are rewritten, to those of
// strings.
var phrases = []struct {
	name            string
	pattern         *regexp.Regexp
	limit, comments float64
}{
	{"tell, told", regexp.MustCompile(`(?i)\b(tells?|told|telling)\b`), 3, 8},
	{"say, said", regexp.MustCompile(`(?i)\b(says?|said|saying)\b`), 4, 12},
	{"X is what, that of, the one", regexp.MustCompile(`(?i)\b(is|are|was|were) (what|that of|those (of|that|which|who)|the ones?|who)\b`), 2, 11},
	{"nobody, somebody, anybody", regexp.MustCompile(`(?i)\b(nobody|somebody|anybody)\b`), 1, 2},
}

// A kind of text has its own count.
type kind struct {
	name  string
	lines int
	found []int
}

func main() {
	verbose := flag.Bool("v", false, "print each occurrence")
	flag.Parse()
	paths := flag.Args()
	if len(paths) == 0 {
		paths = []string{"."}
	}
	kinds := map[string]*kind{}
	add := func(name, where string, lines ...string) {
		k := kinds[name]
		if k == nil {
			k = &kind{name: name, found: make([]int, len(phrases))}
			kinds[name] = k
		}
		for _, line := range lines {
			if strings.TrimSpace(line) == "" {
				continue
			}
			k.lines++
			for i, p := range phrases {
				hits := p.pattern.FindAllString(line, -1)
				k.found[i] += len(hits)
				if *verbose && len(hits) > 0 {
					fmt.Printf("%s: %s: %s\n", where, strings.Join(hits, ", "), strings.TrimSpace(line))
				}
			}
		}
	}
	for _, path := range paths {
		err := filepath.WalkDir(strings.TrimSuffix(path, "/..."), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == ".git" || d.Name() == "bin" || d.Name() == "dist"):
				return filepath.SkipDir
			case d.IsDir():
				return nil
			case strings.HasSuffix(path, ".go"):
				return readGo(path, add)
			case strings.HasSuffix(path, ".md"):
				data, err := os.ReadFile(path)
				add("markdown", path, strings.Split(string(data), "\n")...)
				return err
			}
			return nil
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(print(kinds))
}

// readGo adds the comments of a file and, unless it is a test, the string
// literals with a space in them.
func readGo(path string, add func(kind, where string, lines ...string)) error {
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, path, nil, parser.ParseComments)
	if err != nil {
		return err
	}
	for _, group := range f.Comments {
		for _, c := range group.List {
			for _, line := range strings.Split(c.Text, "\n") {
				add("comments", files.Position(c.Pos()).String(), strings.Trim(line, "/* \t"))
			}
		}
	}
	if strings.HasSuffix(path, "_test.go") {
		return nil
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil && strings.Contains(s, " ") {
				add("strings", files.Position(lit.Pos()).String(), strings.Split(s, "\n")...)
			}
		}
		return true
	})
	return nil
}

// print writes the table and returns the exit status.
func print(kinds map[string]*kind) int {
	status := 0
	for _, name := range []string{"comments", "strings", "markdown"} {
		k := kinds[name]
		if k == nil {
			continue
		}
		for i, p := range phrases {
			rate := float64(k.found[i]) * 1000 / float64(k.lines)
			limit, verdict := p.limit, ""
			if name == "comments" {
				limit = p.comments
			}
			if rate > limit {
				verdict, status = "  OVER", 1
			}
			fmt.Printf("%-9s %-30s %5d in %6d lines  %5.1f per 1,000 (limit %g)%s\n", k.name, p.name, k.found[i], k.lines, rate, limit, verdict)
		}
	}
	return status
}

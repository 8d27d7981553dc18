//go:build ignore

// Mutants measures whether the tests notice broken code. It chooses branches of
// the product at random, forces the condition of one at a time to true or to
// false, and runs the tests of the package, then of the packages that import
// it, then the scripts of cmd/pgext, until one fails.
//
//	go run .ci/mutants.go [-n 100] [-seed 1] [-jobs 2] [PACKAGE…]
//
// Branches that only pass an error on (if err != nil { return …, err }) are not
// chosen. A survivor is printed with its position; one that cannot change the
// behaviour is listed in .ci/mutants.txt with the reason, as
// "FILE: CONDITION: always|never: reason", and counted apart. The exit status is
// 1 if fewer than 95 % of the others are killed.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// A branch is the condition of an if statement or of a case without a value.
type branch struct {
	file       string // relative to the repository
	pkg        string // import path
	line       int
	start, end int // byte offsets of the condition
	condition  string
}

// A mutant is a branch with a forced condition.
type mutant struct {
	branch
	value bool
}

// listed is what go list prints about a package.
type listed struct {
	ImportPath, Dir, Name                       string
	GoFiles, TestGoFiles, XTestGoFiles, Imports []string
	TestImports, XTestImports                   []string
}

func main() {
	log.SetFlags(0)
	n := flag.Int("n", 100, "mutants")
	seed := flag.Uint64("seed", 1, "seed of the choice")
	jobs := flag.Int("jobs", 2, "mutants at a time")
	limit := flag.Duration("timeout", 4*time.Minute, "time for the tests of one step; a mutant that exceeds it is killed")
	flag.Parse()
	packages := goList("./...")
	chosen := packages
	if flag.NArg() > 0 {
		chosen = goList(flag.Args()...)
	}
	var branches []branch
	for _, p := range chosen {
		if isProduct(p) {
			branches = append(branches, branchesOf(p)...)
		}
	}
	if len(branches) == 0 {
		log.Fatal("no branches")
	}
	r := rand.New(rand.NewPCG(*seed, 0))
	r.Shuffle(len(branches), func(i, j int) { branches[i], branches[j] = branches[j], branches[i] })
	mutants := make([]mutant, min(*n, len(branches)))
	for i := range mutants {
		mutants[i] = mutant{branches[i], r.IntN(2) == 0}
	}
	equivalent := readEquivalent(".ci/mutants.txt")
	fmt.Printf("%d mutants of %d branches, seed %d\n", len(mutants), len(branches), *seed)
	killed, survived, same := run(mutants, packages, equivalent, *jobs, *limit)
	rate := 100 * float64(killed) / float64(max(1, killed+survived))
	fmt.Printf("%d killed, %d survived, %d equivalent: %.1f %% killed\n", killed, survived, same, rate)
	if rate < 95 {
		os.Exit(1)
	}
}

// run tries the mutants and prints one line for each.
func run(mutants []mutant, packages []listed, equivalent map[string]string, jobs int, limit time.Duration) (killed, survived, same int) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	queue := make(chan mutant)
	for range jobs {
		wg.Go(func() {
			for m := range queue {
				started := time.Now()
				verdict := equivalent[m.key()]
				switch {
				case verdict != "":
					verdict = "equivalent: " + verdict
				default:
					verdict = try(m, packages, limit)
				}
				mu.Lock()
				switch {
				case strings.HasPrefix(verdict, "killed"):
					killed++
				case strings.HasPrefix(verdict, "equivalent"):
					same++
				default:
					survived++
				}
				fmt.Printf("%s:%d: %s: %s: %s (%.0f s)\n", m.file, m.line, m.condition, m.kind(), verdict, time.Since(started).Seconds())
				mu.Unlock()
			}
		})
	}
	for _, m := range mutants {
		queue <- m
	}
	close(queue)
	wg.Wait()
	return killed, survived, same
}

func (m mutant) kind() string {
	if m.value {
		return "always"
	}
	return "never"
}

func (m mutant) key() string { return m.file + ": " + m.condition + ": " + m.kind() }

// try runs the tests step by step until one fails.
func try(m mutant, packages []listed, limit time.Duration) string {
	dir, err := os.MkdirTemp("", "mutant")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	src, err := os.ReadFile(m.file)
	if err != nil {
		log.Fatal(err)
	}
	force := " && false)"
	if m.value {
		force = " || true)"
	}
	mutated := slices.Concat(src[:m.start], []byte("(("+m.condition+")"+force), src[m.end:])
	file, err := filepath.Abs(m.file)
	if err != nil {
		log.Fatal(err)
	}
	copied, overlay := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{file: copied}})
	if err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(copied, mutated, 0o600), os.WriteFile(overlay, replace, 0o600)); err != nil {
		log.Fatal(err)
	}
	for _, step := range steps(m.pkg, packages) {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-vet=off", "-count=1", "-failfast", "-overlay", overlay}, step...)...)
		cmd.WaitDelay = 5 * time.Second
		out, err := cmd.CombinedOutput()
		late := ctx.Err() != nil
		cancel()
		switch {
		case err == nil:
			continue
		case late:
			return "killed by the time limit"
		}
		if bytes.Contains(out, []byte("[build failed]")) {
			return "killed by the compiler"
		}
		if name := failedTest(out); name != "" {
			return "killed by " + name
		}
		return "killed by " + strings.Join(step, " ")
	}
	return "SURVIVED"
}

func failedTest(out []byte) string {
	for line := range strings.Lines(string(out)) {
		if _, rest, ok := strings.Cut(line, "--- FAIL: "); ok {
			return strings.Fields(rest)[0]
		}
	}
	return ""
}

// steps returns the arguments of go test, one step after the other: the
// package, its importers, the scripts of the program.
func steps(pkg string, packages []listed) [][]string {
	var importers []string
	program := ""
	for _, p := range packages {
		if p.Name == "main" && strings.HasSuffix(p.ImportPath, "/cmd/pgext") {
			program = p.ImportPath
			continue
		}
		tested := len(p.TestGoFiles)+len(p.XTestGoFiles) > 0
		if tested && p.ImportPath != pkg && slices.Contains(slices.Concat(p.Imports, p.TestImports, p.XTestImports), pkg) {
			importers = append(importers, p.ImportPath)
		}
	}
	all := [][]string{{pkg}}
	if len(importers) > 0 {
		all = append(all, importers)
	}
	if pkg != program {
		all = append(all, []string{"-run", "^TestScript$", program})
	}
	return all
}

// isProduct reports whether a package is part of the program.
func isProduct(p listed) bool {
	name := p.ImportPath[strings.LastIndex(p.ImportPath, "/")+1:]
	return !strings.HasSuffix(name, "test") || name == "pgtest" || name == "imagetest"
}

func branchesOf(p listed) []branch {
	var all []branch
	for _, name := range p.GoFiles {
		path := filepath.Join(p.Dir, name)
		src, err := os.ReadFile(path)
		if err != nil {
			log.Fatal(err)
		}
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, path, src, 0)
		if err != nil {
			log.Fatal(err)
		}
		wd, err := os.Getwd()
		if err != nil {
			log.Fatal(err)
		}
		rel, err := filepath.Rel(wd, path)
		if err != nil {
			log.Fatal(err)
		}
		add := func(cond ast.Expr) {
			start, end := files.Position(cond.Pos()), files.Position(cond.End())
			text := string(src[start.Offset:end.Offset])
			if !strings.Contains(text, "\n") {
				all = append(all, branch{rel, p.ImportPath, start.Line, start.Offset, end.Offset, text})
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.IfStmt:
				if !passesErrorOn(n) {
					add(n.Cond)
				}
			case *ast.SwitchStmt:
				if n.Tag != nil {
					break
				}
				for _, c := range n.Body.List {
					if c := c.(*ast.CaseClause); len(c.List) == 1 {
						add(c.List[0])
					}
				}
			}
			return true
		})
	}
	return all
}

// passesErrorOn reports whether a statement only returns or wraps an error.
func passesErrorOn(n *ast.IfStmt) bool {
	var cond bytes.Buffer
	if err := format.Node(&cond, token.NewFileSet(), n.Cond); err != nil {
		log.Fatal(err)
	}
	c := strings.ToLower(cond.String())
	if !strings.HasSuffix(c, "err != nil") || strings.Contains(c, "&&") || strings.Contains(c, "||") || len(n.Body.List) != 1 {
		return false
	}
	_, returns := n.Body.List[0].(*ast.ReturnStmt)
	return returns && n.Else == nil
}

func goList(patterns ...string) []listed {
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Dir,Name,GoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports"}, patterns...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		log.Fatal(err)
	}
	var packages []listed
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p listed
		if err := d.Decode(&p); err != nil {
			log.Fatal(err)
		}
		packages = append(packages, p)
	}
	return packages
}

// readEquivalent reads the mutants that change nothing, with the reasons.
func readEquivalent(path string) map[string]string {
	known := map[string]string{}
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		log.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		for _, kind := range []string{": always: ", ": never: "} {
			if key, reason, ok := strings.Cut(strings.TrimSpace(line), kind); ok && !strings.HasPrefix(line, "#") {
				known[key+strings.TrimSuffix(kind, ": ")] = reason
			}
		}
	}
	return known
}

package main

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/pgext/pgext/debextract/debtest"
	"github.com/pgext/pgext/internal/archive/archivetest"
	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/elf/elftest"
)

// served is an archive that a script serves.
type served struct {
	*archivetest.Archive
	url string

	mu      sync.Mutex
	stalled map[string]chan struct{} // closed at the first request
}

// ServeHTTP answers as the archive does, save for stalled files: of these it
// sends the first half.
func (s *served) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/archive/")
	s.mu.Lock()
	asked := s.stalled[name]
	s.mu.Unlock()
	if asked == nil {
		s.Archive.ServeHTTP(w, r)
		return
	}
	data := s.File(name)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.Write(data[:len(data)/2])
	w.(http.Flusher).Flush()
	s.mu.Lock()
	select {
	case <-asked:
	default:
		close(asked)
	}
	s.mu.Unlock()
	<-r.Context().Done()
}

// cmdArchive serves a signed archive, or publishes anew in the one that is
// served: what testdata/archive.txtar has, and the packages of a folder, which
// replace those of the same name and version. It sets $ARCHIVE to the URL,
// replaces that word in every recipe below $WORK and puts the public key
// beside them as key.asc.
//
//	-name NAME     for several archives: the variable and, in lower case, the key
//	-suite SUITE   default forky
//	-from FOLDER   default packages
//	-pgdg          looks like apt.postgresql.org instead of Debian
//	-only          without the packages of testdata/archive.txtar
//	-unsigned, -wrong-key, -expired, -detached
func cmdArchive(ts *testscript.TestScript, neg bool, args []string) {
	flags := flag.NewFlagSet("archive", flag.ContinueOnError)
	name := flags.String("name", "ARCHIVE", "")
	suite := flags.String("suite", "forky", "")
	from := flags.String("from", "packages", "")
	pgdg := flags.Bool("pgdg", false, "")
	only := flags.Bool("only", false, "")
	unsigned := flags.Bool("unsigned", false, "")
	wrongKey := flags.Bool("wrong-key", false, "")
	expired := flags.Bool("expired", false, "")
	detached := flags.Bool("detached", false, "")
	if err := flags.Parse(args); err != nil || neg || flags.NArg() > 0 {
		ts.Fatalf("usage: archive [flags]")
	}
	state := stateOf(ts)
	packages := map[string]archivetest.Package{}
	if !*only {
		maps.Copy(packages, standardPackages())
	}
	maps.Copy(packages, packagesIn(ts, ts.MkAbs(*from)))
	var all []archivetest.Package
	for _, id := range slices.Sorted(maps.Keys(packages)) {
		all = append(all, packages[id])
	}
	s := archivetest.Debian(*suite, *suite, all...)
	if *pgdg {
		s = archivetest.PGDG(strings.TrimSuffix(*suite, "-pgdg"), all...)
	}
	s.Formats = []string{".xz"}
	s.Unsigned, s.Detached = *unsigned, *detached
	if *wrongKey {
		s.Signers = []*archivetest.Key{archivetest.NewKey(state.tb, archivetest.KeyOptions{Name: "somebody else"})}
	}
	if *expired {
		s.Date = time.Now().AddDate(0, 0, -30).Truncate(time.Second)
		s.ValidUntil = s.Date.AddDate(0, 0, 7)
	}
	a := state.archives[*name]
	if a == nil {
		a = &served{Archive: archivetest.New(state.tb), stalled: map[string]chan struct{}{}}
		server := httptest.NewServer(a)
		ts.Defer(server.Close)
		a.url = server.URL + "/archive"
		state.archives[*name] = a
	}
	a.Update(s)
	ts.Setenv(*name, a.url)
	ts.Check(introduce(ts.Getenv("WORK"), *name, a))
}

// introduce tells the recipes below a folder of an archive.
func introduce(dir, name string, a *served) error {
	key := "key.asc"
	if name != "ARCHIVE" {
		key = strings.ToLower(name) + ".asc"
	}
	return filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(file) != ".yaml" {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		changed := bytes.ReplaceAll(text, []byte("$"+name), []byte(a.url))
		if err := os.WriteFile(file, changed, 0o644); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(filepath.Dir(file), key), a.Key(), 0o644)
	})
}

// standardPackages are those of testdata/archive.txtar: what the base is
// computed from, and pgvector.
var standardPackages = sync.OnceValue(func() map[string]archivetest.Package {
	ar, err := txtar.ParseFile("testdata/archive.txtar")
	if err != nil {
		panic(err)
	}
	out := map[string]archivetest.Package{}
	for _, f := range ar.Files {
		maps.Copy(out, buildPackage(f.Name, string(f.Data)))
	}
	return out
})

// packagesIn builds the packages that the files of a folder describe.
func packagesIn(ts *testscript.TestScript, dir string) map[string]archivetest.Package {
	out := map[string]archivetest.Package{}
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return out
	}
	ts.Check(err)
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		ts.Check(err)
		maps.Copy(out, buildPackage(e.Name(), string(text)))
	}
	return out
}

// buildPackage returns the packages that a description stands for, by name,
// version and architecture. A description is a control paragraph, an empty
// line, and the files, each as "path = content", "path -> target" or
// "path = elf …"; in the content \n ends a line. Package is the description's
// name, Version 1.0-1, Architecture any (one package for amd64 and one for
// arm64) and Maintainer nobody where the paragraph does not say otherwise. In a
// path ${tuple} stands for the architecture's, such as x86_64-linux-gnu.
func buildPackage(name, text string) map[string]archivetest.Package {
	head, files, _ := strings.Cut(strings.TrimSpace(text), "\n\n")
	if strings.HasPrefix(text, "\n") {
		head, files = "", text
	}
	control := map[string]string{}
	for line := range strings.Lines(head) {
		field, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			panic(fmt.Sprintf("package %s: %q is not a field", name, line))
		}
		control[field] = value
	}
	for field, value := range map[string]string{
		"Package": name, "Version": "1.0-1", "Architecture": "any",
		"Maintainer": "nobody <nobody@example.org>", "Description": "a package for tests",
	} {
		if control[field] == "" {
			control[field] = value
		}
	}
	archs := []string{control["Architecture"]}
	if archs[0] == "any" {
		archs = []string{"amd64", "arm64"}
	}
	out := map[string]archivetest.Package{}
	for _, arch := range archs {
		control["Architecture"] = arch
		var paragraph strings.Builder
		for _, field := range []string{"Package", "Source", "Version", "Architecture"} {
			if control[field] != "" {
				fmt.Fprintf(&paragraph, "%s: %s\n", field, control[field])
			}
		}
		for _, field := range slices.Sorted(maps.Keys(control)) {
			if !slices.Contains([]string{"Package", "Source", "Version", "Architecture"}, field) {
				fmt.Fprintf(&paragraph, "%s: %s\n", field, control[field])
			}
		}
		deb := debtest.Build(debtest.Deb{Control: paragraph.String(), Files: packageFiles(control["Package"], arch, files)})
		out[fmt.Sprintf("%s %s %s", control["Package"], control["Version"], arch)] = archivetest.FromDeb(deb)
	}
	return out
}

func packageFiles(name, arch, text string) []debtest.File {
	doc := "usr/share/doc/" + name + "/copyright"
	out := []debtest.File{{Path: doc, Content: copyright}}
	known, _ := debian.LookupArchitecture(arch)
	for line := range strings.Lines(text) {
		line = strings.ReplaceAll(strings.TrimSpace(line), "${tuple}", known.Tuple)
		if line == "" {
			continue
		}
		if file, target, ok := strings.Cut(line, " -> "); ok {
			out = append(out, debtest.File{Path: file, Link: target})
			continue
		}
		file, content, ok := strings.Cut(line, " =")
		if !ok {
			panic(fmt.Sprintf("package %s: %q is neither PATH = CONTENT nor PATH -> TARGET", name, line))
		}
		content = strings.ReplaceAll(strings.TrimPrefix(content, " "), `\n`, "\n")
		if spec, ok := strings.CutPrefix(content, "elf"); ok {
			content = string(elftest.Build(elfSpec(arch, spec)))
		}
		f := debtest.File{Path: file, Content: content}
		if path.Base(path.Dir(file)) == "bin" {
			f.Mode = 0o755
		}
		out = append(out, f)
	}
	return out
}

// elfSpec reads "soname=NAME defines=VERSION,… needs=LIBRARY:VERSION,…
// imports=SYMBOL,… exports=SYMBOL,… arch=ARCH size=BYTES", all of which may be missing.
func elfSpec(arch, text string) elftest.Spec {
	spec := elftest.Spec{Arch: arch, Versions: map[string][]string{}}
	for _, word := range strings.Fields(text) {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "soname":
			spec.SONAME = value
		case "defines":
			spec.Defines = strings.Split(value, ",")
		case "imports":
			spec.Imports = strings.Split(value, ",")
		case "exports":
			spec.Exports = strings.Split(value, ",")
		case "arch":
			spec.Arch = value
		case "size":
			spec.Size, _ = strconv.Atoi(value)
		case "needs":
			for _, need := range strings.Split(value, ",") {
				library, version, versioned := strings.Cut(need, ":")
				if !slices.Contains(spec.Needed, library) {
					spec.Needed = append(spec.Needed, library)
				}
				if versioned {
					spec.Versions[library] = append(spec.Versions[library], version)
				}
			}
		default:
			panic("elf: unknown word " + word)
		}
	}
	return spec
}

const copyright = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: nobody
License: PostgreSQL
`

// cmdTamper makes an archive misbehave. PATTERN is of path.Match, below the
// root; TIMES -1 is for ever.
//
//	tamper flip PATTERN               one bit
//	tamper replace PATTERN OLD NEW
//	tamper remove PATTERN
//	tamper fail STATUS TIMES PATTERN
//	tamper truncate TIMES PATTERN
//	tamper stall PATTERN              half of it, then nothing
//	tamper flow                       no more stalling
func cmdTamper(ts *testscript.TestScript, neg bool, args []string) {
	a := stateOf(ts).archives["ARCHIVE"]
	if a == nil || neg || len(args) == 0 {
		ts.Fatalf("usage, after archive: tamper WAY …")
	}
	defer func() {
		if r := recover(); r != nil && strings.HasPrefix(fmt.Sprint(r), "archivetest: ") {
			ts.Fatalf("%v", r)
		} else if r != nil {
			panic(r)
		}
	}()
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		ts.Check(err)
		return n
	}
	switch way := fmt.Sprintf("%s %d", args[0], len(args)-1); way {
	case "flip 1":
		a.Flip(args[1])
	case "replace 3":
		a.Replace(args[1], args[2], args[3])
	case "remove 1":
		a.Remove(args[1])
	case "fail 3":
		for _, name := range matching(ts, a, args[3]) {
			a.Fail(name, number(args[1]), number(args[2]))
		}
	case "truncate 2":
		for _, name := range matching(ts, a, args[2]) {
			a.Truncate(name, number(args[1]))
		}
	case "stall 1":
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, name := range matching(ts, a, args[1]) {
			a.stalled[name] = make(chan struct{})
		}
	case "flow 0":
		a.mu.Lock()
		defer a.mu.Unlock()
		clear(a.stalled)
	default:
		ts.Fatalf("tamper knows no such way: %q", args)
	}
}

// cmdRequests checks how often the archive was asked for the files that
// PATTERN names since the last call.
func cmdRequests(ts *testscript.TestScript, neg bool, args []string) {
	a := stateOf(ts).archives["ARCHIVE"]
	if a == nil || neg || len(args) != 2 {
		ts.Fatalf("usage, after archive: requests N PATTERN")
	}
	got := 0
	for _, r := range a.Requests() {
		_, name, _ := strings.Cut(r, " ")
		ok, err := path.Match(args[1], name)
		ts.Check(err)
		if ok || args[1] == "all" {
			got++
		}
	}
	if want := args[0]; strconv.Itoa(got) != want {
		ts.Fatalf("got %d requests for %s, want %s; all of them:\n%s", got, args[1], want, strings.Join(a.Requests(), "\n"))
	}
	a.ResetRequests()
}

func matching(ts *testscript.TestScript, a *served, pattern string) []string {
	var out []string
	for _, name := range a.Paths() {
		ok, err := path.Match(pattern, name)
		ts.Check(err)
		if ok {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		ts.Fatalf("the archive has no %s, but\n%s", pattern, strings.Join(a.Paths(), "\n"))
	}
	return out
}

func newScriptState(env *testscript.Env) *scriptState {
	return &scriptState{tb: env.T().(testing.TB), archives: map[string]*served{}, remembered: map[string]string{}}
}

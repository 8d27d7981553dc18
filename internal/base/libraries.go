package base

import (
	"path"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
)

// folders are those that the dynamic loader of the image searches, without
// repetition: what its configuration lists, then its built-in ones (ld.so(8)).
func (r *imageReader) folders() []string {
	builtin := []string{"lib", "usr/lib", "lib64", "usr/lib64"}
	if a, ok := debian.LookupArchitecture(r.arch); ok {
		builtin = append([]string{"lib/" + a.Tuple, "usr/lib/" + a.Tuple}, builtin...)
	}
	seen := map[string]bool{}
	var out []string
	for _, dir := range append(r.configured(loaderConfig, 0), builtin...) {
		e, ok := r.flat.Tree.Resolve(dir)
		if ok && e.Kind == filetree.Dir && !seen[e.Path] {
			seen[e.Path] = true
			out = append(out, e.Path)
		}
	}
	return out
}

// maxIncludes bounds how deep configuration files may include each other.
const maxIncludes = 4

// configured reads ld.so.conf (ldconfig(8)): a folder a line, or include with
// a pattern.
func (r *imageReader) configured(file string, depth int) []string {
	var out []string
	for line := range strings.Lines(r.text(file)) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		switch {
		case len(words) == 2 && words[0] == "include" && depth < maxIncludes:
			for _, included := range r.matching(words[1]) {
				out = append(out, r.configured(included, depth+1)...)
			}
		case len(words) == 1 && path.IsAbs(words[0]):
			out = append(out, strings.TrimPrefix(path.Clean(words[0]), "/"))
		}
	}
	return out
}

func (r *imageReader) matching(pattern string) []string {
	if !path.IsAbs(pattern) {
		pattern = "/etc/" + pattern
	}
	var out []string
	for e := range r.flat.Tree.All() {
		if ok, err := path.Match(pattern[1:], e.Path); err == nil && ok {
			out = append(out, e.Path)
		}
	}
	return out
}

// libraries are those that the loader finds, by name: the name of a file or
// link in one of its folders, and the SONAME that ldconfig lists it under. The
// first folder wins.
func (r *imageReader) libraries(owner func(string) string) []elf.Provider {
	var out []elf.Provider
	known := map[[2]string]bool{} // by name and architecture
	for _, dir := range r.folders() {
		for e := range r.flat.Tree.Under(dir).All() {
			if path.Dir(e.Path) != dir || e.Kind == filetree.Dir {
				continue
			}
			file, ok := r.flat.Tree.Resolve(e.Path)
			if !ok {
				continue
			}
			o, ok := r.files.Objects[file.SHA256]
			if !ok || o.Type != "dyn" {
				continue
			}
			for _, name := range []string{path.Base(e.Path), o.SONAME} {
				if id := [2]string{name, o.Arch}; name != "" && !known[id] {
					known[id] = true
					out = append(out, elf.Provider{Package: owner(file.Path), Path: file.Path, SONAME: name, Object: o})
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b elf.Provider) int { return strings.Compare(a.SONAME, b.SONAME) })
	return out
}

// searchPath is where env(1) looks for a program: PATH of the operand.
var searchPath = []string{"usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin"}

// programs are the executable files of those folders by every path that leads
// to them from there.
func (r *imageReader) programs(owner func(string) string) map[string]string {
	out := map[string]string{}
	for _, name := range searchPath {
		dir, ok := r.flat.Tree.Resolve(name)
		if !ok || dir.Kind != filetree.Dir {
			continue
		}
		for e := range r.flat.Tree.Under(dir.Path).All() {
			file, ok := r.flat.Tree.Resolve(e.Path)
			if ok && file.Kind == filetree.File && file.Mode&0o111 != 0 && path.Dir(e.Path) == dir.Path {
				out["/"+path.Join(name, path.Base(e.Path))] = owner(file.Path)
			}
		}
	}
	return out
}

package probe

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
)

const (
	// maxModule bounds a module that is looked into, in bytes.
	maxModule = 128 << 20
	// maxControl bounds a control file, in bytes.
	maxControl = 1 << 20
	// maxPhrase bounds a text that is found in a module, in bytes.
	maxPhrase = 400
	// maxPhrases bounds how many of them there can be.
	maxPhrases = 1000
)

// Symbols that tell how a module means to be loaded: an output plugin's entry
// point (PostgreSQL 18, Logical Decoding Output Plugins), the server's function
// that only works during its start (Background Worker Processes), the flag by
// which a module asks whether it is being preloaded, dlopen(3).
const (
	outputPluginInit = "_PG_output_plugin_init"
	startWorker      = "RegisterBackgroundWorker"
	preloadFlag      = "process_shared_preload_libraries_in_progress"
	dlopen           = "dlopen"
)

// module is a loadable module of the image.
type module struct {
	// name is without folder and ".so"; path is in the image.
	name, path string
	object     elf.Object
	symbols    map[string]elf.Linkage
	// preload and opens are texts of the file: those about preloading, and
	// those that look like the file name of a library.
	preload, opens []string
	// owners are the extensions whose control file names the module.
	owners []string
}

// readModules looks into the modules of the image, by name.
func readModules(in Input) ([]module, error) {
	owners, err := moduleOwners(in)
	if err != nil {
		return nil, err
	}
	var out []module
	for e := range in.Arranged.Extension.Under("lib").All() {
		name, ok := strings.CutSuffix(path.Base(e.Path), ".so")
		if !ok || e.Kind != filetree.File || path.Dir(e.Path) != "lib" {
			continue
		}
		m, err := readModule(e)
		if err != nil {
			return nil, fmt.Errorf("probing %s: %w", in.Name, err)
		}
		m.name, m.owners, m.object = name, owners[name], in.object(e.Origin)
		out = append(out, m)
	}
	return out, nil
}

func readModule(e filetree.Entry) (module, error) {
	m := module{path: e.Path}
	b, err := e.ReadAll(maxModule)
	if err != nil {
		return m, err
	}
	m.symbols, err = elf.Symbols(bytes.NewReader(b), int64(len(b)), outputPluginInit, startWorker, preloadFlag, dlopen)
	var malformed *elf.FormatError
	if errors.As(err, &malformed) || errors.Is(err, elf.ErrNotELF) {
		return m, nil // what the build has to say about it is not init's business
	}
	if err != nil {
		return m, fmt.Errorf("reading %s: %w", e.Path, err)
	}
	m.preload = phrases(b, "preload")
	if m.symbols[dlopen] == elf.Imported {
		for _, p := range phrases(b, ".so") {
			if libraryName.MatchString(p) {
				m.opens = append(m.opens, p)
			}
		}
	}
	return m, nil
}

var libraryName = regexp.MustCompile(`^lib[A-Za-z0-9_+.-]+\.so(\.[0-9]+)*$`)

// phrases returns the lines of printable text in b that hold word, as C
// strings have them, in order and each once, up to maxPhrases.
func phrases(b []byte, word string) []string {
	printable := func(c byte) bool { return c >= ' ' && c < 0x7f || c == '\t' }
	var out []string
	for from := 0; ; {
		i := bytes.Index(b[from:], []byte(word))
		if i < 0 || len(out) == maxPhrases {
			return out
		}
		start, end := from+i, from+i+len(word)
		for start > 0 && from+i-start < maxPhrase && printable(b[start-1]) {
			start--
		}
		for end < len(b) && end-start < maxPhrase && printable(b[end]) {
			end++
		}
		if text := strings.TrimSpace(string(b[start:end])); !slices.Contains(out, text) {
			out = append(out, text)
		}
		from = end
	}
}

// object returns the ELF facts of a file of the extension's packages.
func (in Input) object(origin filetree.Origin) elf.Object {
	for _, p := range in.Members {
		if p.Name == origin.Package {
			return p.Objects[origin.Path]
		}
	}
	return elf.Object{}
}

var modulePathname = regexp.MustCompile(`(?m)^\s*module_pathname\s*=?\s*'([^'\n]*)'`)

// moduleOwners maps modules to the extensions whose control file names them.
func moduleOwners(in Input) (map[string][]string, error) {
	out := map[string][]string{}
	for _, e := range in.Arranged.Extensions {
		control, ok := in.Arranged.Extension.Resolve("share/extension/" + e.Name + ".control")
		if !ok {
			continue
		}
		text, err := control.ReadAll(maxControl)
		if err != nil {
			return nil, fmt.Errorf("probing %s: %w", in.Name, err)
		}
		if m := modulePathname.FindSubmatch(text); m != nil {
			name := strings.TrimSuffix(path.Base(string(m[1])), ".so")
			out[name] = append(out[name], e.Name)
		}
	}
	return out, nil
}

// outputPlugins are the modules that logical decoding can be told to use.
func outputPlugins(modules []module) []Item {
	var out []Item
	for _, m := range modules {
		if m.symbols[outputPluginInit] == elf.Exported {
			out = append(out, Item{Value: m.name, How: m.path + " exports " + outputPluginInit})
		}
	}
	return out
}

// opened are the libraries that modules open at run time: their file name is
// in the module, no NEEDED says so, and a package that is installed with the
// extension has them.
func opened(in Input, modules []module) ([]Item, error) {
	var out []Item
	for _, m := range modules {
		for _, name := range m.opens {
			if slices.Contains(m.object.Needed, name) || m.object.SONAME == name || path.Base(m.path) == name || in.Library == nil {
				continue
			}
			pkg, ok, err := in.Library(name)
			if err != nil {
				return nil, err
			}
			if ok && !slices.Contains(values(out), name) {
				out = append(out, Item{Value: name, Guess: true, How: fmt.Sprintf(
					"%s imports dlopen and holds this name; %s, which the package depends on, has it", m.path, pkg)})
			}
		}
	}
	return out, nil
}

package probe

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/recipe"
)

// The target of a recipe that names none.
var (
	defaultPostgres = 18
	defaultArchs    = []string{"amd64", "arm64"}
)

// Recipe returns the shortest recipe that says what is known, as YAML. What
// cannot be derived has a comment that says how it was found out. The text has
// been read back as a recipe.
func (f Facts) Recipe() ([]byte, error) {
	w := &writer{}
	w.line("name: %s", scalar(f.Name))
	w.line("source:")
	w.line("  deb:")
	w.line("    packages: [%s]", quoted(f.Packages))
	f.writeTargets(w)
	f.writeArchives(w)
	if len(f.Libraries) > 0 {
		w.line("bundle:")
		w.comments("  ", f.Libraries)
		w.line("  libraries: %s", flow(f.Libraries))
	}
	w.field("create", f.Create)
	w.field("shared_preload_libraries", f.SharedPreloadLibraries)
	if len(f.Parameters) > 0 {
		w.line("parameters:")
		for _, p := range f.Parameters {
			w.comments("  ", []Item{p.Item})
			w.line("  %s: %s", p.Name, scalar(p.Value))
		}
	}
	w.field("output_plugins", f.OutputPlugins)
	w.field("requires", f.Requires)
	text := []byte(w.String())
	if _, err := recipe.Parse(f.Name, text); err != nil {
		return nil, fmt.Errorf("reading back the recipe for %s: %w", strings.Join(f.Packages, ", "), err)
	}
	return text, nil
}

func (f Facts) writeTargets(w *writer) {
	var words []string
	if f.Distro != recipe.DefaultDistro {
		words = append(words, "distro: "+f.Distro)
	}
	if f.Postgres != defaultPostgres {
		words = append(words, fmt.Sprintf("postgres: [%d]", f.Postgres))
	}
	if !slices.Equal(f.Archs, defaultArchs) {
		words = append(words, "archs: ["+strings.Join(f.Archs, ", ")+"]")
	}
	if len(words) == 0 {
		return
	}
	w.line("targets:")
	for _, l := range f.Lacking {
		w.comment("  ", fmt.Sprintf("not for %s: %s", l.Arch, l.Reason))
	}
	w.line("  - {%s}", strings.Join(words, ", "))
}

func (f Facts) writeArchives(w *writer) {
	if len(f.Archives) == 0 {
		return
	}
	w.line("archives:")
	for _, a := range f.Archives {
		text, err := json.Marshal(a) // JSON is YAML
		if err != nil {
			panic(fmt.Sprintf("encoding an archive: %v", err))
		}
		if string(text) == fmt.Sprintf(`{"name":%q}`, a.Name) {
			text = []byte(a.Name)
		}
		w.line("  - %s", text)
	}
}

// writer gathers the lines of a recipe.
type writer struct{ strings.Builder }

func (w *writer) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

// field writes a list, below how it is known.
func (w *writer) field(name string, items []Item) {
	if len(items) > 0 {
		w.comments("", items)
		w.line("%s: %s", name, flow(items))
	}
}

// comments describes how items are known, each reason once.
func (w *writer) comments(indent string, items []Item) {
	var said []string
	for _, i := range items {
		text := i.How
		if i.Guess {
			text = "a guess, check it: " + text
		}
		if !slices.Contains(said, text) {
			said = append(said, text)
			w.comment(indent, text)
		}
	}
}

// comment writes text in lines of up to 100 columns where its words allow.
func (w *writer) comment(indent, text string) {
	const columns = 100
	line := indent + "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > columns && line != indent+"#" {
			w.line("%s", line)
			line = indent + "#  "
		}
		line += " " + word
	}
	w.line("%s", line)
}

func flow(items []Item) string {
	var out []string
	for _, i := range items {
		out = append(out, scalar(i.Value))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func quoted(list []string) string {
	var out []string
	for _, s := range list {
		out = append(out, quote(s))
	}
	return strings.Join(out, ", ")
}

// plainScalar matches the strings that YAML accepts without quotes.
var plainScalar = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.+-]*$`)

// words that YAML may take for something else.
var notWords = []string{"true", "false", "yes", "no", "on", "off", "null", "y", "n"}

func scalar(s string) string {
	if plainScalar.MatchString(s) && !slices.Contains(notWords, strings.ToLower(s)) {
		return s
	}
	return quote(s)
}

// quote returns s as a JSON string, which YAML takes as well.
func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("encoding a string: %v", err))
	}
	return string(b)
}

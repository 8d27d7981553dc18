package pgtest

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/cnpg"
)

// Messages of servers and extensions about missing files and settings.
var (
	wantsPreload     = regexp.MustCompile(`(?i)shared_preload_libraries|must be (pre)?loaded|(needs|has|have) to be (pre)?loaded|not (been )?preloaded|PGC_POSTMASTER|unrecognized configuration parameter`)
	missingLibrary   = regexp.MustCompile(`could not load library "([^"]+)": (\S+): cannot open shared object file: ([^\n]+)`)
	openedLibrary    = regexp.MustCompile(`(lib[^\s:/]+\.so[^\s:]*): cannot open shared object file`)
	undefinedSymbol  = regexp.MustCompile(`could not load library "([^"]+)": \S+: (undefined symbol: \S+|version \S+ not found[^\n]*)`)
	otherMajor       = regexp.MustCompile(`incompatible library "([^"]+)"[^\n]*(\n[^\n]*)?`)
	missingExtension = regexp.MustCompile(`(?:required )?extension "([^"]+)" is not (?:available|installed)`)
	missingModule    = regexp.MustCompile(`could not access file "(?:\$libdir/)?([^"]+)": No such file or directory`)
	absolutePath     = regexp.MustCompile(`could not (?:open|access|stat|read) (?:file|directory|extension control file|extension script file) "(/[^"]+)": ([^\n]+)`)
	wordPattern      = regexp.MustCompile(`[A-Za-z0-9_.-]+`)
)

// diagnose adds advice for a failed check: text is its detail, log the server's log
// during the check.
func (r *run) diagnose(text, log string) {
	if r.from != nil && r.diagnoseUpgrade(text) {
		return
	}
	if m := missingLibrary.FindStringSubmatch(text); m != nil && m[1] == m[2] {
		r.adviseModule(m[1], m[3])
	} else if m != nil {
		r.addAdvice(Change{Libraries: m[2:3]}, "%s needs the library %s, which neither the image nor the operand has", path.Base(m[1]), m[2])
	} else if m = openedLibrary.FindStringSubmatch(text); m != nil {
		r.addAdvice(Change{Libraries: m[1:2]}, "the library %s is opened at run time, and neither the image nor the operand has it", m[1])
	}
	damaged := r.diagnoseDamage(text, log)
	if m := undefinedSymbol.FindStringSubmatch(text); m != nil {
		r.explain("%s was built for other libraries than it finds: %s", path.Base(m[1]), m[2])
	}
	if m := otherMajor.FindStringSubmatch(text); m != nil {
		r.explain("%s was built for another PostgreSQL than %d", path.Base(m[1]), r.in.Postgres)
	}
	if m := missingExtension.FindStringSubmatch(text); m != nil && !r.own(m[1]) {
		r.addAdvice(Change{Requires: m[1:2]}, "the extension %s is in no image that was mounted", m[1])
	}
	if m := missingModule.FindStringSubmatch(text); m != nil && slices.Contains(r.in.Image.Metadata.Modules, m[1]) {
		r.explain("the image lacks lib/%s.so, a module that its label names", m[1])
	} else if m != nil && !strings.HasPrefix(m[1], "/") {
		change := Change{Requires: []string{"module:" + m[1]}}
		if own := r.in.Image.Metadata; slices.Contains(own.SharedPreloadLibraries, m[1]) {
			r.addAdvice(change, "shared_preload_libraries names %s, which no mounted image has; this one has %q", m[1], own.Modules)
		} else {
			r.addAdvice(change, "the module %s is in no image that was mounted", m[1])
		}
	}
	if m := absolutePath.FindStringSubmatch(text); m != nil {
		r.advisePath(m[1], m[2])
	}
	if wantsPreload.MatchString(text) || crashed(text, log) && !damaged {
		r.preload = appendNew(r.preload, r.preloadCandidates(text)...)
	}
}

// explain adds a reason for which no line of a recipe helps.
func (r *run) explain(format string, args ...any) { r.addAdvice(Change{}, format, args...) }

// addAdvice adds advice unless it exists already.
func (r *run) addAdvice(change Change, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.ContainsFunc(r.advice, func(a Advice) bool { return a.Text == text }) {
		r.advice = append(r.advice, Advice{Text: text, Recipe: change.line(), Change: change})
	}
}

// line returns the line of a recipe that bundles Libraries, or has Requires.
func (c Change) line() string {
	switch {
	case len(c.Libraries) > 0:
		return fmt.Sprintf("bundle: {libraries: [%s]}", strings.Join(c.Libraries, ", "))
	case len(c.Requires) > 0 && strings.HasPrefix(c.Requires[0], "module:"):
		return fmt.Sprintf("requires: [%q]", c.Requires[0])
	case len(c.Requires) > 0:
		return fmt.Sprintf("requires: [%s]", c.Requires[0])
	}
	return ""
}

// adviseModule explains why an existing module cannot be opened; the loader has one
// message for several reasons.
func (r *run) adviseModule(path, reason string) {
	object, err := r.in.object(path)
	if err == nil && object.Arch != r.in.Image.Metadata.Arch {
		r.explain("%s was built for another machine than %s", path, r.in.Image.Metadata.Arch)
		return
	}
	r.advisePath(path, reason)
}

// advisePath explains why a path cannot be opened: permissions, a missing file of
// the image, or an absolute path that is valid outside of images only.
func (r *run) advisePath(path, reason string) {
	switch {
	case strings.HasPrefix(path, "/extensions/") && strings.Contains(reason, "Permission denied"):
		r.explain("%s is not readable for all users: files of an image need mode 0644, folders 0755", path)
	case strings.HasPrefix(path, "/extensions/"):
		r.explain("the image lacks %s", path)
	default:
		r.explain("the absolute path %s does not exist in the operand; a file of the image is elsewhere", path)
	}
}

// preloadCandidates returns the modules that a message about preloading is about:
// those it names; otherwise the image's only module, or those with the name of an
// extension.
func (r *run) preloadCandidates(text string) []string {
	message, _, _ := strings.Cut(text, "\nCONTEXT:") // names any function that runs
	words := wordPattern.FindAllString(message, -1)
	m := r.in.Image.Metadata
	var named, sameName []string
	for _, i := range r.in.images() {
		for _, module := range i.Metadata.Modules {
			if slices.Contains(words, module) || slices.Contains(words, module+".so") {
				named = append(named, module)
			}
		}
	}
	for _, name := range operandModules {
		if slices.Contains(words, name) && !slices.Contains(named, name) {
			named = append([]string{name}, named...)
		}
	}
	for _, module := range m.Modules {
		if r.own(module) {
			sameName = append(sameName, module)
		}
	}
	switch {
	case len(named) > 0:
		return named
	case len(m.Modules) == 1:
		return m.Modules
	}
	return sameName
}

// operandModules are the operand's modules that other modules need preloaded.
var operandModules = []string{"pg_stat_statements", "auto_explain"}

// preloadAdvice returns the advice from the result of a repeated test, with more
// libraries preloaded.
func preloadAdvice(in Input, second Result) []Advice {
	var out []Advice
	outcome := "with it all checks pass"
	if second.Failed() {
		outcome = fmt.Sprintf("with it %d checks pass and %d fail", second.Count(Pass), second.Count(Fail))
	}
	var own []string
	for _, name := range in.Preload {
		if parameter, value, ok := cnpg.Managed(name); ok {
			line := fmt.Sprintf("parameters: {%s: %q}", parameter, value)
			out = append(out, Advice{Text: name + " must be preloaded; " + outcome, Recipe: line, Change: Change{Preload: []string{name}}})
		} else {
			own = append(own, name)
		}
	}
	if len(own) > 0 {
		out = append(out, Advice{
			Text:   strings.Join(own, ", ") + " must be preloaded; " + outcome,
			Recipe: "shared_preload_libraries: [" + strings.Join(appendNew(in.Image.Metadata.SharedPreloadLibraries, own...), ", ") + "]",
			Change: Change{Preload: own},
		})
	}
	return out
}

package recipe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Selection names targets. An empty list selects all that the recipe has; of a
// recipe without targets it means the default.
type Selection struct {
	Distros  []string
	Postgres []int
	// Archs are Debian names.
	Archs []string
}

// SelectionError reports that a selection names what the recipe does not have.
type SelectionError struct {
	// Path of the recipe.
	Path string
	Text string
	// Available lists the targets that can be selected.
	Available  []string
	Suggestion string
}

// Error returns the recipe, what is wrong and what could be selected.
func (e *SelectionError) Error() string {
	text := fmt.Sprintf("selecting targets of %s: %s", e.Path, e.Text)
	if e.Suggestion != "" {
		text += fmt.Sprintf(" (did you mean %q?)", e.Suggestion)
	}
	if len(e.Available) > 0 {
		text += "; targets has " + strings.Join(e.Available, ", ")
	}
	return text
}

// ExitCode returns 10: the selection is invalid.
func (e *SelectionError) ExitCode() int { return 10 }

// Select returns the targets of the recipe that sel names, one for each
// distribution and PostgreSQL major, sorted. A recipe without targets has
// exactly the one sel names. The error is a *SelectionError when sel names what
// the recipe does not have.
func (r *Recipe) Select(sel Selection) ([]Target, error) {
	if len(r.Targets) == 0 {
		if err := r.checkSelection(sel); err != nil {
			return nil, err
		}
		return r.implied(sel), nil
	}
	all := r.matrix()
	var chosen []Target
	for _, t := range all {
		t.Archs = slices.DeleteFunc(slices.Clone(t.Archs), func(arch string) bool { return !selects(sel.Archs, arch) })
		if selects(sel.Distros, t.Distro) && selects(sel.Postgres, t.Postgres) && len(t.Archs) > 0 {
			chosen = append(chosen, t)
		}
	}
	if err := r.checkChosen(sel, chosen, all); err != nil {
		return nil, err
	}
	return chosen, nil
}

// selects reports whether value is selected: the list is empty or has it.
func selects[T comparable](list []T, value T) bool {
	return len(list) == 0 || slices.Contains(list, value)
}

// implied returns the targets of a recipe that has none.
func (r *Recipe) implied(sel Selection) []Target {
	row := Row{Archs: sel.Archs, Postgres: sel.Postgres}.complete()
	distros := sel.Distros
	if len(distros) == 0 {
		distros = []string{row.Distro}
	}
	var out []Target
	for _, distro := range sorted(distros) {
		for _, major := range sorted(row.Postgres) {
			out = append(out, r.target(row, distro, major))
		}
	}
	return out
}

// matrix returns every target of the recipe. Rows of one image are joined.
func (r *Recipe) matrix() []Target {
	var out []Target
	for _, row := range r.Targets {
		row = row.complete()
		for _, major := range row.Postgres {
			i := slices.IndexFunc(out, func(t Target) bool { return t.Distro == row.Distro && t.Postgres == major })
			if i < 0 {
				out = append(out, r.target(row, row.Distro, major))
				continue
			}
			out[i].Archs = sorted(slices.Concat(out[i].Archs, row.Archs))
		}
	}
	slices.SortFunc(out, func(a, b Target) int {
		return cmp.Or(strings.Compare(a.Distro, b.Distro), cmp.Compare(a.Postgres, b.Postgres))
	})
	return out
}

// target returns one image of a complete row.
func (r *Recipe) target(row Row, distro string, major int) Target {
	t := Target{
		Distro: distro, Postgres: major, Archs: sorted(row.Archs), Base: row.Base, Source: r.Source,
		Archives: r.Archives, Bundle: r.Bundle, Requires: r.Requires,
	}
	if row.Source != nil {
		t.Source = *row.Source
	}
	return t
}

// sorted returns the distinct elements of list in order.
func sorted[T cmp.Ordered](list []T) []T {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

// checkSelection judges a selection that the recipe does not limit.
func (r *Recipe) checkSelection(sel Selection) error {
	for _, distro := range sel.Distros {
		if problem, suggestion := distroProblem(distro, r.Archives); problem != "" {
			return &SelectionError{Path: r.Path, Text: problem, Suggestion: suggestion}
		}
	}
	for _, major := range sel.Postgres {
		if problem := postgresProblem(major); problem != "" {
			return &SelectionError{Path: r.Path, Text: problem}
		}
	}
	for _, arch := range sel.Archs {
		if problem, suggestion := archProblem(arch); problem != "" {
			return &SelectionError{Path: r.Path, Text: problem, Suggestion: suggestion}
		}
	}
	return nil
}

// checkChosen reports the first selected value that no chosen target has.
func (r *Recipe) checkChosen(sel Selection, chosen, all []Target) error {
	has := func(fits func(Target) bool) bool { return slices.ContainsFunc(chosen, fits) }
	var lacking string
	for _, distro := range sel.Distros {
		if lacking == "" && !has(func(t Target) bool { return t.Distro == distro }) {
			lacking = distro
		}
	}
	for _, major := range sel.Postgres {
		if lacking == "" && !has(func(t Target) bool { return t.Postgres == major }) {
			lacking = fmt.Sprintf("PostgreSQL %d", major)
		}
	}
	for _, arch := range sel.Archs {
		if lacking == "" && !has(func(t Target) bool { return slices.Contains(t.Archs, arch) }) {
			lacking = arch
		}
	}
	if lacking == "" {
		return nil
	}
	e := &SelectionError{Path: r.Path, Text: "nothing selected is for " + lacking}
	for _, t := range all {
		e.Available = append(e.Available, fmt.Sprintf("%s (%s)", t, strings.Join(t.Archs, " ")))
	}
	return e
}

package metadata

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// DifferenceError reports two architectures of one index that disagree about
// something that is not a path list.
type DifferenceError struct {
	// Field is the JSON name.
	Field string
	// Archs are the two architectures, Values what each says, as JSON.
	Archs  [2]string
	Values [2]string
}

func (e *DifferenceError) Error() string {
	return fmt.Sprintf("%s differs between architectures: %s on %s, %s on %s",
		e.Field, e.Values[0], e.Archs[0], e.Values[1], e.Archs[1])
}

// Hint says what a user can do about it.
func (e *DifferenceError) Hint() string {
	if e.Field == "version" || e.Field == "extensions" {
		return "the archive may not have built the package for both yet: lock against a snapshot that has, or build with --arch"
	}
	return "build one of them alone with --arch, or set the field in the recipe"
}

// pathList is one of the lists that may differ between architectures.
type pathList struct {
	name  string
	paths *[]string
}

func (m *Metadata) pathLists() []pathList {
	return []pathList{
		{"extension_control_path", &m.ExtensionControlPath},
		{"dynamic_library_path", &m.DynamicLibraryPath},
		{"ld_library_path", &m.LDLibraryPath},
		{"bin_path", &m.BinPath},
	}
}

// Union returns what one index says to its consumer: path lists are the
// union over the architectures, in the order of the first that has an entry
// (architectures by name), and Arch is "" when there are several. Any other
// difference is a *DifferenceError.
func Union(all []Metadata) (Metadata, error) {
	if len(all) == 0 {
		return Metadata{}, errors.New("uniting metadata: there is none")
	}
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b Metadata) int { return strings.Compare(a.Arch, b.Arch) })
	out := sorted[0].complete()
	lists := out.pathLists()
	for _, l := range lists {
		*l.paths = slices.Clone(*l.paths)
	}
	for _, m := range sorted[1:] {
		m = m.complete()
		if err := difference(sorted[0].complete(), m); err != nil {
			return Metadata{}, fmt.Errorf("uniting metadata: %w", err)
		}
		for i, l := range m.pathLists() {
			appendNew(lists[i].paths, *l.paths)
		}
		if m.Arch != out.Arch {
			out.Arch = ""
		}
	}
	return out, nil
}

func appendNew(list *[]string, more []string) {
	for _, p := range more {
		if !slices.Contains(*list, p) {
			*list = append(*list, p)
		}
	}
}

// difference compares two complete documents without arch and path lists.
func difference(a, b Metadata) error {
	free := map[string]bool{"arch": true}
	for _, l := range a.pathLists() {
		free[l.name] = true
	}
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range va.NumField() {
		name := va.Type().Field(i).Tag.Get("json")
		fa, fb := va.Field(i).Interface(), vb.Field(i).Interface()
		if free[name] || reflect.DeepEqual(fa, fb) {
			continue
		}
		return &DifferenceError{
			Field:  name,
			Archs:  [2]string{a.Arch, b.Arch},
			Values: [2]string{asJSON(fa), asJSON(fb)},
		}
	}
	return nil
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

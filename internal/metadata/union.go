package metadata

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/failure"
)

// pathList is a list of paths, which may differ between architectures.
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

// Union returns the metadata of an index from the metadata of its architectures.
// Path lists are merged in the order of the architectures' names, and Arch is ""
// if there are several. Any other difference is an error with a hint.
func Union(all []Metadata) (Metadata, error) {
	if len(all) == 0 {
		return Metadata{}, errors.New("merging metadata: no architectures")
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
			return Metadata{}, fmt.Errorf("merging metadata: %w", err)
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

// difference returns an error if two documents differ in a field other than arch
// and the path lists.
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
		hint := "build one architecture with --arch, or set the field in the recipe"
		if name == "version" || name == "extensions" {
			hint = "the archive may not have built the package for both architectures yet: lock against an older snapshot, or build with --arch"
		}
		return failure.New(failure.Other, hint, "%s differs between architectures: %s on %s, %s on %s",
			name, asJSON(fa), a.Arch, asJSON(fb), b.Arch)
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

package strictjson

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Unmarshal reads a document that keeps the rules into a pointer, as
// json.Unmarshal does. A field of into has to be spelled as into has it:
// encoding/json takes it in any case, where other readers see none.
func Unmarshal(data []byte, into any, rules Rules) error {
	spelling, also := map[string]string{}, rules.Key
	spell(reflect.TypeOf(into), spelling, map[reflect.Type]bool{})
	rules.Key = func(name string) error {
		if meant, ok := spelling[fold(name)]; ok && meant != name {
			return fmt.Errorf("key %q is not %q", name, meant)
		}
		if also != nil {
			return also(name)
		}
		return nil
	}
	if err := Check(data, rules); err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// spell adds the names of the fields of t, and of what is in it, by what they
// fold to.
func spell(t reflect.Type, spelling map[string]string, seen map[reflect.Type]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		spell(t.Elem(), spelling, seen)
	case reflect.Struct:
		if seen[t] {
			return
		}
		seen[t] = true
		for _, field := range reflect.VisibleFields(t) {
			if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" && name != "-" {
				spelling[fold(name)] = name
				spell(field.Type, spelling, seen)
			}
		}
	}
}

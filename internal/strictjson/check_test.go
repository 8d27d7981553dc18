package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	lower := func(name string) error {
		if name != strings.ToLower(name) {
			return fmt.Errorf("unknown field %q", name)
		}
		return nil
	}
	for _, tc := range []struct {
		name, text string
		rules      Rules
		want       string
	}{
		{"a value", `"a"`, Rules{}, ""},
		{"names that are values too", `{"a":"b","b":"a","c":["a","a"]}`, Rules{}, ""},
		{"one name in several objects", `{"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}],"d":"a"}`, Rules{}, ""},
		{"a large number", `{"a":1e999}`, Rules{}, ""},
		{"a name twice", `{"a":1,"a":1}`, Rules{}, `key "a" repeats`},
		{"after a list", `{"a":[],"a":1}`, Rules{}, `key "a" repeats`},
		{"after an object", `{"a":{},"b":[1],"a":1}`, Rules{}, `key "a" repeats`},
		{"within", `[{"x":{"a":"a","a":"b"}}]`, Rules{}, `key "a" repeats`},
		{"in another case", `{"subject":1,"Subject":1}`, Rules{}, `key "Subject" repeats`},
		{"with another s", `{"subject":1,"ſubject":1}`, Rules{}, `key "ſubject" repeats`},
		{"with a Kelvin sign", `{"key":1,"Key":1}`, Rules{}, `key "Key" repeats`},
		{"with a letter escaped", `{"a":1,"\u0061":1}`, Rules{}, `key "a" repeats`},
		{"with what is no letter", "{\"\xff\":1,\"\xfe\":1}", Rules{}, `key "` + "\ufffd" + `" repeats`},
		{"letters that only look alike", `{"a":1,"а":1}`, Rules{}, ""},
		{"in a map, in another case", `{"m":{"a":1,"A":1}}`, Rules{Maps: []string{"m"}}, ""},
		{"in a map, twice", `{"m":{"a":1,"a":1}}`, Rules{Maps: []string{"m"}}, `key "a" repeats`},
		{"in an object of a map", `{"m":{"a":{"b":1,"B":1}}}`, Rules{Maps: []string{"m"}}, `key "B" repeats`},
		{"in an object of a list of that name", `{"m":[{"b":1,"B":1}]}`, Rules{Maps: []string{"m"}}, `key "B" repeats`},
		{"no field", `{"a":{"B":1}}`, Rules{Key: lower}, `unknown field "B"`},
		{"no field, but a map's", `{"a":{"B":{"c":1}}}`, Rules{Key: lower, Maps: []string{"a"}}, ""},
		{"as deep as can be", strings.Repeat("[", 64) + strings.Repeat("]", 64), Rules{}, ""},
		{"too deep", strings.Repeat("[", 66), Rules{}, "nested more than 64 deep"},
		{"nothing", "", Rules{}, "unexpected end of JSON input"},
		{"half an object", `{"a":`, Rules{}, "unexpected end of JSON input"},
		{"no key", `{1:1}`, Rules{}, "invalid character '1'"},
		{"another end", `[1}`, Rules{}, "invalid character '}'"},
		{"a comma too many", `{"a":1,}`, Rules{}, "invalid character '}'"},
		{"two documents", `{"a":1} {"a":1}`, Rules{}, "something follows the document"},
		{"an end too many", `{}]`, Rules{}, "something follows the document"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := Check([]byte(tc.text), tc.rules)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tc.want)) {
				t.Errorf("Check(%s) = %v, want %s", tc.text, err, tc.want)
			}
		})
	}
}

func TestErrorSaysWhere(t *testing.T) {
	var e *Error
	if err := Check([]byte(`{"a":1,"a":2}`), Rules{}); !errors.As(err, &e) || e.Offset != 10 {
		t.Errorf("Check() = %#v, want the end of the second key", err)
	}
}

// plain is what encoding/json takes for the name of a field in a tag.
var plain = regexp.MustCompile(`^[\p{L}\p{Nd}_]+$`)

// FuzzKeys: two keys are one where encoding/json puts the value of the second
// into the field of the first, and in a map where it keeps but one of them.
func FuzzKeys(f *testing.F) {
	for _, seed := range [][2]string{{"a", "a"}, {"a", "A"}, {"s", "ſ"}, {"K", "\u212a"}, {"a", "b"}, {"ß", "ẞ"}, {"İ", "i"}, {"ǅ", "ǆ"}, {"ς", "Σ"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		if !plain.MatchString(first) || !plain.MatchString(second) {
			t.Skip()
		}
		object := fmt.Sprintf(`{%q:1,%q:2}`, first, second)
		into := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "Field", Type: reflect.TypeFor[int](), Tag: reflect.StructTag(`json:"` + first + `"`)}}))
		if err := json.Unmarshal([]byte(object), into.Interface()); err != nil {
			t.Skip() // %q escapes as JSON does not
		}
		one := into.Elem().Field(0).Int() == 2
		if err := Check([]byte(object), Rules{}); (err != nil) != one {
			t.Errorf("Check(%s) = %v, and encoding/json takes them for one: %v", object, err, one)
		}
		var kept map[string]int
		if err := json.Unmarshal([]byte(object), &kept); err != nil {
			t.Fatal(err)
		}
		if err := Check([]byte(`{"m":`+object+`}`), Rules{Maps: []string{"m"}}); (err != nil) != (len(kept) == 1) {
			t.Errorf("Check(%s) = %v for a map, of which encoding/json keeps %v", object, err, kept)
		}
	})
}

// record has names within names, all of which differ by case alone.
type record struct {
	A, S, K any
	M       map[string]any
	R       *record
	L       []record
}

// FuzzCheck: what is accepted is JSON, and encoding/json reads the same from it
// in whatever order its keys are.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		`{"a":1,"A":2}`, `{"s":1,"ſ":{}}`, `{"m":{"a":1,"A":2},"r":{"k":[{"l":1}]}}`, `[{"a":{"b":[]}},{"a":1}]`, `{"a"`, `]`, `"a"`, "{}{}",
		`{"l":[{"a":1},{"a":2}],"K":null,"m":{}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if Check(data, Rules{Maps: []string{"m"}}) != nil {
			return
		}
		if !json.Valid(data) {
			t.Fatalf("Check(%q) = nil", data)
		}
		var a, b record
		errA, errB := json.Unmarshal(data, &a), json.Unmarshal(backwards(t, data), &b)
		if (errA == nil) != (errB == nil) || errA == nil && !reflect.DeepEqual(a, b) {
			t.Errorf("Check(%q) = nil, and encoding/json reads\n%+v, %v\nor\n%+v, %v", data, a, errA, b, errB)
		}
	})
}

// backwards returns a document with the keys of each object the other way round.
func backwards(t *testing.T, data []byte) []byte {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	opening, err := dec.Token()
	if err != nil {
		t.Fatal(err)
	}
	if opening != json.Delim('{') && opening != json.Delim('[') {
		return data
	}
	var parts []string
	for dec.More() {
		part := ""
		if opening == json.Delim('{') {
			key, err := dec.Token()
			if err != nil {
				t.Fatal(err)
			}
			name, err := json.Marshal(key)
			if err != nil {
				t.Fatal(err)
			}
			part = string(name) + ":"
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part+string(backwards(t, value)))
	}
	if opening == json.Delim('[') {
		return []byte("[" + strings.Join(parts, ",") + "]")
	}
	slices.Reverse(parts)
	return []byte("{" + strings.Join(parts, ",") + "}")
}

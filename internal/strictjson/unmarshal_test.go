package strictjson

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type sample struct {
	Name string            `json:"name"`
	List []*sample         `json:"list"`
	Free map[string]string `json:"free,omitempty"`
	Raw  json.RawMessage   `json:"raw"`
}

func TestUnmarshal(t *testing.T) {
	var got sample
	if err := Unmarshal([]byte(`{"name":"a","list":[{"name":"b"},null],"free":{"name":"x","Name":"y"},"raw":{"A":1},"Later":1}`), &got, Rules{Maps: []string{"free"}}); err != nil {
		t.Fatal(err)
	}
	want := sample{Name: "a", List: []*sample{{Name: "b"}, nil}, Free: map[string]string{"name": "x", "Name": "y"}, Raw: json.RawMessage(`{"A":1}`)}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("Unmarshal() (-got +want):\n%s", diff)
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	never := func(name string) error {
		if name == "never" {
			return errors.New("never")
		}
		return nil
	}
	for text, want := range map[string]string{
		`{"name":"a","name":"b"}`: `key "name" repeats`,
		`{"Name":"a"}`:            `key "Name" is not "name"`,
		`{"li\u017ft":[]}`:        `key "liſt" is not "list"`,
		`{"list":[{"NAME":"a"}]}`: `key "NAME" is not "name"`,
		`{"name":1}`:              "json: cannot unmarshal number",
		`{"never":1}`:             "never",
		`{} {}`:                   "something follows the document",
	} {
		var got sample
		if err := Unmarshal([]byte(text), &got, Rules{Key: never}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Unmarshal(%s) = %v, want %q", text, err, want)
		}
	}
}

// FuzzUnmarshal: what is taken means the same to a reader that tells upper from
// lower case.
func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"name":"a","list":[{"name":"b"}],"free":{"a":"b"}}`))
	f.Add([]byte(`{"Name":"a","name":"b"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got sample
		if Unmarshal(data, &got, Rules{}) != nil {
			return
		}
		var exact map[string]any
		if err := json.Unmarshal(data, &exact); err != nil {
			t.Fatal(err)
		}
		name, _ := exact["name"].(string)
		list, _ := exact["list"].([]any)
		if got.Name != name || len(got.List) != len(list) {
			t.Errorf("%s: read %+v, says %v", data, got, exact)
		}
	})
}

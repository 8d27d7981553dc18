package layout

import (
	"encoding/json"
	"testing"
)

func TestRoleText(t *testing.T) {
	for _, want := range []Role{Extension, Library, Data} {
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Role
		if err := json.Unmarshal(text, &got); err != nil || got != want {
			t.Errorf("%s read back: got %s, %v, want %s", text, got, err, want)
		}
	}
	var r Role
	if err := json.Unmarshal([]byte(`"Role(9)"`), &r); err == nil || err.Error() != `unknown role "Role(9)"` {
		t.Errorf("unknown role: got %s, %v", r, err)
	}
}

package strictjson

import "testing"

func TestMarshal(t *testing.T) {
	for _, tc := range []struct{ indent, want string }{
		{"", "{\"a\":[\"<&>\"]}\n"},
		{" ", "{\n \"a\": [\n  \"<&>\"\n ]\n}\n"},
	} {
		got, err := Marshal(map[string][]string{"a": {"<&>"}}, tc.indent)
		if err != nil || string(got) != tc.want {
			t.Errorf("Marshal() with indent %q = %q, %v; want %q", tc.indent, got, err, tc.want)
		}
	}
	if _, err := Marshal(func() {}, ""); err == nil {
		t.Error("Marshal() of a function returns no error")
	}
}

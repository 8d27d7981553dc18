package strictjson

import (
	"bytes"
	"encoding/json"
)

// Marshal returns v as JSON with a final newline. Unlike json.Marshal it does not
// escape <, > and &. indent is the indentation of each level; "" writes one line.
func Marshal(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	err := enc.Encode(v)
	return b.Bytes(), err
}

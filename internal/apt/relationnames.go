package apt

import "bytes"

// eachName calls fn with every package name of a relation field, in order,
// with its architecture qualifier (without the colon; nil when there is
// none). It allocates nothing and accepts anything; what is not a relation
// gives names that no package has.
func eachName(relations []byte, fn func(name, qualifier []byte)) {
	start := -1 // of the name, or -1 outside of one
	skip := false
	for i := 0; i <= len(relations); i++ {
		c := byte(',')
		if i < len(relations) {
			c = relations[i]
		}
		switch c {
		case ',', '|', ' ', '\t', '\n', '(', '[', '<':
			if start >= 0 {
				name, qualifier, _ := bytes.Cut(relations[start:i], []byte{':'})
				fn(name, qualifier)
				start, skip = -1, true
			}
			if c == ',' || c == '|' {
				skip = false
			}
		default:
			if start < 0 && !skip {
				start = i
			}
		}
	}
}

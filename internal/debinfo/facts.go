package debinfo

import (
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
)

// recordKind names the records of facts. Its number goes up with the encoding,
// and with whatever changes what is learnt from the same bytes: records of
// another number are not looked at, so a newer pgext learns afresh.
const recordKind = "contents-1"

// facts is all that is learnt about a .deb.
type facts struct {
	control debian.Paragraph
	scripts map[string]string
	// entries are sorted by path and have neither Content nor Origin.
	entries []filetree.Entry
	// objects and malformed are keyed by path.
	objects   map[string]elf.Object
	malformed map[string]string
}

// sort puts the entries in order.
func (f *facts) sort() {
	slices.SortFunc(f.entries, func(a, b filetree.Entry) int { return strings.Compare(a.Path, b.Path) })
}

package apt

import (
	"cmp"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/text"
)

// Nearest returns up to n real names that someone who typed name may have
// meant, best first: few edits away, or made of the same words.
func (ix *Index) Nearest(name string, n int) []string {
	if len(name) > 200 || n <= 0 {
		return nil
	}
	type scored struct {
		name  string
		score int
	}
	var found []scored
	d := newDistance(name)
	for candidate := range ix.names("") {
		if s, ok := d.score(candidate); ok {
			found = append(found, scored{candidate, s})
		}
	}
	slices.SortFunc(found, func(a, b scored) int {
		return cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(len(a.name), len(b.name)), strings.Compare(a.name, b.name))
	})
	if len(found) > n {
		found = found[:n]
	}
	var out []string
	for _, f := range found {
		if f.score > found[0].score+12 {
			break
		}
		out = append(out, f.name)
	}
	return out
}

// distance scores names by their likeness to one of them.
type distance struct {
	name  string
	limit int
	words []string
	rare  int // letters in the words that are no digits
	edits text.EditDistance
}

func newDistance(name string) *distance {
	d := &distance{name: name, limit: max(1, len(name)/4), words: words(name)}
	for _, w := range d.words {
		d.rare += len(w)
	}
	return d
}

func words(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '.' || r == '+' })
}

// score is lower for a better name; ok is false for one that is not alike. An
// edit costs ten, a letter in a word that only one of the names has costs
// four.
func (d *distance) score(candidate string) (score int, ok bool) {
	if delta := len(candidate) - len(d.name); delta <= d.limit && -delta <= d.limit {
		if edits := d.edits.Between(d.name, candidate, d.limit); edits <= d.limit {
			return 10 * edits, true
		}
	}
	return d.shared(candidate)
}

// shared compares the words of the names, without allocating.
func (d *distance) shared(candidate string) (score int, ok bool) {
	common, total := 0, 0
	for rest := candidate; rest != ""; {
		word := rest
		if i := strings.IndexAny(rest, "-.+"); i >= 0 {
			word, rest = rest[:i], rest[i+1:]
		} else {
			rest = ""
		}
		total += len(word)
		if slices.Contains(d.words, word) {
			common += len(word)
		}
	}
	if 3*common < 2*d.rare || common < 4 {
		return 0, false
	}
	return 5 + 4*(d.rare-min(common, d.rare)) + 4*(total-common), true
}

package apt

import (
	"bytes"
	"cmp"
	"iter"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/pgext/pgext/internal/debian"
)

// Index is what Load read: several Packages files of one architecture, merged
// as apt merges its sources. It is immutable and safe for concurrent use.
type Index struct {
	arch   string
	tables []*table
	// established are the source packages that a suite of its own has; nil
	// when all suites are.
	established map[string]bool
}

// row is one package of an index: a table's number and a row of it.
type row struct{ table, row int }

// Arch returns the architecture the index was loaded for.
func (ix *Index) Arch() string { return ix.arch }

// Candidate returns the package that apt would install for a real name: the
// highest version, from the first file that has it. What a NotAutomatic suite
// has goes after what the others have, except for packages of a source that
// none of those knows: whoever takes postgresql-19 from experimental takes its
// libpq5 from there too.
func (ix *Index) Candidate(name string) (Package, bool) {
	rows := ix.versions(name)
	if len(rows) == 0 {
		return Package{}, false
	}
	return ix.read(rows[0]), true
}

// Versions returns all packages of a real name, highest version first, equal
// versions in the order of the files.
func (ix *Index) Versions(name string) []Package {
	var out []Package
	for _, r := range ix.versions(name) {
		out = append(out, ix.read(r))
	}
	return out
}

func (ix *Index) read(r row) Package { return ix.tables[r.table].packageAt(r.row) }

func (ix *Index) versions(name string) []row {
	var out []row
	for i, t := range ix.tables {
		first, end := t.find(name)
		for ; first < end; first++ {
			out = append(out, row{i, first})
		}
	}
	if len(out) > 1 {
		slices.SortStableFunc(out, func(a, b row) int {
			return cmp.Or(ix.standing(b)-ix.standing(a), debian.CompareVersions(ix.version(b), ix.version(a)))
		})
	}
	return out
}

// standing is 0 for a package that is not taken while there is another.
func (ix *Index) standing(r row) int {
	t := ix.tables[r.table]
	if t.file.NotAutomatic && ix.established[t.packageAt(r.row).Source] {
		return 0
	}
	return 1
}

// establish notes the sources of the suites that are distributions of their
// own, where there are others too.
func (ix *Index) establish() {
	if !slices.ContainsFunc(ix.tables, func(t *table) bool { return t.file.NotAutomatic }) {
		return
	}
	ix.established = map[string]bool{}
	for _, t := range ix.tables {
		for n := 0; n < t.rows && !t.file.NotAutomatic; n++ {
			ix.established[t.packageAt(n).Source] = true
		}
	}
}

func (ix *Index) version(r row) string { return ix.tables[r.table].version(r.row) }

// isCandidate reports whether r is the candidate of its name.
func (ix *Index) isCandidate(r row) bool {
	t := ix.tables[r.table]
	if len(ix.tables) == 1 && !t.repeats(r.row) {
		return true
	}
	rows := ix.versions(string(t.name(r.row)))
	return len(rows) > 0 && rows[0] == r
}

// repeats reports whether a neighbour of the row has the same name.
func (t *table) repeats(row int) bool {
	name := t.name(row)
	return row > 0 && bytes.Equal(t.name(row-1), name) || row+1 < t.rows && bytes.Equal(t.name(row+1), name)
}

// Providers returns the candidates that provide a virtual name, sorted by
// name. A real package of that name is not among them.
func (ix *Index) Providers(virtual string) []Package {
	var out []Package
	for i, t := range ix.tables {
		t.providers(virtual, func(n int) {
			if r := (row{i, n}); ix.isCandidate(r) {
				out = append(out, ix.read(r))
			}
		})
	}
	slices.SortStableFunc(out, func(a, b Package) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// ByPriority returns the candidates of a priority ("required", …), sorted by
// name.
func (ix *Index) ByPriority(priority string) []Package {
	number := priorityNumber(priority)
	var out []Package
	for i, t := range ix.tables {
		for n := range t.rows {
			if r := (row{i, n}); t.priority(n) == number && ix.isCandidate(r) {
				if p := ix.read(r); p.Priority == priority {
					out = append(out, p)
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b Package) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Matching returns the candidates whose name matches a pattern of path.Match
// ("postgresql-18-*"), sorted by name. A pattern without one of its special
// characters is a prefix. A malformed pattern matches nothing.
func (ix *Index) Matching(pattern string) []Package {
	prefix, isPrefix := pattern, true
	if i := strings.IndexAny(pattern, `*?[\`); i >= 0 {
		prefix, isPrefix = pattern[:i], false
	}
	var out []Package
	for name := range ix.names(prefix) {
		if !strings.HasPrefix(name, prefix) {
			break
		}
		matched := isPrefix
		if !matched {
			matched, _ = path.Match(pattern, name)
		}
		if matched {
			p, _ := ix.Candidate(name)
			out = append(out, p)
		}
	}
	return out
}

// All yields the candidate of every real name, sorted by name.
func (ix *Index) All() iter.Seq[Package] {
	return func(yield func(Package) bool) {
		for name := range ix.names("") {
			if p, ok := ix.Candidate(name); ok && !yield(p) {
				return
			}
		}
	}
}

// names yields the real names from the first that is not below from, sorted,
// each once.
func (ix *Index) names(from string) iter.Seq[string] {
	return func(yield func(string) bool) {
		next := make([]int, len(ix.tables))
		for i, t := range ix.tables {
			next[i] = sort.Search(t.rows, func(n int) bool { return string(t.name(n)) >= from })
		}
		for {
			var lowest []byte
			for i, t := range ix.tables {
				if next[i] < t.rows {
					if name := t.name(next[i]); lowest == nil || bytes.Compare(name, lowest) < 0 {
						lowest = name
					}
				}
			}
			if lowest == nil || !yield(string(lowest)) {
				return
			}
			for i, t := range ix.tables {
				for next[i] < t.rows && bytes.Equal(t.name(next[i]), lowest) {
					next[i]++
				}
			}
		}
	}
}

// rank tells when apt, reading the files in order, hears of a name for the
// first time; later is larger, never is largest.
func (ix *Index) rank(name string) uint64 {
	for i, t := range ix.tables {
		if r, ok := t.rankOf(name); ok {
			return uint64(i)<<32 | uint64(r)
		}
	}
	return 1<<64 - 1
}

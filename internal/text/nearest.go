package text

import "strings"

// maxWord is the longest word, in bytes, that Nearest compares.
const maxWord = 64

// Nearest returns the word of words with the smallest edit distance to word,
// ignoring case. It returns "" if more than about a third of the letters would
// have to change.
func Nearest(word string, words []string) string {
	if len(word) > maxWord {
		return ""
	}
	best, limit := "", max(1, (len(word)+1)/3)
	var d EditDistance
	for _, w := range words {
		if len(w) > maxWord {
			continue
		}
		if n := d.Between(strings.ToLower(word), strings.ToLower(w), limit); n <= limit {
			best, limit = w, n-1
		}
	}
	return best
}

// EditDistance computes edit distances and reuses its memory between calls. The
// zero value is ready for use. It is not safe for concurrent use.
type EditDistance struct {
	rows [3][]int
}

// Between returns how many bytes must be inserted, removed, replaced or swapped
// with their neighbour to turn a into b (optimal string alignment distance). It
// returns limit+1 if the distance is larger than limit.
func (d *EditDistance) Between(a, b string, limit int) int {
	for i := range d.rows {
		if cap(d.rows[i]) < len(b)+1 {
			d.rows[i] = make([]int, len(b)+1)
		}
		d.rows[i] = d.rows[i][:len(b)+1]
	}
	before, row, next := d.rows[0], d.rows[1], d.rows[2]
	for j := range row {
		row[j] = j
	}
	last := 0 // the smallest distance of the previous row
	for i := range len(a) {
		next[0] = i + 1
		least := next[0]
		for j := range len(b) {
			replace := row[j]
			if a[i] != b[j] {
				replace++
			}
			next[j+1] = min(replace, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
			least = min(least, next[j+1])
		}
		if least > limit && last > limit { // a swap reaches back two rows
			return limit + 1
		}
		last = least
		before, row, next = row, next, before
	}
	return min(row[len(b)], limit+1)
}

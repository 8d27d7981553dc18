package recipe

import "strings"

// nearest returns the word of words that word was most likely meant to be; ""
// when none is near: more than about a third of the letters would have to change.
func nearest(word string, words []string) string {
	const longest = 64
	if len(word) > longest {
		return ""
	}
	best, distance := "", max(1, (len(word)+1)/3)+1
	for _, w := range words {
		if len(w) > longest {
			continue
		}
		if d := editDistance(strings.ToLower(word), strings.ToLower(w)); d < distance {
			best, distance = w, d
		}
	}
	return best
}

// editDistance returns how many bytes must be inserted, removed, replaced or
// swapped with their neighbour to turn a into b (optimal string alignment).
func editDistance(a, b string) int {
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			replace := row[j]
			if a[i] != b[j] {
				replace++
			}
			next[j+1] = min(replace, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}

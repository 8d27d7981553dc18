package makefile

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// textFunction is a function whose result depends on its arguments only.
type textFunction struct {
	// arguments is their number. The last one may contain commas.
	arguments int
	do        func(a []string) string
}

// textFunctions are GNU make's functions over text and file names.
var textFunctions = map[string]textFunction{
	"subst":      {3, func(a []string) string { return replaceAll(a[0], a[1], a[2]) }},
	"patsubst":   {3, func(a []string) string { return patsubst(strings.TrimSpace(a[0]), strings.TrimSpace(a[1]), a[2]) }},
	"strip":      {1, func(a []string) string { return strings.Join(strings.Fields(a[0]), " ") }},
	"findstring": {2, findString},
	"filter":     {2, func(a []string) string { return filter(a[0], a[1], true) }},
	"filter-out": {2, func(a []string) string { return filter(a[0], a[1], false) }},
	"sort":       {1, sorted},
	"word":       {2, func(a []string) string { return wordlist(number(a[0]), number(a[0]), a[1]) }},
	"wordlist":   {3, func(a []string) string { return wordlist(number(a[0]), number(a[1]), a[2]) }},
	"words":      {1, func(a []string) string { return strconv.Itoa(len(strings.Fields(a[0]))) }},
	"firstword":  {1, func(a []string) string { return wordlist(1, 1, a[0]) }},
	"lastword":   {1, func(a []string) string { n := len(strings.Fields(a[0])); return wordlist(n, n, a[0]) }},
	"join":       {2, joined},
	"dir":        {1, each(func(w string) string { d, _ := path.Split(w); return orDot(d) })},
	"notdir":     {1, each(func(w string) string { return w[strings.LastIndex(w, "/")+1:] })},
	"suffix":     {1, each(path.Ext)},
	"basename":   {1, each(func(w string) string { return strings.TrimSuffix(w, path.Ext(w)) })},
	"addsuffix":  {2, func(a []string) string { return each(func(w string) string { return w + a[0] })(a[1:]) }},
	"addprefix":  {2, func(a []string) string { return each(func(w string) string { return a[0] + w })(a[1:]) }},
}

// each maps every word of its argument and drops empty results. It stops at the
// maximal length of a result.
func each(change func(string) string) func([]string) string {
	return func(a []string) string {
		var out []string
		size := 0
		for _, w := range strings.Fields(a[0]) {
			if w = change(w); w != "" {
				out = append(out, w)
			}
			if size += len(w) + 1; size > maxResult+1 {
				break
			}
		}
		return strings.Join(out, " ")
	}
}

func orDot(dir string) string {
	if dir == "" {
		return "./"
	}
	return dir
}

// replaceAll is strings.ReplaceAll that stops at the maximal length of a result.
func replaceAll(from, to, text string) string {
	if from == "" {
		return text + to
	}
	return strings.Replace(text, from, to, maxResult/max(1, len(to))+1)
}

func findString(a []string) string {
	if strings.Contains(a[1], a[0]) {
		return a[0]
	}
	return ""
}

func sorted(a []string) string {
	words := strings.Fields(a[0])
	slices.Sort(words)
	return strings.Join(slices.Compact(words), " ")
}

func number(text string) int {
	n, _ := strconv.Atoi(strings.TrimSpace(text)) // make stops there; 0 selects nothing
	return n
}

// wordlist returns the words from the first to the last one, counted from 1.
func wordlist(first, last int, text string) string {
	words := strings.Fields(text)
	if last = min(last, len(words)); first < 1 || first > last {
		return ""
	}
	return strings.Join(words[first-1:last], " ")
}

func joined(a []string) string {
	left, right := strings.Fields(a[0]), strings.Fields(a[1])
	var out []string
	for i := range max(len(left), len(right)) {
		w := ""
		if i < len(left) {
			w = left[i]
		}
		if i < len(right) {
			w += right[i]
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}

// match matches a word with a pattern, in which the first % matches any text; stem
// is that text.
func match(pattern, word string) (stem string, ok bool) {
	before, after, any := strings.Cut(pattern, "%")
	if !any {
		return "", pattern == word
	}
	if len(word) < len(before)+len(after) || !strings.HasPrefix(word, before) || !strings.HasSuffix(word, after) {
		return "", false
	}
	return word[len(before) : len(word)-len(after)], true
}

func patsubst(from, to, text string) string {
	return each(func(w string) string {
		stem, ok := match(from, w)
		if !ok {
			return w
		}
		if !strings.Contains(from, "%") {
			return to
		}
		return strings.Replace(to, "%", stem, 1)
	})([]string{text})
}

// filter returns the words that match one of the patterns, or those that match none.
func filter(patterns, text string, keep bool) string {
	list := strings.Fields(patterns)
	return each(func(w string) string {
		matches := slices.ContainsFunc(list, func(p string) bool { _, ok := match(p, w); return ok })
		if matches == keep {
			return w
		}
		return ""
	})([]string{text})
}

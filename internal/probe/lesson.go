package probe

import "slices"

// Lesson is a setting learned from a server with the extension.
type Lesson struct {
	// Preload are libraries to preload, Libraries shared libraries to bundle,
	// Requires extensions or "module:NAME" of other images.
	Preload, Libraries, Requires []string
	// How is a sentence without its full stop.
	How string
}

// Learn returns the facts with what the lesson adds to them, and whether that
// is anything. What a server showed is no guess.
func (f Facts) Learn(l Lesson) (Facts, bool) {
	learnt := false
	add := func(list []Item, values []string) []Item {
		list = slices.Clone(list)
		for _, v := range values {
			i := slices.IndexFunc(list, func(other Item) bool { return other.Value == v })
			switch item := (Item{Value: v, How: l.How}); {
			case i < 0:
				list, learnt = append(list, item), true
			case list[i].Guess:
				list[i] = item
			}
		}
		return list
	}
	var own []string
	f.Parameters = slices.Clone(f.Parameters)
	for _, library := range l.Preload {
		p, ok := managedParameter(library, l.How, false)
		if !ok {
			own = append(own, library)
		} else if !slices.ContainsFunc(f.Parameters, func(other Parameter) bool { return other.Name == p.Name }) {
			f.Parameters, learnt = append(f.Parameters, p), true
		}
	}
	f.SharedPreloadLibraries = add(f.SharedPreloadLibraries, own)
	f.Libraries = add(f.Libraries, l.Libraries)
	f.Requires = add(f.Requires, l.Requires)
	return f, learnt
}

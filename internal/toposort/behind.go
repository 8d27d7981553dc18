package toposort

// Behind returns items with everything that they need before them, whether it
// is an item or not, and otherwise in their own order. Each key appears once.
// Where things need each other the one that is come upon first is the last.
func Behind[T any, K comparable](items []T, key func(T) K, needs func(T) []T) []T {
	var out []T
	seen := map[K]bool{}
	var visit func(T)
	visit = func(item T) {
		if seen[key(item)] {
			return // also where a cycle closes
		}
		seen[key(item)] = true
		for _, needed := range needs(item) {
			visit(needed)
		}
		out = append(out, item)
	}
	for _, item := range items {
		visit(item)
	}
	return out
}

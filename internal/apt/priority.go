package apt

// priorities are Debian's (Policy 2.5) in apt's order; the number of one is
// its position, 0 is none.
var priorities = [...]string{"", "required", "important", "standard", "optional", "extra"}

// priorityNumber returns the number of a priority; an unknown one counts as
// "extra", as it does to apt.
func priorityNumber(name string) uint8 {
	for i, p := range priorities {
		if p == name {
			return uint8(i)
		}
	}
	return uint8(len(priorities) - 1)
}

package makefile

import "strings"

// branch is an open conditional.
type branch struct {
	// outer means that the lines around it are read, taken that one of its
	// branches was read, active that this branch is read.
	outer, taken, active bool
	// why is the number of the reason for which the condition is unknown, or -1.
	why int
}

// active reports whether lines are read. If that is unknown, why is the number of
// the reason, otherwise -1.
func (r *reading) active() (active bool, why int) {
	for _, b := range r.branches {
		if b.why >= 0 {
			return false, b.why
		}
	}
	if len(r.branches) == 0 {
		return true, -1
	}
	return r.branches[len(r.branches)-1].active, -1
}

// condition parses a line that begins, continues or ends a conditional. ok is false
// for other lines.
func (r *reading) condition(word, rest string) (ok bool) {
	switch word {
	case "ifeq", "ifneq", "ifdef", "ifndef":
		outer, _ := r.active()
		b := branch{outer: outer, why: -1}
		if len(r.branches) > maxDepth {
			r.err = ErrTooMuch
		}
		r.try(&b, word, rest)
		r.branches = append(r.branches, b)
	case "else":
		if len(r.branches) == 0 {
			return true
		}
		b := &r.branches[len(r.branches)-1]
		if word, rest = cutWord(rest); word != "" {
			r.try(b, word, rest)
		} else {
			b.active = b.outer && !b.taken
			b.taken = true
		}
	case "endif":
		r.branches = r.branches[:max(0, len(r.branches)-1)]
	default:
		return false
	}
	return true
}

// try makes a branch active if its condition holds and no branch was taken before.
func (r *reading) try(b *branch, word, rest string) {
	if !b.outer || b.taken || b.why >= 0 {
		b.active = false
		return
	}
	holds, why := r.holds(word, rest)
	b.active, b.taken, b.why = holds, holds, why
}

// holds evaluates a condition. If it is unknown, why is the number of the reason,
// otherwise -1.
func (r *reading) holds(word, rest string) (holds bool, why int) {
	switch word {
	case "ifdef", "ifndef":
		name := r.expand(rest)
		v := r.variables[name]
		text := ""
		switch {
		case v != nil:
			text = v.value
		case r.absent != "":
			text = r.value(name)
		}
		if reason, unknown := marked(text); unknown {
			return false, reason
		}
		return (v != nil && v.value != "") == (word == "ifdef"), -1
	case "ifeq", "ifneq":
		a, b, ok := operands(rest)
		if !ok {
			return false, -1
		}
		a, b = r.expand(a), r.expand(b)
		if reason, unknown := marked(a + b); unknown {
			return false, reason
		}
		return (a == b) == (word == "ifeq"), -1
	}
	return false, -1
}

// operands reads "(a,b)", or two quoted ones.
func operands(text string) (a, b string, ok bool) {
	if strings.HasPrefix(text, "(") {
		inside, _, ok := enclosed(text)
		if !ok {
			return "", "", false
		}
		parts := arguments(inside, '(', 2)
		if len(parts) < 2 {
			return "", "", false
		}
		return strings.TrimRight(parts[0], " \t"), strings.TrimLeft(parts[1], " \t"), true
	}
	a, rest, ok := quoted(text)
	if !ok {
		return "", "", false
	}
	b, _, ok = quoted(strings.TrimSpace(rest))
	return a, b, ok
}

func quoted(text string) (inside, rest string, ok bool) {
	if text == "" || text[0] != '"' && text[0] != '\'' {
		return "", "", false
	}
	return strings.Cut(text[1:], text[:1])
}

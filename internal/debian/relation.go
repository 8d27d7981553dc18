package debian

import (
	"errors"
	"fmt"
	"iter"
	"strings"
)

// Relation is one package of a dependency field (Policy 7.1).
type Relation struct {
	Name string
	// Arch is the qualifier after a colon: "", "any", "native" or an
	// architecture.
	Arch string
	// Op is "", "<<", "<=", "=", ">=" or ">>"; Version is empty when Op is.
	Op, Version string
}

// Alternatives are the packages of one element of a dependency field, in
// order of preference; any of them will do.
type Alternatives []Relation

// SatisfiedBy reports whether version fits the relation. No version ("", of a
// virtual package) only fits a relation that asks for none.
func (r Relation) SatisfiedBy(version string) bool {
	if r.Op == "" {
		return true
	}
	if version == "" {
		return false
	}
	c := CompareVersions(version, r.Version)
	switch r.Op {
	case "<<":
		return c < 0
	case "<=":
		return c <= 0
	case "=":
		return c == 0
	case ">=":
		return c >= 0
	case ">>":
		return c > 0
	}
	return false
}

// String returns the relation as a control file writes it.
func (r Relation) String() string {
	s := r.Name
	if r.Arch != "" {
		s += ":" + r.Arch
	}
	if r.Op != "" {
		s += " (" + r.Op + " " + r.Version + ")"
	}
	return s
}

// String returns the alternatives as a control file writes them.
func (a Alternatives) String() string {
	parts := make([]string, len(a))
	for i, r := range a {
		parts[i] = r.String()
	}
	return strings.Join(parts, " | ")
}

// ParseRelations reads a dependency field: elements separated by commas, all
// of which must hold. Empty elements are skipped, the old operators "<" and
// ">" mean "<=" and ">=" as they do to dpkg, and a version without operator
// means "=". Architecture and build-profile restrictions, which binary
// packages do not have, are accepted and ignored.
func ParseRelations(field string) ([]Alternatives, error) {
	var out []Alternatives
	for element := range strings.SplitSeq(field, ",") {
		if strings.TrimSpace(element) == "" {
			continue
		}
		var alternatives Alternatives
		for text := range strings.SplitSeq(element, "|") {
			r, err := parseRelation(strings.TrimSpace(text))
			if err != nil {
				return nil, fmt.Errorf("relation %.80q: %w", strings.TrimSpace(element), err)
			}
			alternatives = append(alternatives, r)
		}
		out = append(out, alternatives)
	}
	return out, nil
}

// Relations yields the relations of all elements and alternatives of a dependency
// field, in order, up to the first that ParseRelations would refuse.
func Relations(field string) iter.Seq[Relation] {
	return func(yield func(Relation) bool) {
		for more := true; more; {
			var element string
			element, field, more = strings.Cut(field, ",")
			for again := strings.TrimSpace(element) != ""; again; {
				var text string
				text, element, again = strings.Cut(element, "|")
				if r, err := parseRelation(strings.TrimSpace(text)); err != nil || !yield(r) {
					return
				}
			}
		}
	}
}

const spaces = " \t\r\n"

func parseRelation(text string) (Relation, error) {
	end := strings.IndexAny(text, spaces+"([<")
	if end < 0 {
		end = len(text)
	}
	var r Relation
	var qualified bool
	r.Name, r.Arch, qualified = strings.Cut(text[:end], ":")
	if err := r.checkNames(qualified); err != nil {
		return Relation{}, err
	}
	rest := strings.TrimLeft(text[end:], spaces)
	if strings.HasPrefix(rest, "(") {
		var err error
		if rest, err = r.parseVersion(rest[1:]); err != nil {
			return Relation{}, err
		}
	}
	return r, skipRestrictions(rest)
}

// checkNames allows what Policy 5.6.1 allows, and capitals.
func (r *Relation) checkNames(qualified bool) error {
	switch {
	case r.Name == "":
		return errors.New("no package name")
	case strings.IndexByte("+-.", r.Name[0]) >= 0:
		return fmt.Errorf("package name %q: character %q is not allowed at the start", r.Name, r.Name[0])
	case qualified && r.Arch == "":
		return errors.New("architecture is empty")
	}
	if c, bad := firstOutside(r.Name, "+-."); bad {
		return fmt.Errorf("package name %q: character %q is not allowed", r.Name, c)
	}
	if c, bad := firstOutside(r.Arch, "-"); bad {
		return fmt.Errorf("architecture %q: character %q is not allowed", r.Arch, c)
	}
	return nil
}

// parseVersion reads what follows an opening parenthesis and returns what
// follows the closing one.
func (r *Relation) parseVersion(text string) (rest string, err error) {
	inside, rest, ok := strings.Cut(text, ")")
	if !ok {
		return "", errors.New("no closing parenthesis")
	}
	inside = strings.Trim(inside, spaces)
	version := strings.TrimLeft(inside, "<=>")
	op := inside[:len(inside)-len(version)]
	switch op {
	case "<<", "<=", "=", ">=", ">>":
	case "<", ">":
		op += "="
	case "":
		op = "="
	default:
		return "", fmt.Errorf("operator %q is unknown", op)
	}
	version = strings.TrimLeft(version, spaces)
	if version == "" {
		return "", fmt.Errorf("no version after %q", op)
	}
	if c, bad := firstOutside(version, ".+-~:"); bad {
		return "", fmt.Errorf("version %q: character %q is not allowed", version, c)
	}
	r.Op, r.Version = op, version
	return strings.TrimLeft(rest, spaces), nil
}

// skipRestrictions accepts any number of [arch …] and <profile …> groups.
func skipRestrictions(text string) error {
	for text != "" {
		closing := ""
		switch text[0] {
		case '[':
			closing = "]"
		case '<':
			closing = ">"
		default:
			return fmt.Errorf("unexpected %.40q", text)
		}
		_, rest, ok := strings.Cut(text, closing)
		if !ok {
			return fmt.Errorf("no closing %q", closing)
		}
		text = strings.TrimLeft(rest, spaces)
	}
	return nil
}

// SplitSource returns the source package of a binary package called pkg with
// the given version. source is its Source field, "name" or "name (version)"
// (Policy 5.6.1); what it leaves out is the binary package's own.
func SplitSource(source, pkg, version string) (name, ver string) {
	name, rest, hasVersion := strings.Cut(source, "(")
	name = strings.TrimSpace(name)
	if name == "" {
		name = pkg
	}
	ver = version
	if hasVersion {
		inside, _, _ := strings.Cut(rest, ")")
		if v := strings.TrimSpace(inside); v != "" {
			ver = v
		}
	}
	return name, ver
}

// firstOutside returns the first character of s that is no ASCII letter, no
// digit and not in extra.
func firstOutside(s, extra string) (rune, bool) {
	for _, c := range s {
		if c < 0x80 && (isDigit(byte(c)) || isLetter(byte(c)) || strings.ContainsRune(extra, c)) {
			continue
		}
		return c, true
	}
	return 0, false
}

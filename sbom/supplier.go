package sbom

import (
	"regexp"
	"strings"
)

// collective matches names and addresses of teams and companies.
var collective = regexp.MustCompile(`(?i)\b(team|maintainers?|group|developers|project|community|packagers?|inc\.?|ltd\.?|gmbh|corp\.?|foundation)\b|lists\.|tracker\.debian\.org|@packages\.`)

// supplier splits a Maintainer field ("Name <address>"). organization is false for
// a person.
func supplier(maintainer string) (name, address string, organization bool) {
	name, address, _ = strings.Cut(strings.Join(strings.Fields(maintainer), " "), "<")
	name, address = strings.Trim(name, ` "`), strings.TrimRight(address, "> ")
	if name == "" {
		name, address = address, ""
	}
	return name, address, collective.MatchString(maintainer)
}

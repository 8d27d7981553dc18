package sbom

import (
	"regexp"
	"strings"
)

// collective matches the names and addresses that Debian's teams go by.
var collective = regexp.MustCompile(`(?i)\b(team|maintainers?|group|developers|project|community|packagers?|inc\.?|ltd\.?|gmbh|corp\.?|foundation)\b|lists\.|tracker\.debian\.org|@packages\.`)

// supplier splits a Maintainer field ("Name <address>").
func supplier(maintainer string) (name, address string, organization bool) {
	name, address, _ = strings.Cut(strings.Join(strings.Fields(maintainer), " "), "<")
	name, address = strings.Trim(name, ` "`), strings.TrimRight(address, "> ")
	if name == "" {
		name, address = address, ""
	}
	return name, address, collective.MatchString(maintainer)
}

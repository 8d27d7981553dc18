package probe

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/pgext/pgext/internal/cnpg"
)

// Prefix begins the name of every extension package of a PostgreSQL major.
func Prefix(postgres int) string { return fmt.Sprintf("postgresql-%d-", postgres) }

var otherMajor = regexp.MustCompile(`^postgresql-(\d+)-`)

// Name returns what the recipe of a package is called: the package without
// postgresql-NN-, in the letters that CloudNativePG takes.
func Name(pkg string, postgres int) string {
	name := strings.TrimPrefix(pkg, Prefix(postgres))
	if name == pkg { // postgresql-plperl-18
		name = strings.TrimSuffix(strings.TrimPrefix(pkg, "postgresql-"), "-"+strconv.Itoa(postgres))
	}
	return clean(name)
}

func clean(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '-', r == '_':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name)
	return strings.Trim(name[:min(len(name), cnpg.MaxName)], "-_")
}

// Names returns the names of the recipes of several packages. Where two would
// be the same to CloudNativePG, the later one gets -2, -3 and so on at its end.
func Names(packages []string, postgres int) map[string]string {
	taken := map[string]bool{}
	out := map[string]string{}
	for _, pkg := range packages {
		base := Name(pkg, postgres)
		name := base
		for n := 2; taken[cnpg.Volume(name)]; n++ {
			suffix := fmt.Sprintf("-%d", n)
			name = clean(base[:min(len(base), cnpg.MaxName-len(suffix))]) + suffix
		}
		taken[cnpg.Volume(name)] = true
		out[pkg] = name
	}
	return out
}

// variable returns a package's name with ${pg} in place of the major.
func variable(pkg string, postgres int) string {
	words := strings.Split(pkg, "-")
	for i, w := range words {
		if w == strconv.Itoa(postgres) {
			words[i] = "${pg}"
			break
		}
	}
	return strings.Join(words, "-")
}

package base

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// contrib are the extensions that PostgreSQL's own source brings (PostgreSQL
// 18, appendix F) and that Debian has in the server's package since version
// 10, with the major that brought those that are younger than 17. Sorted.
var contrib = []struct {
	name  string
	since int
}{
	{"amcheck", 0}, {"autoinc", 0}, {"bloom", 0}, {"btree_gin", 0}, {"btree_gist", 0}, {"citext", 0}, {"cube", 0},
	{"dblink", 0}, {"dict_int", 0}, {"dict_xsyn", 0}, {"earthdistance", 0}, {"file_fdw", 0}, {"fuzzystrmatch", 0},
	{"hstore", 0}, {"insert_username", 0}, {"intagg", 0}, {"intarray", 0}, {"isn", 0}, {"lo", 0}, {"ltree", 0},
	{"moddatetime", 0}, {"pageinspect", 0}, {"pg_buffercache", 0}, {"pg_freespacemap", 0}, {"pg_logicalinspect", 18},
	{"pg_prewarm", 0}, {"pg_stat_statements", 0}, {"pg_surgery", 0}, {"pg_trgm", 0}, {"pg_visibility", 0},
	{"pg_walinspect", 0}, {"pgcrypto", 0}, {"pgrowlocks", 0}, {"pgstattuple", 0}, {"plpgsql", 0}, {"postgres_fdw", 0},
	{"refint", 0}, {"seg", 0}, {"sslinfo", 0}, {"tablefunc", 0}, {"tcn", 0}, {"tsm_system_rows", 0},
	{"tsm_system_time", 0}, {"unaccent", 0}, {"uuid-ossp", 0}, {"xml2", 0},
}

// HasControlFile reports whether file, a path relative to the root, is the
// control file of an extension that every server of that major has. A mounted
// image's extension of the same name is never found: $system comes first.
func HasControlFile(postgres int, file string) bool {
	name, ok := strings.CutSuffix(path.Base(file), ".control")
	if !ok || path.Dir(file) != fmt.Sprintf("usr/share/postgresql/%d/extension", postgres) {
		return false
	}
	for _, c := range contrib {
		if c.name == name {
			return postgres >= c.since
		}
	}
	return false
}

// Contrib returns the extensions that every server of that major has, sorted.
func Contrib(postgres int) []string {
	var out []string
	for _, c := range contrib {
		if postgres >= c.since {
			out = append(out, c.name)
		}
	}
	return slices.Clip(out)
}

package base

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// contrib are the extensions that PostgreSQL's own source brings in every major
// from 13 on (PostgreSQL documentation, appendix F); Debian has them in the
// server's package.
var contrib = []string{
	"amcheck", "autoinc", "bloom", "btree_gin", "btree_gist", "citext", "cube", "dblink", "dict_int",
	"dict_xsyn", "earthdistance", "file_fdw", "fuzzystrmatch", "hstore", "insert_username", "intagg",
	"intarray", "isn", "lo", "ltree", "moddatetime", "pageinspect", "pg_buffercache", "pg_freespacemap",
	"pg_prewarm", "pg_stat_statements", "pg_trgm", "pg_visibility", "pgcrypto", "pgrowlocks",
	"pgstattuple", "plpgsql", "postgres_fdw", "refint", "seg", "sslinfo", "tablefunc", "tcn",
	"tsm_system_rows", "tsm_system_time", "unaccent", "uuid-ossp", "xml2",
}

// contribOf are those that came or went since: the first major that has each,
// and the last, 0 for none yet.
var contribOf = []struct {
	name        string
	first, last int
}{
	{"adminpack", 0, 16},
	{"old_snapshot", 14, 16},
	{"pg_logicalinspect", 18, 0},
	{"pg_surgery", 14, 0},
	{"pg_walinspect", 15, 0},
}

// HasControlFile reports whether file, a path relative to the root, is the
// control file of an extension that every server of that major has. A mounted
// image's extension of the same name is never found: $system comes first.
func HasControlFile(postgres int, file string) bool {
	name, ok := strings.CutSuffix(path.Base(file), ".control")
	if !ok || path.Dir(file) != fmt.Sprintf("usr/share/postgresql/%d/extension", postgres) {
		return false
	}
	return slices.Contains(Contrib(postgres), name)
}

// Contrib returns the extensions that every server of that major has, sorted.
func Contrib(postgres int) []string {
	out := slices.Clone(contrib)
	for _, c := range contribOf {
		if postgres >= c.first && (c.last == 0 || postgres <= c.last) {
			out = append(out, c.name)
		}
	}
	slices.Sort(out)
	return out
}

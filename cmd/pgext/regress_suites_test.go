//go:build regress && linux

package main

// upstream has the folder of the suite of a recipe and its requirements, where the
// Makefile at the top of the source tree is not sufficient.
type upstream struct {
	// dir is the folder within the source tree.
	dir string
	// expected takes all tests of that folder that have an expected output.
	expected string
	// copies are files that rules of the Makefile would copy to a folder.
	copies, to string
	options    []string
}

var upstreams = map[string]upstream{
	"auto-failover": {dir: "src/monitor"},
	"h3":            {dir: "h3/test", expected: ".", options: []string{"--regress-option=--load-extension=h3"}},
	"pgaudit":       {options: []string{"--regress-option=--temp-config=pgext.conf"}},
	"pgtap":         {expected: "test", copies: "test/schedule/*.sql", to: "test/sql"},
	"pointcloud":    {dir: "pgsql", options: []string{"--regress-tests=pointcloud,pointcloud_columns,schema"}},
	"similarity":    {options: []string{"--regress-option=--temp-config=pgext.conf"}},
	"repack":        {dir: "regress", options: []string{"--regress-option=--schedule=first.schedule"}},
}

// rule makes a file from another one, as a rule of the Makefile would with
// sed.
type rule struct {
	from    string
	replace []string
}

// made are files that rules of Makefiles make, and what makes them.
var made = map[string]map[string]rule{
	"pgtap":      {"sql/pgtap.sql": {"sql/pgtap.sql.in", []string{"MODULE_PATHNAME", "pgtap", "__OS__", "linux", "__VERSION__", "1.3"}}},
	"similarity": {"pg_similarity.sql": {"pg_similarity.sql.in", []string{"MODULE_PATHNAME", "pg_similarity"}}},
}

// tablespaces is a test before those of repack, which does what its
// create_tablespaces.sh does.
const tablespaces = `\! mkdir /tmp/testts /tmp/1testts "/tmp/test ts" '/tmp/test"ts'
CREATE TABLESPACE testts LOCATION '/tmp/testts';
CREATE TABLESPACE "1testts" LOCATION '/tmp/1testts';
CREATE TABLESPACE "test ts" LOCATION '/tmp/test ts';
CREATE TABLESPACE "test""ts" LOCATION '/tmp/test"ts';
`

// added are files that a suite needs and its source tree lacks.
var added = map[string]map[string]string{
	"pgaudit": {"pgext.conf": "pgaudit.log = 'none'\n"}, // which the image sets to something else
	// it was written before PostgreSQL 12 printed the shortest digits, and wants its parameters to be known
	"similarity": {"pgext.conf": "extra_float_digits = 0\nshared_preload_libraries = 'pg_similarity'\n"},
	"repack": {
		"regress/first.schedule": "test: create-tablespaces\n", "regress/sql/create-tablespaces.sql": tablespaces,
		"regress/expected/create-tablespaces.out": tablespaces,
	},
}

// apart are the recipes whose suites are not run.
var apart = map[string]string{
	"mysql-fdw":   "needs a MySQL server",
	"mongo-fdw":   "needs a MongoDB server",
	"tds-fdw":     "needs a Microsoft SQL Server",
	"pgmemcache":  "needs memcached",
	"snakeoil":    "needs ClamAV's database",
	"pglogical":   "its tests wait for replication workers that start minutes late, with the package in the default location and the real pg_regress too",
	"mobilitydb":  "CMake generates its suite",
	"timescaledb": "CMake generates its suite",
	"postgis-3":   "its suite is a Perl program",
	"pgpool2":     "its suite tests the pooler",
}

// reasons are the reasons for which a test of a suite, or all of them, cannot pass
// here.
var reasons = map[string]string{
	"auto-failover upgrade":             "it expects the \\dx output of an older psql",
	"londiste-sql londiste_create_part": "it counts constraints, of which PostgreSQL 18 has more; Debian's patches are not on the mirror",
	"pgextwlist hooks":                  "the suite is for another version",
	"pg-hint-plan":                      "the suite is for another version and PostgreSQL 17",
	"pgpcre test":                       "it expects messages of PCRE 1; Debian's patches are not on the mirror",
	"pgq3 pgq_perms":                    "it reads a file that a rule of the Makefile generates",
	"powa 03_db_module":                 "the suite is for another version",
	"powa 10_acl":                       "the suite is for another version",
	"rum security":                      "it prints the image's script, which has 'rum' instead of '$libdir/rum'",
}

package pgtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/regress"
)

// batch is the tests that one of PostgreSQL's test programs runs.
type batch struct {
	regress.Invocation
	kind kind
	// notes are part of its first check.
	notes []string
}

// kind has the differences between the two programs.
type kind struct {
	// name is the prefix of the names of checks.
	name string
	// folder and ext are the folder and the extension of a test's file.
	folder, ext string
	// application is the prefix of the application name of a test's connections.
	application string
	// program is the name of the program that runs a test.
	program string
	// run is the shell command that runs it (testScript).
	run string
}

// The kinds, as psql_start_test (pg_regress_main.c) and isolation_start_test
// (isolation_main.c) of PostgreSQL 18 have them.
var (
	sqlKind = kind{
		name: "regress", folder: "sql", ext: ".sql", application: "pg_regress/", program: "psql",
		run: `exec $5 "$4" -X -a -q -d "$3" -v HIDE_TABLEAM=on -v HIDE_TOAST_COMPRESSION=on`,
	}
	isolationKind = kind{
		name: "isolation", folder: "specs", ext: ".spec", application: "isolation/", program: "isolationtester",
		run: `exec $5 "$4" "dbname=$3"`,
	}
)

// path returns the path of the program in the operand.
func (k kind) path(major int) string {
	if k.program == "psql" {
		return bin(major, k.program)
	}
	return fmt.Sprintf("/usr/lib/postgresql/%d/lib/pgxs/src/test/isolation/%s", major, k.program)
}

// batches returns the batches of the suite, in the order of make installcheck.
func (r *regression) batches() []batch {
	var out []batch
	if len(r.suite.Tests) > 0 {
		out = append(out, batch{Invocation: r.suite.Invocation, kind: sqlKind})
	}
	if len(r.suite.Isolation.Tests) > 0 {
		out = append(out, batch{Invocation: r.suite.Isolation, kind: isolationKind})
	}
	return out
}

// setup returns the steps of drop_database_if_exists, create_database and
// create_role in pg_regress.c of PostgreSQL 18.
func (b batch) setup() []step {
	var steps []step
	options := " TEMPLATE=template0"
	if b.Encoding != "" {
		options += " ENCODING=" + literal(b.Encoding)
	}
	if b.NoLocale {
		options += " LOCALE='C'"
	}
	if b.User != "" && b.User != "postgres" {
		steps = append(steps, step{"creating the user", createRole(b.User, " WITH LOGIN SUPERUSER")})
	}
	for _, db := range b.Databases {
		if db == "postgres" {
			continue
		}
		sql := "DROP DATABASE IF EXISTS " + ident(db) + ";\nCREATE DATABASE " + ident(db) + options + ";\n"
		for _, set := range []string{
			"lc_messages TO 'C'", "lc_monetary TO 'C'", "lc_numeric TO 'C'", "lc_time TO 'C'",
			"bytea_output TO 'hex'", "timezone_abbreviations TO 'Default'",
		} {
			sql += "ALTER DATABASE " + ident(db) + " SET " + set + ";\n"
		}
		sql += "\\connect " + ident(db) + "\n"
		for _, e := range b.Extensions {
			sql += "CREATE EXTENSION IF NOT EXISTS " + ident(e) + ";\n"
		}
		steps = append(steps, step{"creating the database " + db, sql + "\\connect postgres\n"})
	}
	for _, role := range b.Roles {
		if role == b.User {
			continue
		}
		sql := createRole(role, " WITH LOGIN")
		for _, db := range b.Databases {
			sql += "GRANT ALL ON DATABASE " + ident(db) + " TO " + ident(role) + ";\n"
		}
		steps = append(steps, step{"creating the role " + role, sql})
	}
	return steps
}

// createRole creates a role unless an earlier batch has created it. It cannot be
// dropped before, since it may own objects.
func createRole(role, options string) string {
	create := "CREATE ROLE " + ident(role) + options
	return fmt.Sprintf("SELECT %s WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = %s) \\gexec\n", literal(create), literal(role))
}

// environment returns base with the variables that initialize_environment sets from
// options.
func (b batch) environment(base []string) []string {
	env := slices.DeleteFunc(slices.Clone(base), func(v string) bool {
		return b.NoLocale && strings.HasPrefix(v, "LANG=")
	})
	if b.Encoding != "" {
		env = append(env, "PGCLIENTENCODING="+b.Encoding)
	}
	user := "postgres"
	if b.User != "" {
		user = b.User
	}
	return append(env, "PGUSER="+user)
}

package pgtest

import (
	"context"
	_ "embed" // the scripts
	"errors"
	"fmt"
	"strings"
)

// The scripts that fill a database with objects of an extension, each a DO
// block that passes over whatever is refused.
var (
	//go:embed sql/types.sql
	fillTypes string
	//go:embed sql/indexes.sql
	fillIndexes string
	//go:embed sql/functions.sql
	fillFunctions string
)

// specimens are texts of which one or another is a value of most types there
// are: numbers, lists, points, keys and values, versions, addresses, times.
var specimens = []string{
	"[1,2,3]", "POINT(1 2)", "{1:1}/3", "1", "0", "1.5", "101", "a", "t", "{1,2}", "{}", "[1,2]", "(1,2)", "(1,2,3)", "1,2", "1:1",
	"a=>1", `{"a": 1}`, "1/2", "1.2.3", "192.0.2.1", "192.0.2.0/24", "192.0.2.1-192.0.2.9", "2001:db8::1", "2001-02-03", "2001-02-03 04:05:06",
	"1 day", "00000000-0000-0000-0000-000000000001", "BOX(1 1,2 2)", "BOX3D(1 1 1,2 2 2)", "LINESTRING(1 1,2 2)",
	`SPHEROID["WGS 84",6378137,298.257223563]`, "<(1,2),3>", "((1,2),(3,4))", "empty", "a.b", "a = 1", "978-0-393-04002-9", "1 m",
	"8928308280fffff", "http://example.com/a", "a@example.com", `\x01`, `\x128b7f`, "one",
}

// fillTime is how long one of the scripts may take in the server.
const fillTime = "SET statement_timeout = '60s';\n"

// fillSchema is the schema with objects of an extension.
func fillSchema(extension string) string { return "fill " + extension }

// fill makes tables of the types that an extension has, indexes of its
// operator classes, and views of its functions. What can be made is made; an
// error says that a script did not reach its end, for a crash for instance.
func (s *server) fill(ctx context.Context, database, extension string) error {
	quoted := make([]string, len(specimens))
	for i, text := range specimens {
		quoted[i] = literal(text)
	}
	known := strings.NewReplacer(
		":home", literal(fillSchema(extension)), ":extension", literal(extension), ":specimens", "ARRAY["+strings.Join(quoted, ", ")+"]",
	)
	var problems []error
	for _, script := range []string{fillTypes, fillIndexes, fillFunctions} {
		for range crashes {
			err := s.survive(ctx, database, fillTime+known.Replace(script))
			if err != nil {
				problems = append(problems, err)
			}
			if err == nil || script != fillTypes { // which goes on where it was
				break
			}
		}
	}
	return errors.Join(problems...)
}

// crashes is how often the types of an extension may crash the server.
const crashes = 3

// survive runs a script; when it crashes the server it waits for the recovery.
func (s *server) survive(ctx context.Context, database, script string) error {
	mark := s.log.mark()
	_, err := s.psql(ctx, database, script)
	if err == nil {
		return nil
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	err = fmt.Errorf("using what it has: %s", first)
	if !strings.Contains(first, "server closed the connection") {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.patience(startTime))
	defer cancel()
	return errors.Join(err, s.ready(ctx, mark, nil))
}

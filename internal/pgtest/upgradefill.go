package pgtest

import (
	"context"
	_ "embed" // the scripts
	"errors"
	"fmt"
	"strings"
)

// The scripts that create objects of an extension in a database, each a DO block
// that ignores errors of single objects.
var (
	//go:embed sql/types.sql
	fillTypes string
	//go:embed sql/indexes.sql
	fillIndexes string
	//go:embed sql/functions.sql
	fillFunctions string
)

// specimens are input values; most types accept at least one of them: numbers,
// lists, points, keys and values, versions, addresses, times.
var specimens = []string{
	"[1,2,3]", "POINT(1 2)", "{1:1}/3", "1", "0", "1.5", "101", "a", "t", "{1,2}", "{}", "[1,2]", "(1,2)", "(1,2,3)", "1,2", "1:1",
	"a=>1", `{"a": 1}`, "1/2", "1.2.3", "192.0.2.1", "192.0.2.0/24", "192.0.2.1-192.0.2.9", "2001:db8::1", "2001-02-03", "2001-02-03 04:05:06",
	"1 day", "00000000-0000-0000-0000-000000000001", "BOX(1 1,2 2)", "BOX3D(1 1 1,2 2 2)", "LINESTRING(1 1,2 2)",
	`SPHEROID["WGS 84",6378137,298.257223563]`, "<(1,2),3>", "((1,2),(3,4))", "empty", "a.b", "a = 1", "978-0-393-04002-9", "1 m",
	"8928308280fffff", "http://example.com/a", "a@example.com", `\x01`, `\x128b7f`, "one",
}

// fillTime sets the time limit of a script in the server.
const fillTime = "SET statement_timeout = '60s';\n"

// fillSchema returns the name of the schema with the objects of an extension.
func fillSchema(extension string) string { return "fill " + extension }

// fill creates tables with the types of an extension, indexes with its operator
// classes, and views with its functions, as far as possible. An error means that a
// script did not finish, because of a crash for example.
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
			err := s.runRecovering(ctx, database, fillTime+known.Replace(script))
			if err != nil {
				problems = append(problems, err)
			}
			if err == nil || script != fillTypes { // fillTypes continues where it stopped
				break
			}
		}
	}
	return errors.Join(problems...)
}

// crashes is how often fillTypes may crash the server.
const crashes = 3

// runRecovering runs a script. If it crashes the server it waits for the recovery.
func (s *server) runRecovering(ctx context.Context, database, script string) error {
	mark := s.log.mark()
	_, err := s.psql(ctx, database, script)
	if err == nil {
		return nil
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	err = fmt.Errorf("using its objects: %s", first)
	if !strings.Contains(first, "server closed the connection") {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout(startTime))
	defer cancel()
	return errors.Join(err, s.ready(ctx, mark, nil))
}

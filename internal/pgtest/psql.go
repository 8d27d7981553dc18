package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/sandbox"
)

// sessionTime is the time limit of a session.
const sessionTime = 2 * time.Minute

// maxOutput is how much is kept of each output stream of a program, in bytes.
const maxOutput = 64 << 20

// marker is the prefix of the lines that separate steps in the output of psql.
const marker = "@pgext-step "

// step is a named part of a session.
type step struct{ name, sql string }

// response is the result of a session.
type response struct {
	// output is the unaligned output of each step, by name.
	output map[string]string
	// failed is the name of the step that failed with err; "" if none began.
	failed string
	err    error
}

// stepError returns the error with the name of the step that failed.
func (a response) stepError() error {
	if a.err == nil || a.failed == "" {
		return a.err
	}
	return fmt.Errorf("%s: %w", a.failed, a.err)
}

// sqlError is an error that the server or psql reported.
type sqlError struct {
	// State is the SQLSTATE; "" if psql lost the connection.
	State string
	// Text is the message, followed by detail, hint and context, a line each.
	Text string
}

func (e *sqlError) Error() string { return e.Text }

// session runs steps in one session, until the first error.
func (s *server) session(ctx context.Context, database string, steps ...step) response {
	var script strings.Builder
	for _, st := range steps {
		fmt.Fprintf(&script, "\\echo %s%s\n%s\n", marker, st.name, st.sql)
	}
	out, err := s.psql(ctx, database, script.String())
	a := response{output: map[string]string{}, err: err}
	for line := range strings.Lines(out) {
		if name, ok := strings.CutPrefix(line, marker); ok {
			a.failed = strings.TrimSpace(name)
		} else if a.failed != "" {
			a.output[a.failed] += line
		}
	}
	if err == nil {
		a.failed = ""
	}
	for name, text := range a.output {
		a.output[name] = strings.TrimSuffix(text, "\n")
	}
	return a
}

// query returns the rows of one statement.
func (s *server) query(ctx context.Context, database, sql string) (string, error) {
	a := s.session(ctx, database, step{"query", sql})
	return a.output["query"], a.err
}

// errTimedOut means that a program was stopped, since it took too long.
var errTimedOut = errors.New("timed out")

func timedOut(program string, after time.Duration) error {
	return fmt.Errorf("%s %w after %v", program, errTimedOut, after)
}

// psql runs a script and returns its output. The error is a *sqlError if the
// server or psql reported one, and wraps errTimedOut if the script took longer
// than sessionTime.
func (s *server) psql(ctx context.Context, database, script string) (string, error) {
	return s.psqlTimeout(ctx, sessionTime, database, script)
}

// psqlTimeout is psql with another time limit. After a timeout it ends the
// server's sessions.
func (s *server) psqlTimeout(ctx context.Context, most time.Duration, database, script string) (string, error) {
	out, err := s.runPsql(ctx, most, database, script)
	if errors.Is(err, errTimedOut) {
		s.endSessions(ctx)
	}
	return out, err
}

// runPsql is psqlTimeout without ending sessions.
func (s *server) runPsql(ctx context.Context, most time.Duration, database, script string) (string, error) {
	most = s.timeout(most)
	own, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	var stdout, stderr bytes.Buffer
	err := s.sandbox.Run(own, sandbox.Command{
		Args: []string{
			bin(s.major, "psql"), "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1",
			"--set=VERBOSITY=verbose", "--dbname=" + database, "--file=-",
		},
		Env: environment([]string{
			"PGHOST=/run/postgresql", "PGUSER=postgres", "PGAPPNAME=" + application,
			"PGOPTIONS=-c client_min_messages=warning",
		}),
		Stdin: strings.NewReader(script), Stdout: &limited{to: &stdout, left: maxOutput}, Stderr: &limited{to: &stderr, left: maxOutput},
	})
	var exit *sandbox.ExitError
	switch {
	case errors.As(err, &exit):
		err = parseError(stderr.String(), exit)
	case err != nil && own.Err() != nil && ctx.Err() == nil:
		err = timedOut("psql", most)
	}
	return stdout.String(), err
}

var (
	errorLine = regexp.MustCompile(`(?:^|: )(?:ERROR|FATAL|PANIC):  (?:([0-9A-Z]{5}): )?(.*)$`)
	// positions matches lines with the position in PostgreSQL's source or in the
	// script.
	positions = regexp.MustCompile(`^(LOCATION:|LINE \d+:|\s*\^|STATEMENT:)`)
)

// parseError returns the first error in what psql wrote to stderr.
func parseError(stderr string, exit *sandbox.ExitError) *sqlError {
	e := &sqlError{}
	var lines []string
	for line := range strings.Lines(stderr) {
		line = strings.TrimRight(line, "\n")
		if m := errorLine.FindStringSubmatch(line); m != nil {
			if len(lines) > 0 {
				break
			}
			e.State = m[1]
			lines = append(lines, m[2])
			continue
		}
		if len(lines) > 0 && !positions.MatchString(line) {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		lines = append(lines, strings.TrimSpace(stderr))
		if lines[0] == "" {
			lines[0] = exit.Error()
		}
	}
	e.Text = strings.TrimSpace(strings.Join(lines, "\n"))
	return e
}

// ident quotes an identifier.
func ident(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// literal quotes a string.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

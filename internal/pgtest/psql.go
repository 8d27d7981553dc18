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

// sessionTime is how long one session may take.
const sessionTime = 2 * time.Minute

// maxOutput is how much is kept of what a session writes to each of its streams,
// in bytes.
const maxOutput = 64 << 20

// marker starts the lines that tell steps apart in the output of psql.
const marker = "@pgext-step "

// step is a named part of a session.
type step struct{ name, sql string }

// answer is what a session gave: the output of each step, unaligned, and the
// step that failed, if one did.
type answer struct {
	output map[string]string
	failed string
	// err is nil when all went well.
	err error
}

// fault is the error with the step that it happened in, if one had begun.
func (a answer) fault() error {
	if a.err == nil || a.failed == "" {
		return a.err
	}
	return fmt.Errorf("%s: %w", a.failed, a.err)
}

// SQLError is an error that the server reported.
type SQLError struct {
	// State is the SQLSTATE, or "" when the server could not tell any more.
	State string
	// Text is the message, followed by detail, hint and context, a line each.
	Text string
}

func (e *SQLError) Error() string { return e.Text }

// session runs steps one after the other in one session, and stops at the
// first error.
func (s *server) session(ctx context.Context, database string, steps ...step) answer {
	var script strings.Builder
	for _, st := range steps {
		fmt.Fprintf(&script, "\\echo %s%s\n%s\n", marker, st.name, st.sql)
	}
	out, err := s.psql(ctx, database, script.String())
	a := answer{output: map[string]string{}, err: err}
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

// unfinishedError says that a program was stopped, since it took too long.
type unfinishedError struct {
	program string
	after   time.Duration
}

func (e *unfinishedError) Error() string {
	return fmt.Sprintf("%s is not done after %v", e.program, e.after)
}

// psql runs a script and returns what it printed. The error is a *SQLError
// when the server or psql refused something, and an *unfinishedError when it
// took longer than sessionTime.
func (s *server) psql(ctx context.Context, database, script string) (string, error) {
	return s.psqlWithin(ctx, sessionTime, database, script)
}

// psqlWithin is psql with a time of its own. What is not over then is ended,
// on the server too.
func (s *server) psqlWithin(ctx context.Context, most time.Duration, database, script string) (string, error) {
	out, err := s.try(ctx, most, database, script)
	if errors.As(err, new(*unfinishedError)) {
		s.endSessions(ctx)
	}
	return out, err
}

// try is psqlWithin that leaves the server as it is.
func (s *server) try(ctx context.Context, most time.Duration, database, script string) (string, error) {
	most = s.patience(most)
	own, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	var stdout, stderr bytes.Buffer
	err := s.sandbox.Run(own, sandbox.Command{
		Args: []string{
			bin(s.major, "psql"), "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1",
			"--set=VERBOSITY=verbose", "--dbname=" + database, "--file=-",
		},
		Env: environment([]string{
			"PGHOST=/run/postgresql", "PGUSER=postgres", "PGAPPNAME=" + ours,
			"PGOPTIONS=-c client_min_messages=warning",
		}),
		Stdin: strings.NewReader(script), Stdout: &limited{to: &stdout, left: maxOutput}, Stderr: &limited{to: &stderr, left: maxOutput},
	})
	var exit *sandbox.ExitError
	switch {
	case errors.As(err, &exit):
		err = sqlError(stderr.String(), exit)
	case err != nil && own.Err() != nil && ctx.Err() == nil:
		err = &unfinishedError{"psql", most}
	}
	return stdout.String(), err
}

var (
	errorLine = regexp.MustCompile(`(?:^|: )(?:ERROR|FATAL|PANIC):  (?:([0-9A-Z]{5}): )?(.*)$`)
	// places are lines that tell where in PostgreSQL's source, or in the
	// script, something happened.
	places = regexp.MustCompile(`^(LOCATION:|LINE \d+:|\s*\^|STATEMENT:)`)
)

// sqlError reads the first error among what psql wrote to stderr.
func sqlError(stderr string, exit *sandbox.ExitError) error {
	e := &SQLError{}
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
		if len(lines) > 0 && !places.MatchString(line) {
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

package pgtest

import (
	"fmt"
	"regexp"
	"strings"
)

// logPrefix is log_line_prefix: process type, database, SQLSTATE and application.
const logPrefix = "@%b|%d|%e|%a| "

// entry is one message of the log.
type entry struct {
	// process is the process type, such as "client backend".
	process, database, state, application string
	// level is LOG, ERROR, FATAL, PANIC and others.
	level, text string
}

func (e entry) String() string { return fmt.Sprintf("%s: %s: %s", e.process, e.level, e.text) }

var entryLine = regexp.MustCompile(`^@([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\| ([A-Z0-9]+):  (.*)$`)

// entries parses a log. Lines that start with a tab continue an entry; details,
// hints and statements are separate entries.
func entries(log string) []entry {
	var out []entry
	for line := range strings.Lines(log) {
		line = strings.TrimSuffix(line, "\n")
		if m := entryLine.FindStringSubmatch(line); m != nil {
			out = append(out, entry{process: m[1], database: m[2], state: m[3], application: m[4], level: m[5], text: m[6]})
		} else if len(out) > 0 && strings.HasPrefix(line, "\t") {
			out[len(out)-1].text += "\n" + line
		}
	}
	return out
}

// application is the application name of the sessions of checks, which report
// their errors themselves.
const application = "pgext"

// shutdowns are SQLSTATEs of processes that the server ends.
var shutdowns = map[string]bool{"57P01": true, "57P02": true, "57P03": true}

// crash matches the messages about a crashed process.
var crash = regexp.MustCompile(`was terminated by signal|(server|worker) process.*exited with exit code [2-9]|all server processes terminated`)

// faults returns the entries of a log that a correct image does not cause: a PANIC,
// a crash, a FATAL error, a missing file or an internal error. Other errors of
// background processes are notes: a worker may need configuration by its user.
func faults(log string) (bad, notes []string) {
	for _, e := range entries(log) {
		switch {
		case e.level == "PANIC", e.level == "LOG" && crash.MatchString(e.text):
			bad = append(bad, e.String())
		case e.level != "FATAL" && e.level != "ERROR", e.application == application, shutdowns[e.state]:
		case e.state == noDatabase, e.level == "ERROR" && (!systemError(e.state) || vanished.MatchString(e.text)):
			notes = append(notes, e.String())
		default:
			bad = append(bad, e.String())
		}
	}
	return bad, notes
}

// vanished matches the internal error of a process that uses an object which
// another session drops at the same time, as the checks do.
var vanished = regexp.MustCompile(`^(could not open relation with OID|cache lookup failed for .*) \d+`)

// noDatabase is the SQLSTATE invalid_catalog_name.
const noDatabase = "3D000"

// systemError reports whether a SQLSTATE is a system error (class 58) or an internal
// error (class XX).
func systemError(state string) bool {
	return strings.HasPrefix(state, "58") || strings.HasPrefix(state, "XX")
}

// lastMessages returns the errors in the log of a server that did not start, or its
// last lines if there are none.
func lastMessages(log string) string {
	var out []string
	for _, e := range entries(log) {
		switch e.level {
		case "FATAL", "PANIC", "ERROR", "HINT", "DETAIL":
			out = append(out, e.level+": "+e.text)
		}
	}
	if len(out) == 0 {
		lines := strings.Split(strings.TrimSpace(log), "\n")
		out = lines[max(0, len(lines)-5):]
	}
	return strings.Join(out, "\n")
}

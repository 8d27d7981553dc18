package pgtest

import (
	"fmt"
	"regexp"
	"strings"
)

// logPrefix starts each entry of the server's log with its process type,
// database, SQLSTATE and application.
const logPrefix = "@%b|%d|%e|%a| "

// entry is one message of the log.
type entry struct {
	// process is its type, such as "client backend".
	process, database, state, application string
	// level is LOG, ERROR, FATAL, PANIC and others.
	level, text string
}

func (e entry) String() string { return fmt.Sprintf("%s: %s: %s", e.process, e.level, e.text) }

var entryLine = regexp.MustCompile(`^@([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\| ([A-Z0-9]+):  (.*)$`)

// entries reads a log. What follows an entry without a prefix belongs to it;
// details, hints and statements are entries of their own.
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

// ours is the application name of the sessions that the checks open. Their
// errors are told by the checks.
const ours = "pgext"

// shutdowns are SQLSTATEs of processes that are told to end.
var shutdowns = map[string]bool{"57P01": true, "57P02": true, "57P03": true}

// crash tells of a process that ended as none should.
var crash = regexp.MustCompile(`was terminated by signal|(server|worker) process.*exited with exit code [2-9]|all server processes terminated`)

// faults are the entries of a log that a sound image does not cause: a PANIC, a
// crash, a process that cannot go on or lacks a file. Other errors of processes
// that nobody sent a statement are worth a note: a background worker may want
// what only its user can set up.
func faults(log string) (bad, worthNoting []string) {
	for _, e := range entries(log) {
		switch {
		case e.level == "PANIC", e.level == "LOG" && crash.MatchString(e.text):
			bad = append(bad, e.String())
		case e.level != "FATAL" && e.level != "ERROR", e.application == ours, shutdowns[e.state]:
		case e.state == noDatabase, e.level == "ERROR" && (!systemError(e.state) || vanished.MatchString(e.text)):
			worthNoting = append(worthNoting, e.String())
		default:
			bad = append(bad, e.String())
		}
	}
	return bad, worthNoting
}

// vanished is the internal error of a process that uses what another one drops
// in that moment, as a check does with every extension.
var vanished = regexp.MustCompile(`^(could not open relation with OID|cache lookup failed for .*) \d+`)

// noDatabase is invalid_catalog_name.
const noDatabase = "3D000"

// systemError tells whether a SQLSTATE is about what lies outside of the
// database (class 58), or about an internal error (class XX).
func systemError(state string) bool {
	return strings.HasPrefix(state, "58") || strings.HasPrefix(state, "XX")
}

// lastWords are the lines of a log that say why a server did not start.
func lastWords(log string) string {
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

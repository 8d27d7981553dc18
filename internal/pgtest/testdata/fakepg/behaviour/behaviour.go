// Package behaviour describes the PostgreSQL server that the fake programs of
// the tests imitate.
package behaviour

// Path is the file in the root file system from which the programs read their
// Behaviour, as JSON.
const Path = "/etc/behaviour.json"

// Behaviour is a server whose extensions work, except for Responses, Starts,
// StopExit and Recovers.
type Behaviour struct {
	Extensions []Extension
	// Responses replace the server's own. The first one that matches counts.
	Responses []Response
	// Starts are the deviations of the first start, the second and so on.
	Starts []Start
	// StopExit is the exit code of the server after SIGINT.
	StopExit int
	// NoRecovery ends the server at its first crash.
	NoRecovery bool
	// NoInitdb fails the initialisation of the cluster.
	NoInitdb bool
	// Tests are the exit codes of regression tests, by a word of their SQL.
	Tests map[string]int
}

// Extension is one row of pg_available_extensions.
type Extension struct {
	Name, Version string
	Requires      []string
	// Old are other versions with an install script. Those in NoUpdate have no
	// path to Version.
	Old, NoUpdate []string
	// Members are the descriptions of the objects that the extension owns.
	Members []string
	// Rows is the JSON array that read.sql returns for it; "" means one table
	// with content.
	Rows string
}

// Response replaces the server's response to SQL.
type Response struct {
	// SQL is a regular expression. Database, when set, is the database in which
	// it applies.
	SQL, Database string
	// Output is printed instead of the rows.
	Output string
	// Error is an error of the server, "SQLSTATE: message".
	Error string
	// Log is written to the server's log. The server continues.
	Log string
	// Crash kills the session's process, and so all others.
	Crash bool
	// Hang never responds.
	Hang bool
	// UnlessPreloaded is a library with which it does not apply.
	UnlessPreloaded string
	// Times is how often it applies; 0 means always.
	Times int
}

// Start is a start of the server that does not go as it should.
type Start struct {
	// Log is written first.
	Log string
	// Exit, when not 0, is the exit code before the server is ready.
	Exit int
}

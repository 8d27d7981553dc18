package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/pgtest/testdata/fakepg/behaviour"
)

// session is a connection to the fake server.
type session struct {
	behaviour.Behaviour
	state    state
	database string
	// saved is the state at BEGIN.
	saved *state
}

// psql runs a script and returns the exit code.
func psql(b behaviour.Behaviour, args []string, in io.Reader, out, problems io.Writer) int {
	if _, err := os.Stat(pidFile); err != nil {
		fmt.Fprintln(problems, "psql: error: connection to server on socket failed: No such file or directory")
		return 2
	}
	s := session{Behaviour: b, state: load(), database: "postgres"}
	for i, a := range args {
		if name, ok := strings.CutPrefix(a, "--dbname="); ok {
			s.database = name
		} else if a == "-d" {
			s.database = args[i+1]
		}
	}
	script, err := io.ReadAll(in)
	if err != nil {
		fail(err)
	}
	if _, ok := s.state.Databases[s.database]; !ok {
		fmt.Fprintf(problems, "psql: error: connection to server failed: FATAL:  database %q does not exist\n", s.database)
		return 2
	}
	sql := ""
	for line := range strings.Lines(string(script) + "\n\\quit\n") {
		if !strings.HasPrefix(line, `\`) {
			sql += line
			continue
		}
		if strings.TrimSpace(sql) != "" {
			rows, failure := s.respond(sql)
			if failure == lost {
				fmt.Fprintln(problems, "psql:<stdin>:1: "+failure)
				return 2
			}
			if failure != "" {
				fmt.Fprintln(problems, "psql:<stdin>:1: ERROR:  "+failure)
				return 3
			}
			fmt.Fprint(out, rows)
		}
		sql = ""
		if !s.meta(strings.TrimSpace(line), out, problems) {
			return 3
		}
	}
	return 0
}

// lost is the failure of a session whose server crashed.
const lost = "server closed the connection unexpectedly"

// meta runs a command of psql.
func (s *session) meta(line string, out, problems io.Writer) bool {
	command, argument, _ := strings.Cut(line, " ")
	switch command {
	case `\echo`:
		fmt.Fprintln(out, argument)
	case `\connect`:
		s.database = strings.ReplaceAll(strings.Trim(argument, `"`), `""`, `"`)
		if _, ok := s.state.Databases[s.database]; !ok {
			fmt.Fprintf(problems, "psql:<stdin>:1: error: connection failed: FATAL:  database %q does not exist\n", s.database)
			return false
		}
	}
	return true
}

// respond executes SQL and returns rows, or an error.
func (s *session) respond(sql string) (rows, failure string) {
	for i, r := range s.Responses {
		if r.Database != "" && r.Database != s.database || !regexp.MustCompile(r.SQL).MatchString(sql) {
			continue
		}
		if preloaded, _ := os.ReadFile(argsFile); r.UnlessPreloaded != "" && strings.Contains(string(preloaded), "shared_preload_libraries="+r.UnlessPreloaded+"\n") {
			continue
		}
		if r.Times > 0 && applied(i) >= r.Times {
			continue
		}
		switch {
		case r.Hang:
			time.Sleep(time.Hour)
		case r.Crash:
			writeLog(crashLine)
			return "", lost
		case r.Log != "":
			writeLog(r.Log)
			continue
		}
		if r.Output != "" {
			r.Output += "\n"
		}
		return r.Output, r.Error
	}
	if failure := s.write(sql); failure != "" {
		return "", failure
	}
	return s.query(sql), ""
}

// applied returns how often response i has applied, and counts one more.
func applied(i int) int {
	name := fmt.Sprintf("%sresponse-%d", runDir, i)
	text, _ := os.ReadFile(name)
	if err := os.WriteFile(name, append(text, '.'), 0o600); err != nil {
		fail(err)
	}
	return len(text)
}

var (
	createDatabase  = regexp.MustCompile(`CREATE DATABASE "([^"]+)"`)
	createExtension = regexp.MustCompile(`CREATE EXTENSION (IF NOT EXISTS )?"([^"]+)"(?: VERSION '([^']+)')?`)
	alterExtension  = regexp.MustCompile(`ALTER EXTENSION "([^"]+)" UPDATE`)
	dropExtension   = regexp.MustCompile(`DROP EXTENSION "([^"]+)"( CASCADE)?`)
)

// write carries out the statements that change a database.
func (s *session) write(sql string) (failure string) {
	extensions := s.state.Databases[s.database]
	for _, m := range createDatabase.FindAllStringSubmatch(sql, -1) {
		if _, ok := s.state.Databases[m[1]]; ok && !strings.Contains(sql, "DROP DATABASE") {
			return "42P04: database \"" + m[1] + "\" already exists"
		}
		s.state.Databases[m[1]] = database{}
	}
	for _, m := range createExtension.FindAllStringSubmatch(sql, -1) {
		if _, ok := extensions[m[2]]; ok && m[1] != "" {
			continue
		}
		if failure := s.create(m[2], m[3]); failure != "" {
			return failure
		}
	}
	for _, m := range alterExtension.FindAllStringSubmatch(sql, -1) {
		e := s.extension(m[1])
		if slices.Contains(e.NoUpdate, extensions[e.Name]) {
			return fmt.Sprintf("22023: extension %q has no update path from version %q to version %q", e.Name, extensions[e.Name], e.Version)
		}
		extensions[e.Name] = e.Version
	}
	if m := dropExtension.FindStringSubmatch(sql); m != nil {
		for name := range extensions {
			if slices.Contains(s.extension(name).Requires, m[1]) {
				return "2BP01: cannot drop extension " + m[1] + " because other objects depend on it"
			}
		}
		delete(extensions, m[1])
	}
	switch {
	case strings.Contains(sql, "BEGIN;"):
		saved := load()
		s.saved = &saved
		return ""
	case strings.Contains(sql, "ROLLBACK;"):
		s.state, s.saved = *s.saved, nil
	}
	if s.saved == nil {
		save(s.state)
	}
	return ""
}

func (s *session) create(name, version string) (failure string) {
	e, extensions := s.extension(name), s.state.Databases[s.database]
	if e.Name == "" {
		return "0A000: extension \"" + name + "\" is not available"
	}
	if _, ok := extensions[name]; ok {
		return "42710: extension \"" + name + "\" already exists"
	}
	for _, r := range e.Requires {
		if _, ok := extensions[r]; !ok {
			return "42704: required extension \"" + r + "\" is not installed"
		}
	}
	if version == "" {
		version = e.Version
	}
	extensions[name] = version
	return ""
}

func (s *session) extension(name string) behaviour.Extension {
	for _, e := range s.Extensions {
		if e.Name == name {
			return e
		}
	}
	return behaviour.Extension{}
}

var extname = regexp.MustCompile(`extname = '([^']+)'`)

// query returns the rows of the queries that pgtest uses.
func (s *session) query(sql string) string {
	extensions, name := s.state.Databases[s.database], ""
	if m := extname.FindStringSubmatch(sql); m != nil {
		name = m[1]
	}
	version, created := extensions[name]
	switch {
	case strings.Contains(sql, "pg_available_extension_versions"):
		return s.catalog()
	case strings.Contains(sql, "pgext_read()"):
		rows := s.extension(name).Rows
		if rows == "" {
			rows = `[{"kind": "object", "object": "table of ` + name + `", "content": "1"}]`
		}
		return fmt.Sprintf("{\"version\": %q, \"indexes\": 1, \"rows\": %s}\n", version, rows)
	case strings.Contains(sql, "pg_describe_object"):
		return strings.Join(s.extension(name).Members, "\n") + "\n"
	case strings.Contains(sql, "SELECT extversion"):
		return version + "\n"
	case strings.Contains(sql, "SELECT count(*) FROM pg_extension"):
		return map[bool]string{false: "0\n", true: "1\n"}[created]
	case strings.Contains(sql, "pg_logical_slot_get_binary_changes"):
		return "3\n"
	case strings.Contains(sql, "pg_terminate_backend"):
		return "0\n"
	}
	return ""
}

// catalog responds to catalogQuery.
func (s *session) catalog() string {
	type version struct {
		Name     string   `json:"name"`
		Version  string   `json:"version"`
		Default  bool     `json:"default"`
		Requires []string `json:"requires"`
	}
	doc := struct {
		Versions []version `json:"versions"`
		Paths    []version `json:"paths"`
	}{}
	for _, e := range s.Extensions {
		doc.Versions = append(doc.Versions, version{e.Name, e.Version, true, e.Requires})
		for _, old := range e.Old {
			doc.Versions = append(doc.Versions, version{Name: e.Name, Version: old})
			if !slices.Contains(e.NoUpdate, old) {
				doc.Paths = append(doc.Paths, version{Name: e.Name, Version: old})
			}
		}
	}
	text, err := json.Marshal(doc)
	if err != nil {
		fail(err)
	}
	return string(text) + "\n"
}

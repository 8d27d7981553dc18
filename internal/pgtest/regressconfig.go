package pgtest

import (
	"regexp"
	"strings"
)

// reserved are parameters that a suite cannot change, since the checks or the
// images depend on them.
var reserved = []string{
	"listen_addresses", "unix_socket_directories", "port", "logging_collector", "log_destination", "log_line_prefix",
	"extension_control_path", "dynamic_library_path", "data_directory", "hba_file", "ident_file", "include", "include_dir", "include_if_exists",
}

// parameter is one line of postgresql.conf.
type parameter struct{ name, value string }

// settingLine matches a line of postgresql.conf (guc-file.l), with a quoted or an
// unquoted value.
var settingLine = regexp.MustCompile(`^\s*([A-Za-z_][A-Za-z0-9_.$]*)\s*(?:=|\s)\s*(?:'((?:[^'\\]|''|\\.)*)'|([^\s'#]+))\s*(?:#.*)?$`)

// parameters parses a postgresql.conf and ignores invalid lines.
func parameters(text string) []parameter {
	var out []parameter
	for line := range strings.Lines(text) {
		m := settingLine.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if m == nil {
			continue
		}
		value := m[3]
		if value == "" {
			value = strings.NewReplacer("''", "'", `\'`, "'", `\\`, `\`, `\n`, "\n", `\t`, "\t").Replace(m[2])
		}
		out = append(out, parameter{strings.ToLower(m[1]), value})
	}
	return out
}

// splitList parses a list of libraries, such as shared_preload_libraries.
func splitList(value string) []string {
	var out []string
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.Trim(strings.TrimSpace(item), `"`); item != "" {
			out = append(out, item)
		}
	}
	return out
}

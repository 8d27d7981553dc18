package pgtest

import (
	"regexp"
	"strings"
)

// given are parameters that a suite cannot change, since the checks or the
// mounts of images hang on them.
var given = []string{
	"listen_addresses", "unix_socket_directories", "port", "logging_collector", "log_destination", "log_line_prefix",
	"extension_control_path", "dynamic_library_path", "data_directory", "hba_file", "ident_file", "include", "include_dir", "include_if_exists",
}

// parameter is one line of postgresql.conf.
type parameter struct{ name, value string }

// settingLine is a line of postgresql.conf (guc-file.l): a value in quotes, or
// a bare one.
var settingLine = regexp.MustCompile(`^\s*([A-Za-z_][A-Za-z0-9_.$]*)\s*(?:=|\s)\s*(?:'((?:[^'\\]|''|\\.)*)'|([^\s'#]+))\s*(?:#.*)?$`)

// parameters reads the lines of a postgresql.conf; what is none is passed
// over.
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

// splitList reads a list of libraries, such as shared_preload_libraries.
func splitList(value string) []string {
	var out []string
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.Trim(strings.TrimSpace(item), `"`); item != "" {
			out = append(out, item)
		}
	}
	return out
}

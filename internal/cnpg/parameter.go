package cnpg

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// ParameterPattern is the syntax of the name of a parameter, without anchors
// (postgresParameterNameRegex in the webhook): one dot at most, although
// PostgreSQL takes more.
const ParameterPattern = `[A-Za-z_][A-Za-z0-9_$]*([.][A-Za-z_][A-Za-z0-9_$]*)?`

var parameter = regexp.MustCompile("^" + ParameterPattern + "$")

// CheckParameter returns an error if name is not a valid parameter name. It
// accepts fixed parameters, see Fixed.
func CheckParameter(name string) error {
	if !parameter.MatchString(name) {
		return fmt.Errorf("%q is not the name of a parameter", name)
	}
	return nil
}

// fixed are the parameters that the operator sets itself or blocks
// (FixedConfigurationParameters in pkg/postgres/configuration.go). Sorted.
var fixed = []string{
	"allow_system_table_mods", "archive_cleanup_command", "archive_command", "archive_mode",
	"bonjour", "bonjour_name", "cluster_name", "config_file", "data_directory", "data_sync_retry",
	"event_source", "external_pid_file", "hba_file", "hot_standby", "ident_file", "jit_provider",
	"listen_addresses", "log_destination", "log_directory", "log_file_mode", "log_filename",
	"log_rotation_age", "log_rotation_size", "log_truncate_on_rotation", "logging_collector",
	"pg_failover_slots.primary_dsn", "pg_failover_slots.standby_slot_names", "port",
	"primary_conninfo", "primary_slot_name", "promote_trigger_file", "recovery_end_command",
	"recovery_min_apply_delay", "recovery_target", "recovery_target_action",
	"recovery_target_inclusive", "recovery_target_lsn", "recovery_target_name",
	"recovery_target_time", "recovery_target_timeline", "recovery_target_xid",
	"restart_after_crash", "restore_command", "shared_preload_libraries", "ssl", "ssl_ca_file",
	"ssl_cert_file", "ssl_crl_file", "ssl_dh_params_file", "ssl_ecdh_curve", "ssl_key_file",
	"ssl_passphrase_command", "ssl_passphrase_command_supports_reload",
	"ssl_prefer_server_ciphers", "stats_temp_directory", "synchronized_standby_slots",
	"synchronous_standby_names", "syslog_facility", "syslog_ident", "syslog_sequence_numbers",
	"syslog_split_messages", "temp_tablespaces", "unix_socket_directories", "unix_socket_group",
	"unix_socket_permissions",
}

// Fixed reports whether the operator refuses a cluster that sets the parameter.
func Fixed(name string) bool {
	_, found := slices.BinarySearch(fixed, name)
	return found
}

// managed are the libraries that the operator adds to shared_preload_libraries
// when a parameter starts with their name and a dot, and removes otherwise, in
// the operator's order (ManagedExtensions in pkg/postgres/configuration.go). The
// parameters here are set to their defaults, except pgaudit.log, whose default
// disables pgaudit.
var managed = []struct{ library, parameter, value string }{
	{"pgaudit", "pgaudit.log", "ddl"},
	{"pg_stat_statements", "pg_stat_statements.track", "top"},
	{"auto_explain", "auto_explain.log_min_duration", "-1"},
	{"pg_failover_slots", "pg_failover_slots.synchronize_slot_names", "name_like:%"},
}

// Managed returns a parameter and a value that make the operator preload
// library. Such a library must not be in shared_preload_libraries.
func Managed(library string) (parameter, value string, ok bool) {
	for _, m := range managed {
		if m.library == library {
			return m.parameter, m.value, true
		}
	}
	return "", "", false
}

// Preloaded returns the libraries that the operator preloads for parameters, in
// the operator's order.
func Preloaded(parameters map[string]string) []string {
	var out []string
	for _, m := range managed {
		for name := range parameters {
			if strings.HasPrefix(name, m.library+".") {
				out = append(out, m.library)
				break
			}
		}
	}
	return out
}

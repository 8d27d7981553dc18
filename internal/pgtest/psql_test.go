package pgtest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/sandbox"
)

func TestParseError(t *testing.T) {
	exit := &sandbox.ExitError{Program: "/usr/lib/postgresql/18/bin/psql", Code: 3}
	for _, tc := range []struct {
		name, stderr string
		want         sqlError
	}{
		{
			"first error with its details",
			"psql:<stdin>:4: WARNING:  01000: careful\npsql:<stdin>:7: ERROR:  0A000: extension \"x\" is not available\nDETAIL:  Could not open extension control file.\nHINT:  The extension must first be installed.\nLOCATION:  get_extension, extension.c:1\npsql:<stdin>:8: ERROR:  25P02: current transaction is aborted\n",
			sqlError{"0A000", "extension \"x\" is not available\nDETAIL:  Could not open extension control file.\nHINT:  The extension must first be installed."},
		},
		{
			"the script is not repeated",
			"psql:<stdin>:1: ERROR:  42601: syntax error at or near \"X\"\nLINE 1: X\n        ^\nLOCATION:  scanner_yyerror, scan.l:1\n",
			sqlError{"42601", "syntax error at or near \"X\""},
		},
		{
			"no answer",
			"psql:<stdin>:2: server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally\n",
			sqlError{"", "psql:<stdin>:2: server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally"},
		},
		{"nothing at all", "", sqlError{"", "psql: exit code 3"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(*parseError(tc.stderr, exit), tc.want); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
		})
	}
}

func TestQuoting(t *testing.T) {
	if got, want := ident(`a"b`), `"a""b"`; got != want {
		t.Errorf("ident: got %s, want %s", got, want)
	}
	if got, want := literal(`a'b`), `'a''b'`; got != want {
		t.Errorf("literal: got %s, want %s", got, want)
	}
}

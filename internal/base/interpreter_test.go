package base

import (
	"testing"

	"github.com/pgext/pgext/internal/apt"
)

func TestInterpreter(t *testing.T) {
	b := Base{Packages: []apt.Package{{Name: "bash"}, {Name: "dash"}, {Name: "mawk"}, {Name: "perl-base"}}}
	for _, tc := range []struct{ line, want string }{
		{"/bin/sh", "dash"},
		{"/usr/bin/sh -e", "dash"},
		{" /bin/bash", "bash"},
		{"/usr/bin/perl -w", "perl-base"},
		{"/usr/bin/env perl", "perl-base"},
		{"/usr/bin/env -S perl -w", "perl-base"},
		{"/usr/bin/env LC_ALL=C sh", "dash"},
		{"/bin/awk -f", "mawk"},
		{"/usr/bin/env", ""},
		{"/usr/bin/env -i", ""},
		{"/usr/local/bin/perl", ""},
		{"perl", ""},
		{"/usr/bin/python3", ""}, // known, not in this base
		{"/usr/bin/tclsh", ""},
		{"/usr/bin/unheard-of", ""},
		{"", ""},
	} {
		p, ok := b.Interpreter(tc.line)
		if p.Name != tc.want || ok != (tc.want != "") {
			t.Errorf("Interpreter(%q) = %q, %v; want %q", tc.line, p.Name, ok, tc.want)
		}
	}
}

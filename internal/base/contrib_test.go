package base

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/oracle"
	"github.com/pgext/pgext/internal/testmirror"
)

// TestContribIsWhatTheServerHas compares the table with the real packages.
func TestContribIsWhatTheServerHas(t *testing.T) {
	program := oracle.Need(t, "dpkg-deb")
	for suite, postgres := range map[string]int{"bookworm": 15, "trixie": 17, "forky": 18} {
		t.Run(suite, func(t *testing.T) {
			deb := testmirror.Deb(t, suite, "amd64", fmt.Sprintf("postgresql-%d", postgres))
			listing, err := exec.CommandContext(t.Context(), program, "--contents", deb).Output()
			if err != nil {
				t.Fatal(err)
			}
			control := regexp.MustCompile(fmt.Sprintf(`usr/share/postgresql/%d/extension/([^/]+)\.control`, postgres))
			var want []string
			for _, m := range control.FindAllSubmatch(listing, -1) {
				want = append(want, string(m[1]))
			}
			slices.Sort(want)
			if diff := cmp.Diff(want, Contrib(postgres)); diff != "" {
				t.Errorf("Contrib(%d) (-package +table):\n%s", postgres, diff)
			}
		})
	}
}

func TestHasControlFile(t *testing.T) {
	for _, tc := range []struct {
		path     string
		postgres int
		want     bool
	}{
		{"usr/share/postgresql/18/extension/hstore.control", 18, true},
		{"usr/share/postgresql/18/extension/pg_logicalinspect.control", 18, true},
		{"usr/share/postgresql/17/extension/pg_logicalinspect.control", 17, false},
		{"usr/share/postgresql/17/extension/hstore.control", 18, false},
		{"usr/share/postgresql/18/extension/vector.control", 18, false},
		{"usr/share/postgresql/18/extension/hstore--1.8.sql", 18, false},
	} {
		if got := HasControlFile(tc.postgres, tc.path); got != tc.want {
			t.Errorf("HasControlFile(%d, %s) = %v", tc.postgres, tc.path, got)
		}
	}
}

package apt_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/apt"
)

// TestNotAutomatic: experimental gives what unstable lacks, whole source
// packages at a time, and nothing else.
func TestNotAutomatic(t *testing.T) {
	stanza := func(name, version, source string) string {
		return fmt.Sprintf("Package: %s\nSource: %s\nVersion: %s\nArchitecture: amd64\nFilename: pool/%s.deb\nSize: 1\nSHA256: %064d\n\n", name, source, version, name, 1)
	}
	file := func(suite string, notAutomatic bool, stanzas ...string) apt.File {
		return apt.File{
			Archive: "debian", Suite: suite, NotAutomatic: notAutomatic,
			Open: func() (io.ReadCloser, error) {
				return io.NopCloser(strings.NewReader(strings.Join(stanzas, ""))), nil
			},
		}
	}
	ix, err := apt.Load(t.Context(), nil, []apt.File{
		file("sid", false, stanza("libpq5", "18.6", "postgresql-18"), stanza("systemd", "261", "systemd")),
		file("experimental", true,
			stanza("libpq5", "19~rc1", "postgresql-19"), stanza("postgresql-19", "19~rc1", "postgresql-19"),
			stanza("systemd", "262", "systemd")),
	}, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for p := range ix.All() {
		got[p.Name] = p.Version
	}
	want := map[string]string{"libpq5": "19~rc1", "postgresql-19": "19~rc1", "systemd": "261"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("candidates (-want +got):\n%s", diff)
	}
	if versions := ix.Versions("systemd"); len(versions) != 2 || versions[0].Version != "261" {
		t.Errorf("Versions(systemd) = %v, want 261 first, then 262", versions)
	}
}

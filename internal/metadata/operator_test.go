package metadata

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		name       string
		parameters map[string]string
		want       []string
	}{
		{"none", nil, nil},
		{"parameters of extensions and of the server", map[string]string{"cron.database_name": "app", "max_worker_processes": "8"}, nil},
		{"parameters that the operator sets", map[string]string{"ssl": "on", "cron.x": "", "port": "1"}, []string{
			"PGX007 error: parameter port is set by CloudNativePG itself; it refuses clusters that set it",
			"PGX007 error: parameter ssl is set by CloudNativePG itself; it refuses clusters that set it",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, f := range (Metadata{Parameters: tt.parameters}).Refused() {
				got = append(got, f.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	hints := map[string]string{"port": "remove it from parameters", "shared_preload_libraries": "list the libraries in the recipe's field shared_preload_libraries"}
	for name, want := range hints {
		if got := (Metadata{Parameters: map[string]string{name: "1"}}).Refused()[0].Hint; got != want {
			t.Errorf("%s: got the hint %q, want %q", name, got, want)
		}
	}
}

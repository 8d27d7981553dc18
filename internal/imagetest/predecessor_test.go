package imagetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pgext/pgext/internal/metadata"
)

func TestPrevious(t *testing.T) {
	tags := []string{
		"0.9.0-18-trixie", "0.9.0-202601010000-18-trixie", "0.10.0-18-trixie", "0.10.0-202602010000-18-trixie",
		"1.0-18-trixie", "1.0-202603010000-18-trixie", "1.0-202603010000-18-trixie-r1", "1.0-202603050000-18-trixie",
		"1.1-18-trixie", "1.1-202604010000-18-trixie", "0.10.0-18-bookworm", "0.10.0-17-trixie", "latest", "sha256-0123", "18-trixie",
		"1.0-rc1-18-trixie", "",
	}
	at := func(text string) time.Time {
		t.Helper()
		out, err := time.Parse("200601021504", text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, tc := range []struct {
		name, version string
		epoch         time.Time
		want          []string
	}{
		{
			"of one version by time, then by revision; what moves names the newest of its version", "1.0", at("202603050000"),
			[]string{
				"1.0-202603050000-18-trixie", "1.0-202603010000-18-trixie-r1", "1.0-202603010000-18-trixie",
				"0.10.0-18-trixie", "0.10.0-202602010000-18-trixie", "0.9.0-18-trixie", "0.9.0-202601010000-18-trixie",
			},
		},
		{
			"nothing newer", "0.10.0", at("202601150000"),
			[]string{"0.9.0-18-trixie", "0.9.0-202601010000-18-trixie"},
		},
		{"nothing at all", "0.1", at("202601150000"), []string{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := metadata.Metadata{Version: tc.version, Postgres: 18, Distro: "trixie"}
			if diff := cmp.Diff(Previous(tags, m, tc.epoch), tc.want, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
		})
	}
}

package sign_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/sign"
	"github.com/pgext/pgext/sign/signtest"
)

// offering returns a service of a signing config, valid from a time on.
func offering(url string, version int, from, operator string) string {
	return fmt.Sprintf(`{"url":%q,"majorApiVersion":%d,"validFor":{"start":%q},"operator":%q}`, url, version, from, operator)
}

// configOf returns a signing config. The lists are JSON.
func configOf(authorities, logs, logConfig, stampers, stamperConfig string) string {
	return `{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","caUrls":[` + authorities + `],"rekorTlogUrls":[` + logs +
		`],"rekorTlogConfig":` + logConfig + `,"tsaUrls":[` + stampers + `],"tsaConfig":` + stamperConfig + `}`
}

const anyOf = `{"selector":"ANY"}`

func TestServicesOfAConfig(t *testing.T) {
	now := time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)
	ca := offering("https://ca", 1, "2022-01-01T00:00:00Z", "a")
	v1 := offering("https://v1", 1, "2021-01-01T00:00:00Z", "a")
	v2 := offering("https://v2", 2, "2026-01-01T00:00:00Z", "a")
	newer, older := offering("https://newer", 2, "2026-07-01T00:00:00Z", "a"), offering("https://older", 2, "2025-07-01T00:00:00Z", "a")
	coming := offering("https://coming", 2, "2026-09-01T00:00:00Z", "a")
	another := offering("https://another", 2, "2026-01-01T00:00:00Z", "b")
	tsa := offering("https://tsa", 1, "2025-01-01T00:00:00Z", "a")
	stamps := []string{"https://tsa"}
	for _, tt := range []struct {
		name     string
		config   string
		versions []int
		want     sign.Services
		fails    string
	}{
		{"the highest version", configOf(ca, v2+","+v1, anyOf, tsa, anyOf), nil, sign.Services{FulcioURL: "https://ca", Logs: []sign.Log{{URL: "https://v2", Version: 2}}, TimestampURLs: stamps}, ""},
		{"another order", configOf(ca, v1+","+v2, anyOf, tsa, anyOf), nil, sign.Services{FulcioURL: "https://ca", Logs: []sign.Log{{URL: "https://v2", Version: 2}}, TimestampURLs: stamps}, ""},
		{"the requested version", configOf(ca, v2+","+v1, anyOf, tsa, anyOf), []int{1}, sign.Services{FulcioURL: "https://ca", Logs: []sign.Log{{URL: "https://v1", Version: 1}}, TimestampURLs: stamps}, ""},
		{"the newest valid shard", configOf("", coming+","+newer+","+older, anyOf, "", anyOf), nil, sign.Services{Logs: []sign.Log{{URL: "https://newer", Version: 2}}}, ""},
		{"version 2 not yet valid", configOf(ca, coming+","+v1, anyOf, "", anyOf), nil, sign.Services{FulcioURL: "https://ca", Logs: []sign.Log{{URL: "https://v1", Version: 1}}}, ""},
		{"all of them", configOf("", v2+","+another+","+v1, `{"selector":"ALL"}`, "", anyOf), nil, sign.Services{Logs: []sign.Log{{URL: "https://another", Version: 2}, {URL: "https://v2", Version: 2}}}, ""},
		{"two of them", configOf("", v2+","+another+","+v1, `{"selector":"EXACT","count":2}`, "", anyOf), nil, sign.Services{Logs: []sign.Log{{URL: "https://another", Version: 2}, {URL: "https://v2", Version: 2}}}, ""},
		{"nothing", configOf("", "", "{}", "", "{}"), nil, sign.Services{}, ""},
		{"three required, two available", configOf("", v2+","+another, `{"selector":"EXACT","count":3}`, "", anyOf), nil, sign.Services{}, "too few services of kind Rekor, API version [1 2]"},
		{"a missing version", configOf("", v1, anyOf, "", anyOf), []int{2}, sign.Services{}, "too few services of kind Rekor, API version [2], at 2026-08-01T00:00:00Z"},
		{"an authority of another version", configOf(offering("https://ca", 9, "2022-01-01T00:00:00Z", "a"), v1, anyOf, "", anyOf), nil, sign.Services{}, "of kind Fulcio, API version [1]"},
		{"a timestamp authority that is not yet valid", configOf("", v1, anyOf, coming, anyOf), nil, sign.Services{}, "of kind timestamp authority, API version [1]"},
		{"no number of services", configOf("", v1, "null", "", "null"), nil, sign.Services{}, "does not define how many services of kind Rekor"},
		{"empty number of services", configOf("", v1, "{}", "", "null"), nil, sign.Services{}, "too few services of kind Rekor"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := sign.ReadSigningConfig([]byte(tt.config))
			must(t, err)
			got, err := c.Services(now, tt.versions...)
			if tt.fails != "" {
				var failure *failure.Error
				if !errors.As(err, &failure) || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("got %v, want %q", err, tt.fails)
				}
				return
			}
			must(t, err)
			slices.SortFunc(got.Logs, func(a, b sign.Log) int { return strings.Compare(a.URL, b.URL) })
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Errorf("Services() (-got +want):\n%s", diff)
			}
		})
	}
}

func TestBadSigningConfigs(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "syntax"},
		{"{}", "media type"},
		{`{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.9+json"}`, "media type"},
		{configOf("null", "", anyOf, "", anyOf), ""},
		{strings.Repeat(" ", 5<<20), "too large"},
	} {
		var failure *failure.Error
		if _, err := sign.LoadSigningConfig(write(t, "config.json", []byte(tt.text))); !errors.As(err, &failure) || !strings.Contains(err.Error(), tt.want) || failure.Hint() == "" {
			t.Errorf("%.40s: got %v, want %q", tt.text, err, tt.want)
		}
	}
	if _, err := sign.LoadSigningConfig(write(t, "config.json", []byte("{}"))); err == nil || !strings.Contains(err.Error(), "config.json: unsupported") {
		t.Errorf("a file: got %v", err)
	}
	if _, err := sign.LoadSigningConfig(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a folder: got %v", err)
	}
}

// TestFetchSigningConfig prefers the file for version 2 of Rekor if version 2 is
// requested.
func TestFetchSigningConfig(t *testing.T) {
	s := signtest.New(t)
	repository := signtest.NewTUF(t, s.TrustedRoot(t))
	o := sign.RootOptions{Cache: t.TempDir(), Mirror: repository.URL, Anchor: repository.Anchor}
	fetched := func(o sign.RootOptions, version int) string {
		c, err := sign.FetchSigningConfig(t.Context(), o, version)
		if err != nil {
			var failure *failure.Error
			if !errors.As(err, &failure) || failure.Hint() == "" {
				t.Errorf("%v has no hint", err)
			}
			return err.Error()
		}
		got, err := c.Services(time.Now())
		must(t, err)
		return got.Logs[0].URL
	}
	check := func(step string, version int, want string) {
		t.Helper()
		if got := fetched(o, version); !strings.Contains(got, want) {
			t.Errorf("%s: version %d: got %s, want %s", step, version, got, want)
		}
	}
	check("nothing published", 0, "fetching the signing config from "+repository.URL)
	check("nothing published", 2, "signing_config.v0.2.json not found")
	repository.Add(t, "signing_config.v0.2.json", s.SigningConfig(t, signtest.WithRekor))
	check("one", 0, s.Rekor.URL)
	check("one", 2, s.Rekor.URL)
	repository.Add(t, "signing_config_rekor_v2.v0.2.json", s.SigningConfig(t, signtest.WithRekor|signtest.WithTiles))
	check("two", 0, s.Rekor.URL)
	check("two", 1, s.Rekor.URL)
	check("two", 2, s.Tiles.URL)
	o.Offline, o.Transport = true, refusing{t}
	check("offline", 2, s.Tiles.URL)
}

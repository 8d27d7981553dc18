package archive_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/archive"
)

func TestParseMirrors(t *testing.T) {
	tests := []struct {
		name   string
		values []string
		want   map[string]archive.Mirror
		part   string
	}{
		{name: "none", values: []string{""}, want: map[string]archive.Mirror{}},
		{
			name: "variable", values: []string{"debian=http://mirror.example.org/debian/ pgdg=file:///srv/pgdg"},
			want: map[string]archive.Mirror{"debian": "http://mirror.example.org/debian", "pgdg": "file:///srv/pgdg"},
		},
		{
			name: "flags", values: []string{"debian=https://u:p@mirror.example.org/debian", "mine=http://[::1]:80/x"},
			want: map[string]archive.Mirror{"debian": "https://u:p@mirror.example.org/debian", "mine": "http://[::1]:80/x"},
		},
		{name: "URL alone", values: []string{"https://user:secret@mirror.example.org/?x=1"}, part: "NAME=URL"},
		{name: "no name", values: []string{"=https://mirror.example.org/"}, part: "NAME=URL"},
		{name: "twice", values: []string{"debian=http://a/", "debian=http://b/"}, part: "two mirrors"},
		{name: "scheme", values: []string{"debian=ftp://user:secret@mirror.example.org/"}, part: "archive debian"},
		{name: "not a URL", values: []string{"debian=http://user:secret@a%zz/"}, part: "archive debian"},
		{name: "query", values: []string{"debian=http://a/?token=secret"}, part: "archive debian"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := archive.ParseMirrors(tt.values...)
			if diff := cmp.Diff(got, tt.want, cmp.Comparer(func(a, b archive.Mirror) bool { return string(a) == string(b) })); diff != "" {
				t.Errorf("mirrors (-got +want):\n%s", diff)
			}
			var invalid *archive.InvalidError
			if tt.part == "" && err != nil || tt.part != "" && !errors.As(err, &invalid) {
				t.Fatalf("got error %v", err)
			}
			if invalid == nil {
				return
			}
			text := err.Error() + " " + invalid.Hint()
			if !strings.Contains(text, tt.part) || strings.Contains(text, "secret") || invalid.ExitCode() != 10 {
				t.Errorf("got error %s, want one with %q and no secret", text, tt.part)
			}
		})
	}
}

func TestMirrorHidesCredentials(t *testing.T) {
	m := archive.Mirror("https://user:secret@mirror.example.org/debian")
	asJSON, err := json.Marshal(map[string]any{"mirror": m})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(m), fmt.Sprintf("%v %+v %#v %q %s", m, m, m, m, m), string(asJSON), fmt.Sprintf("%+v", archive.Opened{Mirror: m})} {
		if strings.Contains(text, "secret") || strings.Contains(text, "user") || !strings.Contains(text, "mirror.example.org/debian") {
			t.Errorf("got %s, want the URL without user and password", text)
		}
	}
}

func TestURLs(t *testing.T) {
	const name = "pool/main/p/pgvector/postgresql-18-pgvector_0.8.1-2+b1~x_amd64.deb"
	at := time.Date(2026, 10, 30, 8, 8, 1, 0, time.UTC)
	builtin := func(name string) archive.Archive {
		a, err := archive.Builtin(name, "trixie")
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	snapshot := builtin("debian")
	snapshot.Snapshot = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name    string
		archive archive.Archive
		mirrors []archive.Mirror
		at      time.Time
		want    []string
	}{
		{"debian", builtin("debian"), []archive.Mirror{"http://mirror.example.org/debian"}, at, []string{
			"http://mirror.example.org/debian/", "https://ftp.debian.org/debian/",
			"https://snapshot.debian.org/archive/debian/20261030T200801Z/",
		}},
		{"pgdg", builtin("pgdg"), []archive.Mirror{"https://apt.postgresql.org/pub/repos/apt"}, at, []string{
			"https://apt.postgresql.org/pub/repos/apt/", "https://apt-archive.postgresql.org/pub/repos/apt/",
		}},
		{"security, no Release known", builtin("debian-security"), nil, time.Time{}, []string{"https://security.debian.org/debian-security/"}},
		{"snapshot", snapshot, nil, at, []string{
			"https://snapshot.debian.org/archive/debian/20260101T000000Z/", "https://ftp.debian.org/debian/",
			"https://snapshot.debian.org/archive/debian/20261030T200801Z/",
		}},
		{"custom", archive.Archive{URL: "https://packages.example.org/"}, []archive.Mirror{""}, at, []string{"https://packages.example.org/"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var want []string
			for _, root := range tt.want {
				want = append(want, root+strings.ReplaceAll(name, "+", "%2B"))
			}
			if diff := cmp.Diff(archive.URLs(tt.archive, tt.mirrors, name, tt.at), want); diff != "" {
				t.Errorf("URLs (-got +want):\n%s", diff)
			}
		})
	}
	got := archive.URLs(archive.Archive{URL: "http://a/b"}, nil, "pool/ö#?%/x y.deb", time.Time{})
	if diff := cmp.Diff(got, []string{"http://a/b/pool/%C3%B6%23%3F%25/x%20y.deb"}); diff != "" {
		t.Errorf("escaping (-got +want):\n%s", diff)
	}
}

package archive

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/archive/archivetest"
)

const (
	sum256 = "9fce808c4021bd062afe41d5164f1156e82f1879f7c55964613e4f39b15038d2"
	sum512 = sum256 + sum256
)

func TestParseRelease(t *testing.T) {
	const text = `Origin: Debian
Label: Debian
Suite: testing
Codename: forky
Date: Fri, 30 Oct 2026 08:08:01 UTC
Valid-Until: Fri, 06 Nov 2026 08:08:01 UTC
Acquire-By-Hash: yes
No-Support-for-Architecture-all: Packages
Architectures: all amd64 arm64
Components: main
MD5Sum:
 d41d8cd98f00b204e9800998ecf8427e 59660780 main/binary-amd64/Packages
SHA256:
 ` + sum256 + ` 59660780 main/binary-amd64/Packages
 ` + sum256 + ` 10093888 main/binary-amd64/Packages.xz
 ` + sum256 + ` 63565 main/binary-amd64/Packages.diff/Index
 ` + sum256 + ` 63565 main/binary-amd64/Packages.bz2
 ` + sum256 + ` 10 main/debian-installer/binary-amd64/Packages.gz
 ` + sum256 + ` 10 main/i18n/Translation-en
SHA512:
 ` + sum512 + ` 10093888 main/binary-amd64/Packages.xz
`
	got, err := parseRelease([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := release{
		origin: "Debian", label: "Debian", suite: "testing", codename: "forky",
		date:       time.Date(2026, 10, 30, 8, 8, 1, 0, time.UTC),
		validUntil: time.Date(2026, 11, 6, 8, 8, 1, 0, time.UTC),
		byHash:     true,
		indexes: map[string]index{
			"main/binary-amd64/Packages":                     {size: 59660780, sha256: sum256},
			"main/binary-amd64/Packages.xz":                  {size: 10093888, sha256: sum256, sha512: sum512},
			"main/debian-installer/binary-amd64/Packages.gz": {size: 10, sha256: sum256},
		},
	}
	if diff := cmp.Diff(got, want, cmp.AllowUnexported(release{}, index{})); diff != "" {
		t.Errorf("release (-got +want):\n%s", diff)
	}
}

func TestParseReleaseErrors(t *testing.T) {
	const date = "Date: Fri, 30 Oct 2026 08:08:01 UTC\n"
	line := func(format string, args ...any) string {
		return date + "SHA256:\n " + fmt.Sprintf(format, args...) + "\n"
	}
	tests := []struct{ name, text, part string }{
		{"empty", "", "no fields"},
		{"not fields", "hello\n", "line 1"},
		{"two paragraphs", date + "\nSuite: sid\n", "more than one"},
		{"no date", "Suite: sid\n", "Date: is missing"},
		{"date", "Date: 2026-10-30\n", "not a date"},
		{"local zone", "Date: Fri, 30 Oct 2026 08:08:01 CET\n", "not a date"},
		{"valid until", date + "Valid-Until: tomorrow\n", "Valid-Until"},
		{"two words", line("%s main/binary-amd64/Packages", sum256), "a digest, a size and a name"},
		{"short digest", line("%s 1 main/binary-amd64/Packages", sum256[:63]), "is not a digest"},
		{"not hex", line("%s 1 main/binary-amd64/Packages", strings.Repeat("g", 64)), "is not a digest"},
		{"size", line("%s -1 main/binary-amd64/Packages", sum256), "is not a digest"},
		{"two sizes", line("%s 1 main/binary-amd64/Packages\n %s 2 main/binary-amd64/Packages", sum256, sum256), "two sizes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseRelease([]byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.part) {
				t.Errorf("got error %v, want one with %q", err, tt.part)
			}
		})
	}
}

// The field of https://wiki.debian.org/DebianRepository/Format says that the
// index of each architecture has the packages for all.
func TestSeparateAll(t *testing.T) {
	tests := []struct {
		fields string
		want   bool
	}{
		{"Architectures: amd64\n", false},
		{"Architectures: all amd64\n", true},
		{"Architectures: all amd64\nNo-Support-for-Architecture-all: Packages\n", false},
		{"Architectures: all amd64\nNo-Support-for-Architecture-all: Contents\n", true},
	}
	for _, tt := range tests {
		r, err := parseRelease([]byte("Date: Fri, 30 Oct 2026 08:08:01 +0000\n" + tt.fields))
		if err != nil || r.separateAll != tt.want {
			t.Errorf("%q: got %v, %v; want %v", tt.fields, r.separateAll, err, tt.want)
		}
	}
}

func TestForms(t *testing.T) {
	r := release{indexes: map[string]index{
		"main/binary-amd64/Packages":     {size: 0},
		"main/binary-amd64/Packages.gz":  {size: 20},
		"main/binary-amd64/Packages.xz":  {size: 32},
		"main/binary-amd64/Packages.zst": {size: 13},
		"main/binary-arm64/Packages.xz":  {size: 1},
	}}
	var got []string
	for _, f := range r.forms("main/binary-amd64/Packages") {
		got = append(got, strings.TrimPrefix(f.name, "main/binary-amd64/"))
	}
	if want := []string{"Packages.zst", "Packages.gz", "Packages.xz", "Packages"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCheckDates(t *testing.T) {
	date := time.Date(2026, 10, 30, 8, 0, 0, 0, time.UTC)
	until := date.AddDate(0, 0, 7)
	tests := []struct {
		name        string
		now, until  time.Time
		allow       bool
		wantExpired bool
		want        Reason // Malformed for none
	}{
		{name: "valid", now: date.Add(time.Hour), until: until},
		{name: "to the second", now: until, until: until},
		{name: "a second later", now: until.Add(time.Second), until: until, want: Expired},
		{name: "allowed", now: until.Add(time.Second), until: until, allow: true, wantExpired: true},
		{name: "never expires", now: date.AddDate(9, 0, 0)},
		{name: "clocks differ a little", now: date.Add(-maxSkew), until: until},
		{name: "clocks differ much", now: date.Add(-maxSkew - time.Second), until: until, want: Future},
		{name: "the future is not expiry", now: date.AddDate(-1, 0, 0), until: until, allow: true, want: Future},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			expired, refusal := release{date: date, validUntil: tt.until}.checkDates(tt.now, tt.allow)
			var got Reason
			if refusal != nil {
				got = refusal.Reason
			}
			if expired != tt.wantExpired || got != tt.want {
				t.Errorf("got %v, %v; want %v and reason %d", expired, refusal, tt.wantExpired, tt.want)
			}
		})
	}
}

func FuzzParseRelease(f *testing.F) {
	a := archivetest.New(f, archivetest.Suite{Name: "sid", Unsigned: true, Digests: []string{"SHA256", "SHA512"}})
	f.Add(a.File("dists/sid/Release"))
	f.Add([]byte("Date: Fri, 30 Oct 2026 08:08:01 UTC\nSHA256:\n " + sum256 + " 1 a/binary-b/Packages\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseRelease(data)
		if err != nil {
			return
		}
		for name, ix := range r.indexes {
			if ix.size < 0 || ix.sha256 == "" && ix.sha512 == "" || strings.Contains(name, "..") && !isPath(name) {
				t.Errorf("index %q: %+v", name, ix)
			}
		}
	})
}

func FuzzSources(f *testing.F) {
	f.Add([]byte("Types: deb\nURIs: http://a/b c:\nSuites: x y-security z/\nEnabled: yes\n"))
	f.Add([]byte("deb [a=b c] http://u:p@a/ x main # y\ndeb http://b [\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, s := range append(parseDeb822(data), parseList(data)...) {
			if s.root == "" || strings.HasSuffix(string(s.root), "/") || len(s.suites) == 0 {
				t.Errorf("source %q %q", string(s.root), s.suites)
			}
		}
	})
}

// BenchmarkRelease is the warm start's share of this room: a Release the size
// of sid's, verified and parsed.
func BenchmarkRelease(b *testing.B) {
	var extra strings.Builder
	extra.WriteString("MD5Sum:\n")
	for i := range 2000 {
		fmt.Fprintf(&extra, " d41d8cd98f00b204e9800998ecf8427e %9d main/dep11/Components-%d.yml.gz\n", i, i)
	}
	s := archivetest.Debian("sid", "unstable")
	s.Extra = extra.String()
	a := archivetest.New(b, s)
	builtin, err := Builtin(Debian, "sid")
	if err != nil {
		b.Fatal(err)
	}
	data, keyring := a.File("dists/sid/InRelease"), append(builtin.Keyring, armorless(b, a.Key())...)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		m, err := splitClearsigned(data)
		if err != nil {
			b.Fatal(err)
		}
		if _, refusal := (verifier{keyring: keyring, now: time.Now()}).verify(m); refusal != nil {
			b.Fatal(refusal)
		}
		if _, err := parseRelease(m.text); err != nil {
			b.Fatal(err)
		}
	}
}

// armorless returns the binary form of armored keys.
func armorless(b *testing.B, armored []byte) []byte {
	b.Helper()
	block, err := armor.Decode(bytes.NewReader(armored))
	if err != nil {
		b.Fatal(err)
	}
	data, err := io.ReadAll(block.Body)
	if err != nil {
		b.Fatal(err)
	}
	return data
}

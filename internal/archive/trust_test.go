package archive_test

import (
	"crypto"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/archive/archivetest"
)

// checkRefusal compares an error with the reason and the parts of its text that
// a test expects.
func checkRefusal(t *testing.T, err error, want archive.Reason, parts ...string) {
	t.Helper()
	var refusal *archive.TrustError
	if !errors.As(err, &refusal) {
		t.Fatalf("got error %v, want a TrustError", err)
	}
	if refusal.Reason != want {
		t.Errorf("got reason %d, want %d: %v", refusal.Reason, want, err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error lacks %q: %v", part, err)
		}
	}
	if refusal.Hint() == "" || refusal.ExitCode() != 13 {
		t.Errorf("got hint %q, exit code %d; want a hint and 13", refusal.Hint(), refusal.ExitCode())
	}
}

func TestRefusals(t *testing.T) {
	now := time.Now()
	const release = "dists/trixie/InRelease"
	none := func(*archivetest.Archive) {}
	flip := func(pattern string) func(*archivetest.Archive) {
		return func(a *archivetest.Archive) { a.Flip(pattern) }
	}
	stranger := archivetest.NewKey(t, archivetest.KeyOptions{Name: "stranger"})
	tests := []struct {
		name   string
		change func(*archivetest.Suite)
		tamper func(*archivetest.Archive)
		want   archive.Reason
		parts  []string
	}{
		{
			"changed text", nil,
			func(a *archivetest.Archive) { a.Replace(release, "Label: Debian", "Label: Debiam") },
			archive.BadSignature,
			[]string{release, "does not fit the text"},
		},
		{
			"changed text, detached", func(s *archivetest.Suite) { s.Detached = true }, flip("dists/trixie/Release"),
			archive.BadSignature,
			[]string{"trixie/Release"},
		},
		{
			"text before", nil,
			func(a *archivetest.Archive) {
				a.Edit(release, func(b []byte) []byte { return append([]byte("Suite: sid\n\n"), b...) })
			},
			archive.Malformed,
			[]string{"does not start"},
		},
		{
			"text after", nil,
			func(a *archivetest.Archive) {
				a.Edit(release, func(b []byte) []byte { return append(b, "SHA256:\n"...) })
			},
			archive.Malformed,
			[]string{"after its signature"},
		},
		{
			"two messages", nil,
			func(a *archivetest.Archive) { a.Edit(release, func(b []byte) []byte { return append(b, b...) }) },
			archive.Malformed,
			[]string{"after its signature"},
		},
		{
			"cut short", nil,
			func(a *archivetest.Archive) { a.Edit(release, func(b []byte) []byte { return b[:len(b)/3] }) },
			archive.Malformed, nil,
		},
		{"unsigned", func(s *archivetest.Suite) { s.Unsigned = true }, none, archive.Unsigned, []string{"neither InRelease nor Release.gpg"}},
		{
			"unknown key", func(s *archivetest.Suite) { s.Signers = []*archivetest.Key{stranger} }, none,
			archive.UnknownKey,
			[]string{stranger.Fingerprint()},
		},
		{"weak digest", func(s *archivetest.Suite) { s.Digest = crypto.SHA1 }, none, archive.WeakKey, []string{"SHA-1"}},
		{
			"expired", func(s *archivetest.Suite) { s.ValidUntil = now.AddDate(0, 0, -1) }, none,
			archive.Expired,
			[]string{now.AddDate(0, 0, -1).UTC().Format("2006-01-02 15:04:05 UTC"), "now is"},
		},
		{"from the future", func(s *archivetest.Suite) { s.Date = now.Add(time.Hour) }, none, archive.Future, nil},
		{
			"another suite", func(s *archivetest.Suite) { s.Alias, s.Codename = "oldstable", "bookworm" }, none,
			archive.WrongSuite,
			[]string{`"oldstable"`, `"bookworm"`, `"trixie"`},
		},
		{
			"index changed, another form intact",
			func(s *archivetest.Suite) { s.Formats, s.NoByHash = []string{"", ".gz"}, true },
			flip("dists/trixie/main/binary-amd64/Packages.gz"),
			archive.Mismatch,
			[]string{"sha256"},
		},
		{"two paragraphs", func(s *archivetest.Suite) { s.Extra = "\nSuite: sid\n" }, none, archive.Malformed, []string{"more than one paragraph"}},
		{"no suite", func(s *archivetest.Suite) { s.Alias, s.Codename, s.Detached = " ", " ", true }, none, archive.WrongSuite, []string{"names no suite"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := archivetest.Debian("trixie", "stable", vector)
			if tt.change != nil {
				tt.change(&s)
			}
			a := archivetest.New(t, s)
			tt.tamper(a)
			_, err := archive.Open(t.Context(), custom(a, "trixie"), []string{"amd64"}, options(t))
			checkRefusal(t, err, tt.want, tt.parts...)
		})
	}
}

func TestKeys(t *testing.T) {
	year := 365 * 24 * time.Hour
	tests := []struct {
		name string
		key  archivetest.KeyOptions
		good bool
		want archive.Reason
		part string
	}{
		{name: "Ed25519", good: true},
		{name: "RSA 2048", key: archivetest.KeyOptions{RSABits: 2048}, good: true},
		{name: "subkey", key: archivetest.KeyOptions{Subkey: true}, good: true},
		{name: "not yet expired", key: archivetest.KeyOptions{Lifetime: 3 * year, Subkey: true, SubkeyLifetime: 3 * year}, good: true},
		{name: "expired", key: archivetest.KeyOptions{Lifetime: year}, want: archive.ExpiredKey, part: "expired on"},
		{name: "expired subkey", key: archivetest.KeyOptions{Subkey: true, SubkeyLifetime: year}, want: archive.ExpiredKey, part: "expired on"},
		{name: "sound subkey of an expired key", key: archivetest.KeyOptions{Subkey: true, Lifetime: year}, want: archive.ExpiredKey},
		{name: "revoked", key: archivetest.KeyOptions{Revoked: true}, want: archive.RevokedKey, part: "revoked"},
		{name: "RSA 1024", key: archivetest.KeyOptions{RSABits: 1024}, want: archive.WeakKey, part: "1024 bits"},
		{name: "SHA-1 self-signature", key: archivetest.KeyOptions{WeakSelf: true}, want: archive.UnfitKey, part: "SHA-1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key := archivetest.NewKey(t, tt.key)
			s := archivetest.Debian("trixie", "stable", vector)
			s.Signers = []*archivetest.Key{key}
			// A key that is expired now was sound when it signed.
			s.Date = time.Now().AddDate(-1, -6, 0)
			a := archivetest.New(t, s)
			d := custom(a, "trixie")
			d.Keyring = key.Public()
			got, err := archive.Open(t.Context(), d, []string{"amd64"}, options(t))
			if !tt.good {
				checkRefusal(t, err, tt.want, tt.part)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Releases[0].Fingerprint != key.Fingerprint() {
				t.Errorf("got fingerprint %s, want %s", got.Releases[0].Fingerprint, key.Fingerprint())
			}
		})
	}
}

func TestSeveralSignatures(t *testing.T) {
	stranger := archivetest.NewKey(t, archivetest.KeyOptions{})
	expired := archivetest.NewKey(t, archivetest.KeyOptions{Lifetime: time.Hour})
	good := archivetest.NewKey(t, archivetest.KeyOptions{Subkey: true})
	s := archivetest.Debian("trixie", "stable", vector)
	s.Signers = []*archivetest.Key{stranger, expired, good}
	a := archivetest.New(t, s)
	tests := []struct {
		name string
		keys []*archivetest.Key
		pins []string
		good bool
		want archive.Reason
	}{
		{name: "one good key is enough", keys: []*archivetest.Key{expired, good}, good: true},
		{name: "the same key twice", keys: []*archivetest.Key{good, good}, good: true},
		{name: "the expired one tells more than the unknown one", keys: []*archivetest.Key{expired}, want: archive.ExpiredKey},
		{name: "pinned by primary key", keys: []*archivetest.Key{good, stranger}, pins: []string{good.Fingerprint()}, good: true},
		{name: "pinned by subkey, as people write it", keys: []*archivetest.Key{good, stranger}, pins: []string{"0x" + strings.ToLower(good.SignerFingerprint())}, good: true},
		{name: "in the keyring but not pinned", keys: []*archivetest.Key{good}, pins: []string{expired.Fingerprint()}, want: archive.UnpinnedKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := custom(a, "trixie")
			d.Keyring, d.Fingerprints = nil, tt.pins
			for _, k := range tt.keys {
				d.Keyring = append(d.Keyring, k.Public()...)
			}
			got, err := archive.Open(t.Context(), d, []string{"amd64"}, options(t))
			if !tt.good {
				checkRefusal(t, err, tt.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Releases[0].Fingerprint != good.Fingerprint() {
				t.Errorf("got fingerprint %s, want %s", got.Releases[0].Fingerprint, good.Fingerprint())
			}
		})
	}
}

func TestAllowExpired(t *testing.T) {
	now := time.Now()
	fresh := archivetest.Debian("trixie", "stable", vector)
	stale := archivetest.Debian("trixie", "stable", vector)
	stale.Date, stale.ValidUntil = now.AddDate(0, -1, 0), now.AddDate(0, 0, -20)
	tests := []struct {
		name   string
		suite  archivetest.Suite
		change func(*archive.Archive, *archive.Options)
		want   bool
	}{
		{"nothing is expired", fresh, func(_ *archive.Archive, o *archive.Options) { o.AllowExpired = true }, false},
		{"allowed", stale, func(_ *archive.Archive, o *archive.Options) { o.AllowExpired = true }, true},
		{"not checked", stale, func(a *archive.Archive, _ *archive.Options) { a.NoValidUntil = true }, false},
		{"at that time", stale, func(_ *archive.Archive, o *archive.Options) { o.Now = func() time.Time { return stale.Date } }, false},
		{"snapshot", stale, func(a *archive.Archive, o *archive.Options) {
			o.Mirrors = map[string]archive.Mirror{a.Name: archive.Mirror(a.URL)}
			a.URL, a.Snapshot = "https://ftp.debian.org/debian", stale.Date
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := archivetest.New(t, tt.suite)
			a, o := custom(server, "trixie"), options(t)
			tt.change(&a, &o)
			got, err := archive.Open(t.Context(), a, []string{"amd64"}, o)
			if err != nil {
				t.Fatal(err)
			}
			if got.Releases[0].Expired != tt.want {
				t.Errorf("got Expired %v, want %v", got.Releases[0].Expired, tt.want)
			}
		})
	}
}

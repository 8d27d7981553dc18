package sign_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/sign"
	"github.com/pgext/pgext/sign/signtest"
)

// tiled sets a log of version 2 and a timestamp authority.
func tiled(s *signtest.Sigstore, o sign.Options) sign.Options {
	o.Logs, o.TimestampURLs, o.Backoff = []sign.Log{{URL: s.Tiles.URL, Version: 2}}, stampURLs(s.TSA.StampURL()), time.Millisecond
	return o
}

// TestCosignVerifiesTiles verifies signatures in a log of version 2 with cosign and
// with Trust, with a key and with an identity whose certificate has expired.
func TestCosignVerifiesTiles(t *testing.T) {
	t.Parallel()
	cosign := signtest.NewCosign(t)
	s := signtest.New(t)
	then := time.Now().Add(-time.Hour)
	s.Fulcio.Shift(-time.Hour)
	s.TSA.Shift(-time.Hour)
	root := cosign.Write(t, "root.json", s.TrustedRoot(t))
	private, public := cosign.NewKey(t, "cosign")
	key, err := sign.LoadPublicKey(t.Context(), public)
	must(t, err)
	p := newPlace(t)
	for _, tt := range []struct {
		name   string
		signer sign.Options
		cosign []string
		ours   sign.TrustOptions
	}{
		{
			"key",
			sign.Options{Key: private, Password: password},
			[]string{"--key", public},
			sign.TrustOptions{Keys: []crypto.PublicKey{key}, Log: sign.Required},
		},
		{
			"identity",
			sign.Options{FulcioURL: s.Fulcio.URL, IdentityToken: github(s.Issuer), Now: func() time.Time { return then }},
			[]string{"--certificate-identity", workflow, "--certificate-oidc-issuer", s.Issuer.URL},
			sign.TrustOptions{Identities: []sign.Identity{{Subject: workflow, Issuer: s.Issuer.URL}}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := p.again(t)
			before := len(s.Tiles.Entries())
			signed, err := open(t, tiled(s, tt.signer)).SignAll(t.Context(), p.everything())
			must(t, err)
			p.publish(t, signed)
			if got := len(s.Tiles.Entries()) - before; got != 9 || s.Rekor.Requests() != 0 {
				t.Errorf("%d entries and %d requests to the other log, want 9 and none", got, s.Rekor.Requests())
			}
			verifies(t, cosign, p, spdx, append(tt.cosign, "--trusted-root", root)...)
			tt.ours.Root = rootOf(t, s, signtest.Everything)
			v := newTrust(t, tt.ours).Verify(p.subjects[0].Digest, p.evidence(t))
			if len(v.Signatures) != 1 || len(v.Attestations) != 6 || len(v.Rejected) != 0 {
				t.Fatalf("ours: %d signatures, %d attestations; refused %v", len(v.Signatures), len(v.Attestations), v.Rejected)
			}
			if got := v.Signatures[0].When; got.Sub(then).Abs() > time.Minute {
				t.Errorf("it was made at %v, want %v", got, then)
			}
		})
	}
}

// TestVerifiesCosignTiles verifies signatures that cosign logged in a log of version
// 2.
func TestVerifiesCosignTiles(t *testing.T) {
	t.Parallel()
	cosign := signtest.NewCosign(t)
	s := signtest.New(t)
	root := cosign.Write(t, "root.json", s.TrustedRoot(t))
	config := cosign.Write(t, "config.json", s.SigningConfig(t, signtest.Everything))
	token := cosign.Write(t, "token", []byte(s.Issuer.Token(identityA)))
	private, public := cosign.NewKey(t, "cosign")
	predicate := cosign.Write(t, "predicate.json", []byte(`{"a":1}`))
	p := newPlace(t)
	services := []string{"--allow-http-registry", "--trusted-root", root, "--signing-config", config}
	cosign.Must(t, slices.Concat([]string{"sign"}, services, []string{"--key", private, p.at(p.subjects[0])})...)
	cosign.Must(t, slices.Concat([]string{"attest", "--type", "cyclonedx", "--predicate", predicate}, services, []string{"--identity-token", token, p.at(p.subjects[0])})...)
	if got := len(s.Tiles.Entries()); got != 2 {
		t.Errorf("%d entries, want 2", got)
	}
	key, err := sign.LoadPublicKey(t.Context(), public)
	must(t, err)
	v := newTrust(t, sign.TrustOptions{
		Keys: []crypto.PublicKey{key}, Identities: []sign.Identity{{Subject: identityA, Issuer: s.Issuer.URL}},
		Root: rootOf(t, s, signtest.Everything), Log: sign.Required, Timestamp: true,
	}).Verify(p.subjects[0].Digest, p.evidence(t))
	if len(v.Signatures) != 1 || len(v.Attestations) != 1 || len(v.Rejected) != 0 {
		t.Errorf("%d signatures, %d attestations; refused %v", len(v.Signatures), len(v.Attestations), v.Rejected)
	}
}

// TestTilesFaults makes a new signature after a lost response. RSA keys cannot, because
// their signatures are deterministic.
func TestTilesFaults(t *testing.T) {
	t.Parallel()
	const (
		down  = signtest.Fault(http.StatusServiceUnavailable)
		known = signtest.Fault(http.StatusConflict)
		bad   = signtest.Fault(http.StatusBadRequest)
	)
	s := signtest.New(t)
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	repeating := open(t, tiled(s, sign.Options{Key: imported(t, private), Password: password}))
	fresh := open(t, identity(s, identityA, tiled(s, sign.Options{})))
	subject := newPlace(t).subjects[0]
	for _, tt := range []struct {
		name              string
		signer            *sign.Signer
		faults            []signtest.Fault
		requests, entries int
		want, hint        string
	}{
		{"busy", fresh, []signtest.Fault{down, signtest.Reset}, 3, 1, "", ""},
		{"lost", fresh, []signtest.Fault{signtest.Lost}, 3, 2, "", ""},
		{"there already", fresh, []signtest.Fault{known}, 2, 2, "", ""},
		{"refused", fresh, []signtest.Fault{bad}, 1, 0, "Rekor at URL: 400 Bad Request", ""},
		{"RSA", repeating, nil, 1, 1, "", ""},
		{"RSA again", repeating, nil, 2, 0, "Rekor at URL: 409 Conflict: this signature is already logged", "an ECDSA key or a log of version 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			requests, entries := s.Tiles.Requests(), len(s.Tiles.Entries())
			s.Tiles.Next(tt.faults...)
			_, err := tt.signer.Sign(t.Context(), subject)
			if got, more := s.Tiles.Requests()-requests, len(s.Tiles.Entries())-entries; got != tt.requests || more != tt.entries {
				t.Errorf("%d requests, %d entries; want %d, %d", got, more, tt.requests, tt.entries)
			}
			checkService(t, err, tt.want, tt.hint)
		})
	}
}

// TestInvalidTilesResponses refuses responses that are no entry, or an entry of another
// signature.
func TestInvalidTilesResponses(t *testing.T) {
	t.Parallel()
	s := signtest.New(t)
	subject := newPlace(t).subjects[0]
	recorded := &recorder{next: http.DefaultTransport}
	o := identity(s, identityA, tiled(s, sign.Options{HTTPClient: &http.Client{Transport: recorded}}))
	_, err := open(t, o).Sign(t.Context(), subject)
	must(t, err)
	earlier := recorded.responses["/api/v2/log/entries"]
	for _, tt := range []struct{ answer, want string }{
		{"entry", "reading its response"},
		{"{}", "incomplete log entry"},
		{strings.Replace(earlier, `"envelope"`, `"other"`, 1), "incomplete log entry"},
		{earlier, "has another signature"},
	} {
		o.Logs[0].URL = respond(t, http.StatusCreated, tt.answer)
		if _, err := open(t, o).Sign(t.Context(), subject); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.20s: got %v, want %q", tt.answer, err, tt.want)
		}
	}
}

// TestIncompatibleServices refuses incompatible services in Open.
func TestIncompatibleServices(t *testing.T) {
	key, _ := newKey(t)
	log := sign.Log{URL: "https://log.example.org", Version: 2}
	stamps := stampURLs("https://tsa.example.org")
	for _, tt := range []struct {
		o    sign.Options
		want string
	}{
		{sign.Options{Logs: []sign.Log{log}, TimestampURLs: stamps}, ""},
		{sign.Options{Logs: []sign.Log{log}}, "needs a timestamp authority"},
		{sign.Options{Logs: []sign.Log{log}, TimestampURLs: stamps, Format: sign.FormatLegacy}, "legacy signatures cannot contain"},
		{sign.Options{Logs: []sign.Log{log}, TimestampURLs: stamps, Format: sign.FormatBoth}, "legacy signatures cannot contain"},
		{sign.Options{Logs: []sign.Log{{URL: log.URL, Version: 3}}, TimestampURLs: stamps}, "unsupported version 3 of the Rekor API"},
	} {
		tt.o.Key = key
		_, err := sign.Open(tt.o)
		var failure *failure.Error
		if tt.want == "" && err != nil || tt.want != "" && (!errors.As(err, &failure) || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%+v: got %v, want %q", tt.o, err, tt.want)
		}
	}
}

// TestSeveralServices requires an entry of each log and a timestamp of each authority,
// and no second signature.
func TestSeveralServices(t *testing.T) {
	t.Parallel()
	s, other := signtest.New(t), signtest.New(t)
	key, public := newKey(t)
	o := tiled(s, sign.Options{Key: key, Password: password})
	o.Logs, o.TimestampURLs = append(o.Logs, sign.Log{URL: other.Rekor.URL, Version: 1}), append(o.TimestampURLs, other.TSA.StampURL())
	p := newPlace(t)
	signed, err := open(t, o).Sign(t.Context(), p.subjects[0])
	must(t, err)
	p.publish(t, signed)
	for _, root := range []*sign.Root{rootOf(t, s, signtest.WithTiles|signtest.WithTSA), rootOf(t, other, signtest.WithRekor|signtest.WithTSA)} {
		trust := newTrust(t, sign.TrustOptions{Keys: []crypto.PublicKey{public}, Root: root, Log: sign.Required, Timestamp: true})
		if v := trust.Verify(p.subjects[0].Digest, p.evidence(t)); len(v.Signatures) != 1 || v.Signatures[0].When.IsZero() {
			t.Errorf("got %+v", v)
		}
	}
	again, err := open(t, o).SignAll(t.Context(), sign.Batch{Subjects: p.subjects[:1], Existing: p.evidence(t)})
	must(t, err)
	if diff := cmp.Diff(count(t, again), "0 attachments, 0 layers"); diff != "" {
		t.Errorf("the second time (-got +want):\n%s", diff)
	}
}

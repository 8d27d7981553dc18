package sign_test

import (
	"crypto"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	sigsign "github.com/sigstore/sigstore-go/pkg/sign"

	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/sign"
	"github.com/pgext/pgext/sign/signtest"
)

const (
	identityA = "person@example.com"
	releaser  = "https://github.com/example/images/.github/workflows/release.yml@refs/heads/main"
)

// brief is a verdict in comparable form.
type brief struct {
	Signed   []string
	Attested []string
	Rejected []sign.Reason
}

func briefly(v sign.Verdict) brief {
	var b brief
	for _, s := range v.Signatures {
		b.Signed = append(b.Signed, string(s.Format)+" "+s.By.String())
	}
	for _, a := range v.Attestations {
		b.Attested = append(b.Attested, string(a.Format)+" "+a.PredicateType+" "+a.By.String())
	}
	for _, r := range v.Rejected {
		b.Rejected = append(b.Rejected, r.Reason)
	}
	return b
}

func fingerprint(tb testing.TB, m *maker) string {
	tb.Helper()
	f, err := sign.KeyFingerprint(&m.key.PublicKey)
	if err != nil {
		tb.Fatal(err)
	}
	return "key " + f
}

func both(a, b oci.Set) oci.Set {
	tags := map[string]v1.Image{}
	for _, e := range []oci.Set{a, b} {
		for tag, img := range e.Legacy {
			tags[tag] = img
		}
	}
	return oci.Set{Referrers: append(a.Referrers[:len(a.Referrers):len(a.Referrers)], b.Referrers...), Legacy: tags}
}

// verdict verifies evidence and logs the rejections.
func verdict(tb testing.TB, trust *sign.Trust, e oci.Set) brief {
	tb.Helper()
	v := trust.Verify(subjectA.Digest, e)
	for _, r := range v.Rejected {
		tb.Log(r)
		if r.Err == nil || r.Source.Hex == "" {
			tb.Errorf("rejection without a cause or a source: %#v", r)
		}
	}
	return briefly(v)
}

func TestVerifyKey(t *testing.T) {
	m, other := newMaker(t), newMaker(t)
	plain := newMaker(t)
	plain.hint = ""
	everything := both(
		attached(t, subjectA, m.signature(t, subjectA), m.bundleOf(t, statement(t, spdx, subjectB, subjectA)), plain.signature(t, subjectA)),
		both(signed(t, subjectA, m.legacySignature(t, legacyPayload(subjectA))),
			attested(t, subjectA, m.legacyAttestation(t, statement(t, provenance, subjectA)))))
	everything.Referrers = append(everything.Referrers,
		referrer(t, subjectA, "application/spdx+json", []byte("{}")),
		attached(t, subjectB, m.signature(t, subjectB)).Referrers[0])
	who := fingerprint(t, m)
	for _, tc := range []struct {
		name string
		keys []crypto.PublicKey
		want brief
	}{
		{"its key", []crypto.PublicKey{&m.key.PublicKey}, brief{
			Signed:   []string{"bundle " + who, "legacy " + who},
			Attested: []string{"bundle " + spdx + " " + who, "legacy " + provenance + " " + who},
			Rejected: []sign.Reason{sign.BadSignature},
		}},
		{"one of two keys", []crypto.PublicKey{&other.key.PublicKey, &m.key.PublicKey}, brief{
			Signed:   []string{"bundle " + who, "legacy " + who},
			Attested: []string{"bundle " + spdx + " " + who, "legacy " + provenance + " " + who},
			Rejected: []sign.Reason{sign.BadSignature},
		}},
		{"another key", []crypto.PublicKey{&other.key.PublicKey}, brief{
			Rejected: []sign.Reason{sign.WrongKey, sign.WrongKey, sign.BadSignature, sign.BadSignature, sign.BadSignature},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := verdict(t, newTrust(t, sign.TrustOptions{Keys: tc.keys}), everything)
			if diff := cmp.Diff(got, tc.want); diff != "" {
				t.Errorf("Verify() (-got +want):\n%s", diff)
			}
		})
	}
	t.Run("the statement is the signed one", func(t *testing.T) {
		text := statement(t, spdx, subjectA)
		v := newTrust(t, sign.TrustOptions{Keys: []crypto.PublicKey{&m.key.PublicKey}}).Verify(subjectA.Digest, attached(t, subjectA, m.bundleOf(t, text)))
		if len(v.Attestations) != 1 || string(v.Attestations[0].Statement) != string(text) || v.Attestations[0].Subject != subjectA.Digest {
			t.Errorf("Attestations = %+v", v.Attestations)
		}
		if len(v.Signatures) != 0 {
			t.Errorf("Signatures = %+v", v.Signatures)
		}
	})
	t.Run("no evidence", func(t *testing.T) {
		v := newTrust(t, sign.TrustOptions{Keys: []crypto.PublicKey{&m.key.PublicKey}}).Verify(subjectA.Digest, oci.Set{})
		if len(v.Signatures)+len(v.Attestations)+len(v.Rejected) != 0 {
			t.Errorf("Verify() = %+v", v)
		}
	})
}

// TestVerifyKeySchemes verifies keys with two possible hash algorithms.
func TestVerifyKeySchemes(t *testing.T) {
	for _, algorithm := range []protocommon.PublicKeyDetails{
		protocommon.PublicKeyDetails_PKIX_ECDSA_P384_SHA_384,
		protocommon.PublicKeyDetails_PKIX_ED25519,
		protocommon.PublicKeyDetails_PKIX_RSA_PKCS1V15_2048_SHA256,
	} {
		key, err := sigsign.NewEphemeralKeypair(&sigsign.EphemeralKeypairOptions{Algorithm: algorithm})
		if err != nil {
			t.Fatal(err)
		}
		content := &sigsign.DSSEData{Data: statement(t, sign.PredicateSignature, subjectA), PayloadType: bundle.IntotoMediaType}
		b, err := sigsign.Bundle(content, key, sigsign.BundleOptions{Context: t.Context()})
		if err != nil {
			t.Fatal(err)
		}
		got := verdict(t, newTrust(t, sign.TrustOptions{Keys: []crypto.PublicKey{key.GetPublicKey()}}), attached(t, subjectA, b))
		if len(got.Signed) != 1 {
			t.Errorf("%v: %+v", algorithm, got)
		}
	}
}

// certifiedMaker returns a maker with certificates for identity and log entries.
func certifiedMaker(tb testing.TB, s *signtest.Sigstore, identity string) *maker {
	tb.Helper()
	m := newMaker(tb)
	m.from, m.token, m.logged = s, s.Issuer.Token(identity), true
	return m
}

// everythingOf returns evidence of each kind for subjectA.
func everythingOf(tb testing.TB, m *maker) oci.Set {
	tb.Helper()
	return both(
		attached(tb, subjectA, m.signature(tb, subjectA), m.bundleOf(tb, statement(tb, spdx, subjectA, subjectB))),
		both(signed(tb, subjectA, m.legacySignature(tb, legacyPayload(subjectA))),
			attested(tb, subjectA, m.legacyAttestation(tb, statement(tb, provenance, subjectA)))))
}

func all(r sign.Reason) []sign.Reason { return []sign.Reason{r, r, r, r} }

func TestVerifyIdentity(t *testing.T) {
	s := signtest.New(t)
	m := certifiedMaker(t, s, releaser)
	logged := everythingOf(t, m)
	m.stamped = true
	loggedAndStamped := everythingOf(t, m)
	m.logged = false
	stamped := everythingOf(t, m)
	m.stamped = false
	bare := everythingOf(t, m)
	keyLogged := newMaker(t)
	keyLogged.from, keyLogged.logged, keyLogged.stamped = s, true, true
	byKey := everythingOf(t, keyLogged)

	exact := []sign.Identity{{Subject: releaser, Issuer: s.Issuer.URL}}
	key := []crypto.PublicKey{&keyLogged.key.PublicKey}
	whole, private := rootOf(t, s, signtest.Everything), rootOf(t, s, signtest.WithFulcio|signtest.WithTSA)
	yes := func(who string) brief {
		return brief{
			Signed:   []string{"bundle " + who, "legacy " + who},
			Attested: []string{"bundle " + spdx + " " + who, "legacy " + provenance + " " + who},
		}
	}
	they, it := releaser+" of "+s.Issuer.URL, fingerprint(t, keyLogged)
	for _, tc := range []struct {
		name     string
		rules    sign.TrustOptions
		evidence oci.Set
		want     brief
		timed    bool
	}{
		{"logged", sign.TrustOptions{Identities: exact, Root: whole}, logged, yes(they), true},
		{"logged and stamped", sign.TrustOptions{Identities: exact, Root: whole, Timestamp: true}, loggedAndStamped, yes(they), true},
		{"expressions", sign.TrustOptions{Identities: []sign.Identity{
			{Subject: identityA, Issuer: s.Issuer.URL},
			{SubjectRegexp: `^https://github\.com/example/`, IssuerRegexp: `^http://127\.0\.0\.1:`},
		}, Root: whole}, logged, yes(they), true},
		{"stamped, in no log", sign.TrustOptions{Identities: exact, Root: private, Log: sign.Ignored, NoSCT: true}, stamped, yes(they), true},
		{"valid now, in no log", sign.TrustOptions{Identities: exact, Root: private, Log: sign.Ignored, NoSCT: true}, bare, yes(they), false},
		{"a key", sign.TrustOptions{Keys: key}, byKey, yes(it), false},
		{"a key, logged", sign.TrustOptions{Keys: key, Root: whole, Log: sign.Required}, byKey, yes(it), true},
		{"a key, logged and stamped", sign.TrustOptions{Keys: key, Root: whole, Log: sign.Required, Timestamp: true}, byKey, yes(it), true},
		{"a key or an identity", sign.TrustOptions{Keys: key, Identities: exact, Root: whole}, logged, yes(they), true},

		{"another identity", sign.TrustOptions{Identities: []sign.Identity{{Subject: identityA, Issuer: s.Issuer.URL}}, Root: whole}, logged, brief{Rejected: all(sign.WrongIdentity)}, false},
		{"another issuer", sign.TrustOptions{Identities: []sign.Identity{{Subject: releaser, Issuer: "https://example.com"}}, Root: whole}, logged, brief{Rejected: all(sign.WrongIssuer)}, false},
		{"an expression that does not match", sign.TrustOptions{Identities: []sign.Identity{{SubjectRegexp: `^https://github\.com/other/`, Issuer: s.Issuer.URL}}, Root: whole}, logged, brief{Rejected: all(sign.WrongIdentity)}, false},
		{"another deployment", sign.TrustOptions{Identities: exact, Root: rootOf(t, signtest.New(t), signtest.Everything)}, logged, brief{Rejected: all(sign.LogMismatch)}, false},
		{"another authority", sign.TrustOptions{Identities: exact, Root: rootOf(t, s, signtest.WithRekor|signtest.WithCTLog)}, logged, brief{Rejected: all(sign.UntrustedAuthority)}, false},
		{"a CT log that is not trusted", sign.TrustOptions{Identities: exact, Root: rootOf(t, s, signtest.WithRekor|signtest.WithFulcio)}, logged, brief{Rejected: all(sign.NoSCT)}, false},
		{"not logged", sign.TrustOptions{Identities: exact, Root: whole}, stamped, brief{Rejected: all(sign.NotLogged)}, false},
		{"a key, not logged", sign.TrustOptions{Keys: []crypto.PublicKey{&m.key.PublicKey}, Root: whole, Log: sign.Required}, unlogged(t, m), brief{Rejected: all(sign.NotLogged)}, false},
		{"not stamped", sign.TrustOptions{Identities: exact, Root: whole, Timestamp: true}, logged, brief{Rejected: all(sign.NoTime)}, false},
		{"stamped by another authority", sign.TrustOptions{Identities: exact, Root: rootOf(t, s, signtest.WithFulcio), Log: sign.Ignored, NoSCT: true}, stamped, brief{Rejected: all(sign.BadTimestamp)}, false},
		{"a key, where identities are trusted", sign.TrustOptions{Identities: exact, Root: whole}, byKey, brief{Rejected: all(sign.NoKeyTrusted)}, false},
		{"an identity, where keys are trusted", sign.TrustOptions{Keys: key}, logged, brief{Rejected: all(sign.NoIdentityTrusted)}, false},
		{"its certified key, where keys are trusted", sign.TrustOptions{Keys: []crypto.PublicKey{&m.key.PublicKey}}, logged, brief{Rejected: all(sign.NoIdentityTrusted)}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			trust := newTrust(t, tc.rules)
			if diff := cmp.Diff(verdict(t, trust, tc.evidence), tc.want); diff != "" {
				t.Errorf("Verify() (-got +want):\n%s", diff)
			}
			for _, made := range trust.Verify(subjectA.Digest, tc.evidence).Signatures {
				if age := time.Since(made.When); (age < time.Minute) != tc.timed {
					t.Errorf("made at %v", made.When)
				}
			}
		})
	}
}

// unlogged returns evidence signed with the key of m without a log entry.
func unlogged(tb testing.TB, m *maker) oci.Set {
	tb.Helper()
	plain := *m
	plain.token, plain.logged, plain.stamped = "", false, false
	return everythingOf(tb, &plain)
}

// TestVerifyTimes requires a certificate to be valid at the time of the log entry or
// timestamp.
func TestVerifyTimes(t *testing.T) {
	for _, tc := range []struct {
		name       string
		shift      func(*signtest.Sigstore)
		log, stamp bool
		want       sign.Reason
	}{
		{"expired before it was logged", func(s *signtest.Sigstore) { s.Rekor.Shift(time.Hour) }, true, false, sign.Expired},
		{"issued after it was logged", func(s *signtest.Sigstore) { s.Rekor.Shift(-time.Hour) }, true, false, sign.Expired},
		{"expired before it was stamped", func(s *signtest.Sigstore) { s.TSA.Shift(time.Hour) }, false, true, sign.Expired},
		{"logged in time, stamped too late", func(s *signtest.Sigstore) { s.TSA.Shift(time.Hour) }, true, true, sign.Expired},
		{"expired now", func(s *signtest.Sigstore) { s.Fulcio.Shift(-time.Hour) }, false, false, sign.Expired},
		{"issued and logged in the future", func(s *signtest.Sigstore) { s.Fulcio.Shift(time.Hour); s.Rekor.Shift(time.Hour) }, true, false, sign.Future},
		{"issued and stamped in the future", func(s *signtest.Sigstore) { s.Fulcio.Shift(time.Hour); s.TSA.Shift(time.Hour) }, false, true, sign.Future},
		{"expired now, logged in time", func(s *signtest.Sigstore) { s.Fulcio.Shift(-time.Hour); s.Rekor.Shift(-time.Hour) }, true, false, ""},
		{"expired now, stamped in time", func(s *signtest.Sigstore) { s.Fulcio.Shift(-time.Hour); s.TSA.Shift(-time.Hour) }, false, true, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := signtest.New(t)
			m := certifiedMaker(t, s, identityA)
			m.logged, m.stamped = tc.log, tc.stamp
			tc.shift(s)
			o := sign.TrustOptions{Identities: []sign.Identity{{Subject: identityA, Issuer: s.Issuer.URL}}, Root: rootOf(t, s, signtest.Everything), NoSCT: true}
			if !tc.log {
				o.Log = sign.Ignored
			}
			got := verdict(t, newTrust(t, o), everythingOf(t, m))
			var want []sign.Reason
			if tc.want != "" {
				want = all(tc.want)
			}
			if diff := cmp.Diff(got.Rejected, want); diff != "" || (tc.want == "") != (len(got.Signed) == 2) {
				t.Errorf("Verify() = %+v (-got +want):\n%s", got, diff)
			}
		})
	}
}

func TestVerifyCertificateWithoutSCT(t *testing.T) {
	s := signtest.New(t)
	s.Fulcio.Unlogged(true)
	m := certifiedMaker(t, s, identityA)
	o := sign.TrustOptions{Identities: []sign.Identity{{Subject: identityA, Issuer: s.Issuer.URL}}, Root: rootOf(t, s, signtest.Everything)}
	e := everythingOf(t, m)
	if diff := cmp.Diff(verdict(t, newTrust(t, o), e), brief{Rejected: all(sign.NoSCT)}); diff != "" {
		t.Errorf("Verify() (-got +want):\n%s", diff)
	}
	o.NoSCT = true
	if got := verdict(t, newTrust(t, o), e); len(got.Signed) != 2 || len(got.Rejected) != 0 {
		t.Errorf("Verify() = %+v", got)
	}
}

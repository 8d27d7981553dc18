package sign_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"

	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/sign"
	"github.com/pgext/pgext/sign/signtest"
)

// count returns the number of attachments and layers.
func count(tb testing.TB, s oci.Set) string {
	tb.Helper()
	layers := 0
	for _, img := range s.Legacy {
		all, err := img.Layers()
		must(tb, err)
		layers += len(all)
	}
	return fmt.Sprintf("%d attachments, %d layers", len(s.Referrers), layers)
}

// trio has three signers with the same key.
type trio struct{ plain, logged, stamped *sign.Signer }

// signers returns signers with a new key.
func signers(tb testing.TB, s *signtest.Sigstore) trio {
	tb.Helper()
	o := sign.Options{Password: password, Format: sign.FormatBoth}
	o.Key, _ = newKey(tb)
	logged, stamped := o, o
	logged.Logs, stamped.TimestampURLs = logs(s.Rekor.URL), stampURLs(s.TSA.StampURL())
	return trio{open(tb, o), open(tb, logged), open(tb, stamped)}
}

// identity sets the identity, and the log unless o has services.
func identity(s *signtest.Sigstore, who string, o sign.Options) sign.Options {
	if len(o.TimestampURLs)+len(o.Logs) == 0 {
		o.Logs = logs(s.Rekor.URL)
	}
	o.FulcioURL, o.IdentityToken = s.Fulcio.URL, sign.TokenSource{Given: s.Issuer.Token(who)}.Token
	return o
}

// TestSigningAgain makes no second signature with the same key or identity and the same
// services.
func TestSigningAgain(t *testing.T) {
	s := signtest.New(t)
	mine := signers(t, s)
	signerOf := func(who string) *sign.Signer {
		return open(t, identity(s, who, sign.Options{Format: sign.FormatBoth}))
	}
	const everything, nothing = "15 attachments, 15 layers", "0 attachments, 0 layers"
	p := newPlace(t)
	for _, tt := range []struct {
		name          string
		first, second *sign.Signer
		want          string
	}{
		{"key", mine.plain, mine.plain, nothing},
		{"another key", mine.plain, signers(t, s).plain, "15 attachments, 30 layers"},
		{"key, now logged", mine.plain, mine.logged, "15 attachments, 30 layers"},
		{"key, no longer logged", mine.logged, mine.plain, nothing},
		{"key, now stamped", mine.plain, mine.stamped, "15 attachments, 30 layers"},
		{"identity", signerOf("me@example.org"), signerOf("me@example.org"), nothing},
		{"another identity", signerOf("me@example.org"), signerOf("you@example.org"), "15 attachments, 30 layers"},
		{"key, then identity", mine.plain, signerOf("me@example.org"), "15 attachments, 30 layers"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := p.again(t)
			batch := p.everything()
			first, err := tt.first.SignAll(t.Context(), batch)
			must(t, err)
			if got := count(t, first); got != everything {
				t.Errorf("the first time: %s, want %s", got, everything)
			}
			p.publish(t, first)
			batch.Existing = p.evidence(t)
			second, err := tt.second.SignAll(t.Context(), batch)
			must(t, err)
			if got := count(t, second); got != tt.want {
				t.Errorf("the second time: %s, want %s", got, tt.want)
			}
		})
	}
}

// TestImpostors ignores certificates of another authority for the same identity.
func TestImpostors(t *testing.T) {
	p := newPlace(t)
	batch := sign.Batch{Subjects: p.subjects[:1]}
	for n := range 2 {
		s := signtest.New(t)
		signer := open(t, identity(s, "me@example.org", sign.Options{Format: sign.FormatBoth}))
		signed, err := signer.SignAll(t.Context(), batch)
		must(t, err)
		if got, want := count(t, signed), fmt.Sprintf("1 attachments, %d layers", n+1); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		p.publish(t, signed)
		batch.Existing = p.evidence(t)
	}
}

// TestFinishing attaches an existing statement to the remaining subjects after an
// interrupted push, without a new signature.
func TestFinishing(t *testing.T) {
	signer := open(t, identity(signtest.New(t), "me@example.org", sign.Options{Format: sign.FormatBoth}))
	p := newPlace(t)
	batch := sign.Batch{Statements: []sign.Statement{p.statement(1, spdx)}}
	whole, err := signer.SignAll(t.Context(), batch)
	must(t, err)
	part := oci.Set{Referrers: whole.Referrers[:1], Legacy: map[string]v1.Image{}}
	tag := oci.AttestationTag(p.subjects[0].Digest)
	part.Legacy[tag] = whole.Legacy[tag]
	p.publish(t, part)

	batch.Existing = p.evidence(t)
	rest, err := signer.SignAll(t.Context(), batch)
	must(t, err)
	if got, want := count(t, rest), "1 attachments, 1 layers"; got != want {
		t.Fatalf("%s, want %s", got, want)
	}
	got, err := rest.Referrers[0].Digest()
	must(t, err)
	want, err := whole.Referrers[1].Digest()
	must(t, err)
	if got != want {
		t.Error("the missing attachment was signed again")
	}
	missing := oci.AttestationTag(p.subjects[1].Digest)
	if got, want := digest(t, rest.Legacy[missing]), digest(t, whole.Legacy[missing]); got != want {
		t.Errorf("the missing layer was signed again: %s, want %s", got, want)
	}
}

// TestFinishingDeterministic uses the same one of two existing signatures in each run.
func TestFinishingDeterministic(t *testing.T) {
	key, _ := newKey(t)
	signer := open(t, sign.Options{Key: key, Password: password, Format: sign.FormatLegacy})
	p := newPlace(t)
	claim := sign.Statement{Subjects: p.subjects, PredicateType: spdx, Predicate: json.RawMessage("{}")}
	batch := sign.Batch{Statements: []sign.Statement{claim}, Existing: oci.Set{Legacy: map[string]v1.Image{}}}
	for _, s := range p.subjects[:2] {
		signed, err := signer.Attest(t.Context(), claim)
		must(t, err)
		tag := oci.AttestationTag(s.Digest)
		batch.Existing.Legacy[tag] = signed.Legacy[tag]
	}
	seen := map[v1.Hash]bool{}
	for range 20 {
		rest, err := signer.SignAll(t.Context(), batch)
		must(t, err)
		seen[digest(t, rest.Legacy[oci.AttestationTag(p.subjects[2].Digest)])] = true
	}
	if len(seen) != 1 {
		t.Errorf("%d images for the third tag, want 1", len(seen))
	}
}

func digest(tb testing.TB, img v1.Image) v1.Hash {
	tb.Helper()
	h, err := img.Digest()
	must(tb, err)
	return h
}

// TestSameStatement compares statements with Statement.Same.
func TestSameStatement(t *testing.T) {
	signer := open(t, identity(signtest.New(t), "me@example.org", sign.Options{}))
	p := newPlace(t)
	built := func(run string, same func(json.RawMessage) bool) sign.Statement {
		return sign.Statement{Subjects: p.subjects[:1], PredicateType: provenance, Predicate: json.RawMessage(`{"what":1, "run":"` + run + `"}`), Same: same}
	}
	signed, err := signer.Attest(t.Context(), built("1", nil))
	must(t, err)
	p.publish(t, signed)
	existing := p.evidence(t)
	sameWhat := func(other json.RawMessage) bool {
		var predicate struct{ What int }
		return json.Unmarshal(other, &predicate) == nil && predicate.What == 1
	}
	for _, tt := range []struct {
		name  string
		claim sign.Statement
		want  int
	}{
		{"same", built("1", nil), 0},
		{"another run", built("2", nil), 1},
		{"another run that does not matter", built("2", sameWhat), 0},
		{"another type", sign.Statement{Subjects: p.subjects[:1], PredicateType: spdx, Predicate: json.RawMessage(`{"what":1,"run":"1"}`)}, 1},
		{"more subjects", sign.Statement{Subjects: p.subjects[:2], PredicateType: provenance, Predicate: json.RawMessage(`{"what":1,"run":"1"}`)}, 2},
	} {
		got, err := signer.SignAll(t.Context(), sign.Batch{Statements: []sign.Statement{tt.claim}, Existing: existing})
		must(t, err)
		if len(got.Referrers) != tt.want {
			t.Errorf("%s: %d attachments, want %d", tt.name, len(got.Referrers), tt.want)
		}
	}
}

// TestMerge keeps existing layers in order and appends new layers once.
func TestMerge(t *testing.T) {
	s := signtest.New(t)
	p := newPlace(t)
	tag := oci.SignatureTag(p.subjects[0].Digest)
	var images []v1.Image
	for _, who := range []string{"me@example.org", "you@example.org"} {
		signed, err := open(t, identity(s, who, sign.Options{Format: sign.FormatLegacy})).Sign(t.Context(), p.subjects[0])
		must(t, err)
		images = append(images, signed.Legacy[tag])
	}
	merged, err := sign.Merge(images[0], images[1])
	must(t, err)
	if got, want := signatures(t, merged), append(signatures(t, images[0]), signatures(t, images[1])...); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, ours := range images {
		again, err := sign.Merge(merged, ours)
		must(t, err)
		if got, want := digest(t, again), digest(t, merged); got != want {
			t.Errorf("merging twice gives %s, then %s", want, got)
		}
	}
	alone, err := sign.Merge(nil, images[0])
	must(t, err)
	if got, want := digest(t, alone), digest(t, images[0]); got != want {
		t.Errorf("merging with nothing gives %s, want %s", got, want)
	}
}

// signatures returns the signature annotation of each layer.
func signatures(tb testing.TB, img v1.Image) []string {
	tb.Helper()
	manifest, err := img.Manifest()
	must(tb, err)
	var out []string
	for _, l := range manifest.Layers {
		out = append(out, l.Annotations["dev.cosignproject.cosign/signature"])
	}
	return out
}

// TestInvalidEvidence signs although invalid evidence is attached, and keeps that
// evidence.
func TestInvalidEvidence(t *testing.T) {
	s := signtest.New(t)
	p := newPlace(t)
	signer := open(t, identity(s, "me@example.org", sign.Options{Format: sign.FormatBoth}))
	elsewhere, err := signer.Sign(t.Context(), p.subjects[1])
	must(t, err)
	subject := v1.Descriptor{MediaType: p.subjects[0].MediaType, Size: p.subjects[0].Size, Digest: p.subjects[0].Digest}
	_, bundle, _, err := oci.ReadReferrer(elsewhere.Referrers[0], sign.MediaTypeBundle)
	must(t, err)
	replayed := referrer(t, subject, sign.MediaTypeBundle, bundle.Content)
	tag := oci.SignatureTag(p.subjects[0].Digest)
	plain, err := random.Image(10, 1)
	must(t, err)
	for _, tt := range []struct {
		name     string
		existing oci.Set
		want     string
	}{
		{"no bundle", oci.Set{Referrers: []v1.Image{referrer(t, subject, sign.MediaTypeBundle, []byte("{"))}}, "1 attachments, 1 layers"},
		{"another document", oci.Set{Referrers: []v1.Image{referrer(t, subject, "application/spdx+json", []byte("{}"))}}, "1 attachments, 1 layers"},
		{"no referrer", oci.Set{Referrers: []v1.Image{plain}}, "1 attachments, 1 layers"},
		{"signature of another image", oci.Set{Referrers: []v1.Image{replayed}}, "1 attachments, 1 layers"},
		{"no signatures", oci.Set{Legacy: map[string]v1.Image{tag: plain}}, "1 attachments, 2 layers"},
		{"signatures of another image", oci.Set{Legacy: map[string]v1.Image{tag: elsewhere.Legacy[oci.SignatureTag(p.subjects[1].Digest)]}}, "1 attachments, 2 layers"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := signer.SignAll(t.Context(), sign.Batch{Subjects: p.subjects[:1], Existing: tt.existing})
			must(t, err)
			if got := count(t, got); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

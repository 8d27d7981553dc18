package sign

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	rekorpb "github.com/sigstore/rekor-tiles/v2/pkg/generated/protobuf"
	"github.com/sigstore/rekor/pkg/generated/client/entries"
	sigsign "github.com/sigstore/sigstore-go/pkg/sign"
)

var (
	index    = Subject{"registry.example.org/pgvector", v1.Hash{Algorithm: "sha256", Hex: "aa"}, types.OCIImageIndex, 7}
	manifest = Subject{"registry.example.org/pgvector", v1.Hash{Algorithm: "sha256", Hex: "bb"}, types.OCIManifestSchema1, 8}
)

func TestStatementText(t *testing.T) {
	s := Statement{Subjects: []Subject{manifest, index}, PredicateType: "https://spdx.dev/Document", Predicate: json.RawMessage("{ \"b\": 1,\n\"a\": \"<&>\" }")}
	got, err := s.encode()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"_type":"https://in-toto.io/Statement/v1","subject":[` +
		`{"name":"registry.example.org/pgvector","digest":{"sha256":"bb"}},{"name":"registry.example.org/pgvector","digest":{"sha256":"aa"}}],` +
		`"predicateType":"https://spdx.dev/Document","predicate":{"b":1,"a":"<&>"}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	again, err := s.encode()
	if err != nil || !bytes.Equal(got, again) {
		t.Errorf("twice gives %s and %s (%v)", got, again, err)
	}
}

func TestIncompleteStatements(t *testing.T) {
	for _, s := range []Statement{
		{PredicateType: "x", Predicate: json.RawMessage("{}")},
		{Subjects: []Subject{index}, Predicate: json.RawMessage("{}")},
		{Subjects: []Subject{index}, PredicateType: "x"},
		{Subjects: []Subject{index}, PredicateType: "x", Predicate: json.RawMessage("{")},
	} {
		if got, err := s.encode(); err == nil {
			t.Errorf("%+v became %s", s, got)
		}
	}
}

func TestSimpleSigningText(t *testing.T) {
	got, err := simpleSigning(index)
	want := `{"critical":{"identity":{"docker-reference":"registry.example.org/pgvector"},"image":{"docker-manifest-digest":"sha256:aa"},"type":"cosign container image signature"},"optional":null}`
	if err != nil || string(got) != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
}

// TestAttachmentForm requires the annotations of cosign without a creation time, and a
// deterministic encoding.
func TestAttachmentForm(t *testing.T) {
	m := newTestMaterial(t)
	payload := []byte(`{"_type":"https://in-toto.io/Statement/v1"}`)
	b, err := (&Signer{}).bundle(t.Context(), m, &sigsign.DSSEData{Data: payload, PayloadType: payloadType})
	if err != nil {
		t.Fatal(err)
	}
	var contents []string
	for range 2 {
		content, err := encodeBundle(b, nil)
		if err != nil {
			t.Fatal(err)
		}
		contents = append(contents, string(content))
		a := newAttachment(content, PredicateSignature, index)
		want := map[string]string{"dev.sigstore.bundle.content": "dsse-envelope", "dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1"}
		if diff := cmp.Diff(want, a.annotations); diff != "" {
			t.Error(diff)
		}
	}
	if contents[0] != contents[1] {
		t.Errorf("twice gives\n%s\n%s", contents[0], contents[1])
	}
	read, ok := m.recognize(Options{}, func() (*candidate, error) { return openBundle([]byte(contents[0])) })
	if !ok || !bytes.Equal(read.payload, payload) {
		t.Errorf("read back: %v %+v", ok, read)
	}
}

func newTestMaterial(tb testing.TB) *material {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	m, err := newMaterial(&key.PublicKey, func(_ context.Context, message []byte) ([]byte, error) { return signDigest(key, message) })
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func TestFormats(t *testing.T) {
	for _, tt := range []struct {
		text           string
		want           Format
		bundle, legacy bool
	}{
		{"", FormatBundle, true, false},
		{"bundle", FormatBundle, true, false},
		{"legacy", FormatLegacy, false, true},
		{"both", FormatBoth, true, true},
	} {
		got, err := ParseFormat(tt.text)
		if err != nil || got != tt.want || got.bundle() != tt.bundle || got.legacy() != tt.legacy {
			t.Errorf("%q: %q (%v), bundle %v, legacy %v", tt.text, got, err, got.bundle(), got.legacy())
		}
	}
	if _, err := ParseFormat("simple"); err == nil {
		t.Error("simple is a format")
	}
}

func TestRedacting(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"Authorization: Bearer abc.def", "Authorization: Bearer [redacted]"},
		{`{"Authorization":["bearer abc"]}`, `{"Authorization":["bearer [redacted]"]}`},
		{"token eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2ln end", "token [redacted] end"},
		{"https://me:word@example.org/a?token=x b", "https://example.org/a b"},
		{"the word is hunter2", "the word is [redacted]"},
		{"no secret", "no secret"},
	} {
		if got := redactSecrets(tt.in, "hunter2", ""); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}

// FuzzEvidence: whatever lies in a registry or is answered by a service, it is
// read or refused.
func FuzzEvidence(f *testing.F) {
	m := newTestMaterial(f)
	made, err := (&Signer{}).bundle(f.Context(), m, &sigsign.DSSEData{Data: []byte("{}"), PayloadType: payloadType})
	if err != nil {
		f.Fatal(err)
	}
	text, _ := json.Marshal(made.GetDsseEnvelope())
	bundle, err := encodeBundle(made, nil)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		string(bundle), string(text), "{}", `{"verificationMaterial":{}}`, `{"dsseEnvelope":{"signatures":[null]}}`,
		`{"x":{"body":"e30=","verification":{}}}`, `{"signedCertificateEmbeddedSct":{"chain":{"certificates":["x"]}}}`,
	} {
		f.Add([]byte(seed), "sig", "cert")
	}
	log := &fixedResponse{}
	s := &service{name: rekorName, client: &http.Client{Transport: log}, url: "http://rekor.example.org"}
	envelopes := &rekorpb.DSSERequestV002{Envelope: made.GetDsseEnvelope(), Verifiers: []*rekorpb.Verifier{{}}}
	f.Fuzz(func(t *testing.T, text []byte, sig, certificate string) {
		m.recognize(Options{}, func() (*candidate, error) { return openBundle(text) })
		annotations := map[string]string{"dev.cosignproject.cosign/signature": sig, "dev.sigstore.cosign/certificate": certificate}
		m.recognize(Options{}, func() (*candidate, error) { return readSignature(text, annotations) })
		m.recognize(Options{}, func() (*candidate, error) { return readAttestation(text, annotations) })
		_, _ = readChain(text)
		log.body = text
		_, _ = rekor{s, rekorV1}.CreateLogEntry(entries.NewCreateLogEntryParamsWithContext(t.Context()))
		_, _ = rekor{s, rekorV2}.Add(t.Context(), envelopes)
		if config, err := ReadSigningConfig(text); err == nil {
			_, _ = config.Services(time.Now())
		}
		_, _ = readClaims(string(text))
	})
}

// TestIncompleteLogEntries refuses log entries without a field that a bundle needs,
// on which the library would panic.
func TestIncompleteLogEntries(t *testing.T) {
	full := map[string]any{}
	body := base64.StdEncoding.EncodeToString([]byte(`{"apiVersion":"0.0.1","kind":"dsse","spec":{"envelopeHash":{"algorithm":"sha256","value":"` + strings.Repeat("0", 64) + `"},"payloadHash":{"algorithm":"sha256","value":"` + strings.Repeat("0", 64) + `"},"signatures":[{"signature":"c2ln","verifier":"a2V5"}]}}`))
	if err := json.Unmarshal([]byte(`{"body":"`+body+`","integratedTime":1,"logID":"00","logIndex":0,"verification":{"signedEntryTimestamp":"AAAA","inclusionProof":{"checkpoint":"c","hashes":[],"logIndex":0,"rootHash":"00","treeSize":1}}}`), &full); err != nil {
		t.Fatal(err)
	}
	response := &fixedResponse{}
	log := rekor{&service{name: rekorName, client: &http.Client{Transport: response}, url: "http://rekor.example.org"}, rekorV1}
	try := func() error {
		var err error
		if response.body, err = json.Marshal(map[string]any{"id": full}); err != nil {
			t.Fatal(err)
		}
		_, err = log.CreateLogEntry(entries.NewCreateLogEntryParamsWithContext(t.Context()))
		return err
	}
	if err := try(); err != nil {
		t.Fatalf("the whole entry: %v", err)
	}
	verification := full["verification"].(map[string]any)
	for _, from := range []map[string]any{full, verification, verification["inclusionProof"].(map[string]any)} {
		for _, name := range slices.Sorted(maps.Keys(from)) {
			value := from[name]
			delete(from, name)
			if err := try(); err == nil && name != "hashes" {
				t.Errorf("an entry without %s was taken", name)
			}
			from[name] = value
		}
	}
}

// fixedResponse is a transport that returns a body with status 201.
type fixedResponse struct{ body []byte }

// RoundTrip implements http.RoundTripper.
func (a *fixedResponse) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusCreated, Body: io.NopCloser(bytes.NewReader(a.body))}, nil
}

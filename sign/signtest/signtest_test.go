package signtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	sigbundle "github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	sigsign "github.com/sigstore/sigstore-go/pkg/sign"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// sign signs "hello" with the clients of sigstore-go, which verify the responses.
func sign(tb testing.TB, s *Sigstore, token string) (*sigbundle.Bundle, *root.TrustedRoot, error) {
	tb.Helper()
	return signInto(tb, s, token, &sigsign.PlainData{Data: []byte("hello")}, &sigsign.RekorOptions{BaseURL: s.Rekor.URL})
}

// signInto signs content with the given log.
func signInto(tb testing.TB, s *Sigstore, token string, content sigsign.Content, log *sigsign.RekorOptions) (*sigbundle.Bundle, *root.TrustedRoot, error) {
	tb.Helper()
	trusted, err := root.NewTrustedRootFromJSON(s.TrustedRoot(tb))
	if err != nil {
		tb.Fatal(err)
	}
	key, err := sigsign.NewEphemeralKeypair(nil)
	if err != nil {
		tb.Fatal(err)
	}
	made, err := sigsign.Bundle(content, key, sigsign.BundleOptions{
		Context:                    tb.Context(),
		CertificateProvider:        sigsign.NewFulcio(&sigsign.FulcioOptions{BaseURL: s.Fulcio.URL}),
		CertificateProviderOptions: &sigsign.CertificateProviderOptions{IDToken: token},
		TimestampAuthorities:       []*sigsign.TimestampAuthority{sigsign.NewTimestampAuthority(&sigsign.TimestampAuthorityOptions{URL: s.TSA.StampURL()})},
		TransparencyLogs:           []sigsign.Transparency{sigsign.NewRekor(log)},
		TrustedRoot:                trusted,
	})
	if err != nil {
		return nil, nil, err
	}
	bundle, err := sigbundle.NewBundle(made)
	return bundle, trusted, err
}

func TestSigstoreGoSignsAndVerifies(t *testing.T) {
	s := New(t)
	for _, identity := range []string{
		"person@example.com",
		"https://github.com/example/images/.github/workflows/release.yml@refs/heads/main",
		"https://example.com/robots/7",
	} {
		bundle, trusted, err := sign(t, s, s.Issuer.Token(identity))
		if err != nil {
			t.Fatal(err)
		}
		verifier, err := verify.NewVerifier(trusted, verify.WithTransparencyLog(1), verify.WithSignedTimestamps(1),
			verify.WithIntegratedTimestamps(1), verify.WithSignedCertificateTimestamps(1))
		if err != nil {
			t.Fatal(err)
		}
		who, err := verify.NewShortCertificateIdentity(s.Issuer.URL, "", identity, "")
		if err != nil {
			t.Fatal(err)
		}
		policy := verify.NewPolicy(verify.WithArtifact(strings.NewReader("hello")), verify.WithCertificateIdentity(who))
		if _, err := verifier.Verify(bundle, policy); err != nil {
			t.Errorf("%s: %v", identity, err)
		}
	}
	if got := len(s.Rekor.Entries()); got != 3 {
		t.Errorf("the log has %d entries, want 3", got)
	}
}

// TestTiles checks the inclusion proofs of both entry types while the log grows.
func TestTiles(t *testing.T) {
	s := New(t)
	statement := []byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"aa"}}],"predicateType":"https://example.org/a","predicate":{}}`)
	for i, content := range []sigsign.Content{
		&sigsign.PlainData{Data: []byte("hello")}, &sigsign.DSSEData{Data: statement, PayloadType: sigbundle.IntotoMediaType}, &sigsign.PlainData{Data: []byte("again")},
	} {
		// sigstore-go verifies the response.
		bundle, _, err := signInto(t, s, s.Issuer.Token("me@example.org"), content, &sigsign.RekorOptions{BaseURL: s.Tiles.URL, Version: 2})
		if err != nil {
			t.Fatal(err)
		}
		entry := bundle.GetVerificationMaterial().GetTlogEntries()[0]
		if got := entry.GetInclusionProof().GetTreeSize(); entry.GetLogIndex() != int64(i) || got != int64(i)+1 || entry.GetIntegratedTime() != 0 {
			t.Errorf("entry %d has index %d, tree size %d and time %d", i, entry.GetLogIndex(), got, entry.GetIntegratedTime())
		}
		if got := string(s.Tiles.Entries()[i]); got != string(entry.GetCanonicalizedBody()) {
			t.Errorf("the entry is %s", got)
		}
	}
}

func TestFulcioRefuses(t *testing.T) {
	s, other := New(t), New(t)
	for _, tc := range []struct{ name, token, want string }{
		{"another issuer", other.Issuer.Token("a@example.com"), "another issuer's token"},
		{"an expired token", s.Issuer.ExpiredToken("a@example.com"), "token has expired"},
	} {
		if _, _, err := sign(t, s, tc.token); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}

func TestGitHubToken(t *testing.T) {
	s := New(t)
	url, token := s.Issuer.GitHub("https://github.com/a/b/.github/workflows/c.yml@refs/heads/d")
	get := func(token string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"&audience=sigstore", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	status, body := get(token)
	_, jwt, ok := strings.Cut(body, `"value":"`)
	if status != http.StatusOK || !ok {
		t.Fatalf("status %d, body %q", status, body)
	}
	jwt, _, _ = strings.Cut(jwt, `"`)
	got, err := s.Issuer.verify(jwt)
	want := identity{"https://github.com/a/b/.github/workflows/c.yml@refs/heads/d", "repo:a/b/.github/workflows/c.yml@refs/heads/d"}
	if err != nil || got != want {
		t.Errorf("verify() = %v, %v", got, err)
	}
	if status, _ := get("guess"); status != http.StatusUnauthorized {
		t.Errorf("status %d for a wrong token", status)
	}
}

func TestFaults(t *testing.T) {
	s := New(t)
	post := func() (int, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		body := bytes.NewReader(entry(t))
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Rekor.URL+"/api/v1/log/entries", body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		return resp.StatusCode, nil
	}
	s.Rekor.Next(http.StatusTooManyRequests, http.StatusBadGateway, Reset, http.StatusConflict, Lost)
	for i, want := range []struct {
		status, entries int
		reset           bool
	}{
		{http.StatusTooManyRequests, 0, false},
		{http.StatusBadGateway, 0, false},
		{0, 0, true},
		{http.StatusConflict, 1, false},
		{0, 2, true},
		{http.StatusCreated, 3, false},
	} {
		status, err := post()
		if reset := errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF); status != want.status || reset != want.reset || len(s.Rekor.Entries()) != want.entries {
			t.Errorf("request %d: status %d, error %v, %d entries; want %+v", i, status, err, len(s.Rekor.Entries()), want)
		}
	}
	if got := s.Rekor.Requests(); got != 6 {
		t.Errorf("%d requests, want 6", got)
	}
}

// entry returns a new hashedrekord entry.
func entry(tb testing.TB) []byte {
	tb.Helper()
	var sent []byte
	recorder := &Service{}
	recorder.start(tb, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		sent, _ = io.ReadAll(req.Body)
		w.WriteHeader(http.StatusBadRequest)
	}))
	key, err := sigsign.NewEphemeralKeypair(nil)
	if err != nil {
		tb.Fatal(err)
	}
	_, err = sigsign.Bundle(&sigsign.PlainData{Data: []byte("hello")}, key, sigsign.BundleOptions{
		Context:          tb.Context(),
		TransparencyLogs: []sigsign.Transparency{sigsign.NewRekor(&sigsign.RekorOptions{BaseURL: recorder.URL})},
	})
	if err == nil || len(sent) == 0 {
		tb.Fatalf("no entry was sent: %v", err)
	}
	return sent
}

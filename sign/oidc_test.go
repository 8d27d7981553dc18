package sign_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/sign"
	"github.com/pgext/pgext/sign/signtest"
)

// TestTokenSources reads tokens from files, values, and the environments of GitLab and
// GitHub.
func TestTokenSources(t *testing.T) {
	s := signtest.New(t)
	token := s.Issuer.Token("me@example.org")
	address, secret := s.Issuer.GitHub(workflow)
	for _, tt := range []struct {
		name       string
		given      string
		env        map[string]string
		want, hint string
	}{
		{"value", token, nil, "", ""},
		{"file", write(t, "token", []byte(token+"\n")), nil, "", ""},
		{"no such file", "/nowhere/token", nil, "neither a token nor an existing file", "--identity-token"},
		{"folder", t.TempDir(), nil, "reading the token file: is a directory", ""},
		{"GitLab", "", map[string]string{"GITLAB_CI": "true", "SIGSTORE_ID_TOKEN": token}, "", ""},
		{"GitLab without id_tokens", "", map[string]string{"GITLAB_CI": "true"}, "SIGSTORE_ID_TOKEN is not set in this job", "aud: sigstore"},
		{"GitHub", "", map[string]string{"GITHUB_ACTIONS": "true", "ACTIONS_ID_TOKEN_REQUEST_URL": address, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": secret}, "", ""},
		{"GitHub without permission", "", map[string]string{"GITHUB_ACTIONS": "true"}, "no permission to request", "id-token: write"},
		{"GitHub refuses", "", map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": address, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "old"}, "GitHub's token service at " + s.Issuer.URL, ""},
		{"nothing", "", nil, "missing", "SIGSTORE_ID_TOKEN"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			source := sign.TokenSource{Given: tt.given, Getenv: func(name string) string { return tt.env[name] }}
			got, err := source.Token(t.Context())
			if tt.want != "" {
				hint, _ := err.(interface{ Hint() string })
				if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(hint.Hint(), tt.hint) {
					t.Errorf("got %v, want %q (hint %q)", err, tt.want, tt.hint)
				}
				return
			}
			must(t, err)
			signer := open(t, sign.Options{
				FulcioURL: s.Fulcio.URL, Logs: logs(s.Rekor.URL), IdentityToken: sign.TokenSource{Given: got}.Token,
			})
			_, err = signer.PublicKey(t.Context())
			must(t, err)
		})
	}
}

// TestInvalidTokens refuses invalid tokens before a request is sent.
func TestInvalidTokens(t *testing.T) {
	s := signtest.New(t)
	for _, tt := range []struct {
		name, token string
		want, hint  string
	}{
		{"expired", s.Issuer.ExpiredToken("me@example.org"), "expired at 2", "right before signing"},
		{"another audience", unsigned(t, map[string]any{"sub": "me", "aud": "corporate", "exp": time.Now().Add(time.Hour).Unix()}), `audience is ["corporate"], want "sigstore"`, "the audience sigstore"},
		{"no audience", unsigned(t, map[string]any{"sub": "me", "exp": time.Now().Add(time.Hour).Unix()}), `want "sigstore"`, ""},
		{"several audiences", unsigned(t, map[string]any{"sub": "me", "aud": []string{"a", "sigstore"}}), "no expiry time", ""},
		{"no subject", unsigned(t, map[string]any{"aud": "sigstore"}), "reading the subject", ""},
		{"e-mail not verified", unsigned(t, map[string]any{"aud": "sigstore", "email": "me@example.org"}), "not verified", ""},
		{"not a token", "hello", "not a JSON web token", "--identity-token"},
		{"not base64", "a.%.c", "not a JSON web token", ""},
		{"not JSON", "a.YQ.c", "not a JSON web token", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := open(t, sign.Options{
				FulcioURL: s.Fulcio.URL, Logs: logs(s.Rekor.URL),
				IdentityToken: sign.TokenSource{Getenv: func(name string) string { return map[string]string{"SIGSTORE_ID_TOKEN": tt.token}[name] }}.Token,
			}).PublicKey(t.Context())
			var failure *failure.Error
			if !errors.As(err, &failure) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(failure.Hint(), tt.hint) {
				t.Errorf("got %v, want %q (hint %q)", err, tt.want, tt.hint)
			}
		})
	}
	if n := s.Fulcio.Requests(); n != 0 {
		t.Errorf("Fulcio received %d requests", n)
	}
}

// TestNoIdentity refuses incomplete options in Open.
func TestNoIdentity(t *testing.T) {
	source := sign.TokenSource{}.Token
	for _, tt := range []struct {
		o    sign.Options
		want string
	}{
		{sign.Options{FulcioURL: "https://fulcio.example.org", Logs: logs("https://rekor.example.org")}, "missing"},
		{sign.Options{IdentityToken: source, Logs: logs("https://rekor.example.org")}, "needs Fulcio"},
		{sign.Options{FulcioURL: "https://fulcio.example.org", IdentityToken: source}, "needs a log or a timestamp authority"},
	} {
		if _, err := sign.Open(tt.o); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %q", err, tt.want)
		}
	}
}

// unsigned returns a token with an invalid signature.
func unsigned(tb testing.TB, claims map[string]any) string {
	tb.Helper()
	text, err := json.Marshal(claims)
	must(tb, err)
	return "e30." + base64.RawURLEncoding.EncodeToString(text) + ".c2ln"
}

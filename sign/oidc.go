package sign

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/sigstore/sigstore/pkg/oauthflow"
)

// sigstoreAudience is the audience that identity tokens for Fulcio must have.
const sigstoreAudience = "sigstore"

const tokenHint = "pass --identity-token FILE, set SIGSTORE_ID_TOKEN, or run in a GitHub or GitLab job with permission to request a token"

// TokenSource provides OIDC identity tokens.
type TokenSource struct {
	// Given is a file with a token, or the token itself; "" uses the environment.
	Given string
	// Getenv reads the environment; nil means os.Getenv.
	Getenv func(string) string
	// HTTPClient sends requests to GitHub; nil means http.DefaultClient.
	HTTPClient *http.Client
	// Backoff is the wait before a second attempt; 0 means one second.
	Backoff time.Duration
}

// Token returns the first token of: Given; the variable SIGSTORE_ID_TOKEN, which a
// GitLab job sets with id_tokens; the token service of GitHub, which needs the
// permission id-token: write. It is a function for Options.IdentityToken.
func (t TokenSource) Token(ctx context.Context) (string, error) {
	if t.Getenv == nil {
		t.Getenv = os.Getenv
	}
	if t.Given != "" {
		return t.given()
	}
	if token := strings.TrimSpace(t.Getenv("SIGSTORE_ID_TOKEN")); token != "" {
		return token, nil
	}
	if address := t.Getenv("ACTIONS_ID_TOKEN_REQUEST_URL"); address != "" {
		return t.github(ctx, address, t.Getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
	}
	switch {
	case t.Getenv("GITHUB_ACTIONS") == "true":
		return "", tokenError("add the permission id-token: write to the job", "this job has no permission to request one")
	case t.Getenv("GITLAB_CI") == "true":
		return "", tokenError("add id_tokens: SIGSTORE_ID_TOKEN: aud: "+sigstoreAudience+" to the job", "SIGSTORE_ID_TOKEN is not set in this job")
	}
	return "", tokenError(tokenHint, "missing")
}

// given returns t.Given if it has the form of a token, or else reads it as a file.
func (t TokenSource) given() (string, error) {
	if _, err := readClaims(t.Given); err == nil {
		return t.Given, nil
	}
	text, err := os.ReadFile(t.Given)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", tokenError(tokenHint, "the value is neither a token nor an existing file")
	case err != nil:
		return "", tokenError("", "reading the token file: %w", cause(err))
	}
	return strings.TrimSpace(string(text)), nil
}

// github requests a token (GitHub: OpenID Connect reference, "Methods for
// requesting the OIDC token").
func (t TokenSource) github(ctx context.Context, address, secret string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", tokenError("", "ACTIONS_ID_TOKEN_REQUEST_URL is not a URL")
	}
	query := u.Query()
	query.Set("audience", sigstoreAudience)
	u.RawQuery = query.Encode()
	o := Options{HTTPClient: t.HTTPClient, Backoff: t.Backoff}.complete()
	s, err := o.service("GitHub's token service", u.String())
	if err != nil {
		return "", err
	}
	resp, err := s.get(ctx, "", map[string]string{"Authorization": "bearer " + secret}, secret)
	if err != nil {
		return "", err
	}
	var token struct {
		Value string `json:"value"`
	}
	if err := json.Unmarshal(resp.body, &token); err != nil || token.Value == "" {
		return "", s.fail("the response has no token")
	}
	return token.Value, nil
}

// tokenClaims are the checked claims of a token. Fulcio verifies the signature.
type tokenClaims struct {
	Issuer   string   `json:"iss"`
	Audience audience `json:"aud"`
	Expires  float64  `json:"exp"`
}

// audience is a string or a list of strings (RFC 7519 section 4.1.3).
type audience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(text []byte) error {
	var one string
	if err := json.Unmarshal(text, &one); err == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}

// readClaims reads a token without verifying it.
func readClaims(token string) (tokenClaims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return tokenClaims{}, errors.New("not a JSON web token")
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return tokenClaims{}, errors.New("not a JSON web token")
	}
	var c tokenClaims
	if err := json.Unmarshal(text, &c); err != nil {
		return tokenClaims{}, errors.New("not a JSON web token")
	}
	if _, err := oauthflow.SubjectFromUnverifiedToken(text); err != nil {
		return tokenClaims{}, fmt.Errorf("reading the subject: %w", err)
	}
	return c, nil
}

// checkToken returns an error with a hint for a token that Fulcio would refuse.
func checkToken(token string, now time.Time) error {
	c, err := readClaims(token)
	if err != nil {
		return tokenError(tokenHint, "%w", err)
	}
	if c.Expires == 0 {
		return tokenError(tokenHint, "no expiry time")
	}
	expires := time.Unix(int64(c.Expires), 0)
	if !now.Before(expires) {
		return tokenError("request a token right before signing: tokens are valid for minutes", "expired at %s", expires.UTC().Format(time.RFC3339))
	}
	if !slices.Contains(c.Audience, sigstoreAudience) {
		return tokenError("request a token with the audience "+sigstoreAudience, "the audience is %q, want %q", []string(c.Audience), sigstoreAudience)
	}
	return nil
}

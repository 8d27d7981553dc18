package signtest

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	audience   = "sigstore"
	githubRoot = "https://github.com/"
	// requestToken is the value of ACTIONS_ID_TOKEN_REQUEST_TOKEN.
	requestToken = "request-a-token"
)

// Issuer is an OIDC provider. Its URL is the issuer in certificates.
type Issuer struct {
	Service
	key *ecdsa.PrivateKey
}

func newIssuer(tb testing.TB) *Issuer {
	tb.Helper()
	i := &Issuer{key: newKey(tb)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{
			"issuer": i.URL, "jwks_uri": i.URL + "/keys",
			"authorization_endpoint": i.URL + "/auth", "token_endpoint": i.URL + "/token",
			"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
			"id_token_signing_alg_values_supported": []string{"ES256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		point, err := i.key.PublicKey.Bytes() // 4, x, y (SEC 1 2.3.3)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		writeJSON(w, http.StatusOK, map[string]any{"keys": []map[string]string{{
			"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1", "x": encode(point[1:33]), "y": encode(point[33:]),
		}}})
	})
	mux.HandleFunc("GET /github/{identity}", func(w http.ResponseWriter, req *http.Request) {
		identity, err := base64.RawURLEncoding.DecodeString(req.PathValue("identity"))
		if err != nil || !strings.EqualFold(req.Header.Get("Authorization"), "bearer "+requestToken) {
			http.Error(w, `{"message":"not allowed"}`, http.StatusUnauthorized)
			return
		}
		claims := i.claims(string(identity))
		claims["aud"] = req.URL.Query().Get("audience")
		writeJSON(w, http.StatusOK, map[string]string{"value": i.sign(claims)})
	})
	i.start(tb, mux)
	return i
}

// Token returns an identity token with the audience sigstore. An identity is an e-mail
// address (with @), a workflow (https://github.com/…), or any other subject.
func (i *Issuer) Token(identity string) string { return i.sign(i.claims(identity)) }

// ExpiredToken returns a token that expired an hour ago.
func (i *Issuer) ExpiredToken(identity string) string {
	claims := i.claims(identity)
	claims["exp"] = time.Now().Add(-time.Hour).Unix()
	return i.sign(claims)
}

// GitHub returns the variables ACTIONS_ID_TOKEN_REQUEST_URL and
// ACTIONS_ID_TOKEN_REQUEST_TOKEN of a GitHub workflow.
func (i *Issuer) GitHub(identity string) (url, token string) {
	return i.URL + "/github/" + encode([]byte(identity)) + "?api-version=2.0", requestToken
}

func (i *Issuer) claims(identity string) map[string]any {
	claims := map[string]any{
		"iss": i.URL, "aud": audience, "sub": identity,
		"iat": time.Now().Unix(), "nbf": time.Now().Unix(), "exp": time.Now().Add(10 * time.Minute).Unix(),
	}
	if strings.Contains(identity, "@") && !strings.Contains(identity, "://") {
		claims["email"], claims["email_verified"] = identity, true
	}
	if workflow, ok := strings.CutPrefix(identity, githubRoot); ok {
		claims["sub"], claims["job_workflow_ref"] = "repo:"+workflow, workflow
	}
	return claims
}

// sign returns a JWT with a signature of type ES256 (RFC 7518 3.4).
func (i *Issuer) sign(claims map[string]any) string {
	body, err := json.Marshal(claims)
	if err != nil {
		panic(err) // strings and numbers
	}
	signed := encode([]byte(`{"alg":"ES256","kid":"1","typ":"JWT"}`)) + "." + encode(body)
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, i.key, sum[:])
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	return signed + "." + encode(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

// identity is the identity in a token.
type identity struct {
	// san is the subject alternative name: an e-mail address or a URI.
	san string
	// proof is the content that the client signs to prove possession of its key.
	proof string
}

// verify returns the identity in a token of this issuer.
func (i *Issuer) verify(token string) (identity, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return identity{}, errors.New("not a token")
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 64 {
		return identity{}, errors.New("no signature")
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(&i.key.PublicKey, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return identity{}, errors.New("another issuer's token")
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return identity{}, err
	}
	var claims struct {
		Aud, Sub, Email string
		Workflow        string `json:"job_workflow_ref"`
		Exp             int64
	}
	if err := json.Unmarshal(body, &claims); err != nil {
		return identity{}, err
	}
	switch {
	case claims.Aud != audience:
		return identity{}, errors.New("token for another audience")
	case time.Now().Unix() > claims.Exp:
		return identity{}, errors.New("token has expired")
	case claims.Email != "":
		return identity{claims.Email, claims.Email}, nil
	case claims.Workflow != "":
		return identity{githubRoot + claims.Workflow, claims.Sub}, nil
	}
	return identity{claims.Sub, claims.Sub}, nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

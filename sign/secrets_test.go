package sign_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/sign"
	"github.com/pgext/pgext/sign/signtest"
)

// recorder is a transport that records requests and responses.
type recorder struct {
	next http.RoundTripper

	mu        sync.Mutex
	responses map[string]string // by path
	requests  bytes.Buffer
	// user has the user name and password of the last request.
	user string
}

// RoundTrip implements http.RoundTripper.
func (l *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	resp, err := l.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(content))
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.responses == nil {
		l.responses = map[string]string{}
	}
	l.responses[req.URL.Path] = string(content)
	name, password, _ := req.BasicAuth()
	l.user = name + ":" + password
	fmt.Fprintf(&l.requests, "%s\n%s\n", req.URL, body)
	return resp, err
}

// TestSecrets requires that no password, token or private key is published, sent to a
// log, or part of an error or of the output.
func TestSecrets(t *testing.T) {
	s := signtest.New(t)
	key, _ := newKey(t)
	keyText, err := os.ReadFile(key)
	must(t, err)
	token := s.Issuer.Token("me@example.org")
	secrets := append([]string{signtest.Password, url.QueryEscape(signtest.Password), token, "request-a-token"}, strings.Split(token, ".")[1:]...)
	secrets = append(secrets, strings.Split(string(keyText), "\n")[1])

	printed := capture(t)
	recorded := &recorder{next: http.DefaultTransport}
	o := sign.Options{
		FulcioURL: s.Fulcio.URL, Logs: logs(s.Rekor.URL), TimestampURLs: stampURLs(s.TSA.StampURL()), Format: sign.FormatBoth,
		HTTPClient: &http.Client{Transport: recorded}, Backoff: time.Millisecond,
	}
	inTiles := tiled(s, o)
	inTiles.Format = sign.FormatBundle
	withToken, withKey := o, o
	withToken.IdentityToken = sign.TokenSource{Given: token}.Token
	withKey.Key, withKey.Password = key, password
	inTiles.Key, inTiles.Password = key, password
	p := newPlace(t)
	var output bytes.Buffer
	for _, o := range []sign.Options{withToken, withKey, inTiles} {
		signer := open(t, o)
		signed, err := signer.SignAll(t.Context(), p.everything())
		must(t, err)
		writeAll(t, &output, signed)
		fmt.Fprintf(&output, "%v %+v %#v", signer, signed, o.Key)
	}
	output.Write(recorded.requests.Bytes())
	for _, err := range failures(t, s, p, token, withKey) {
		fmt.Fprintf(&output, "%v %+v\n", err, err)
		if hint, ok := err.(interface{ Hint() string }); ok {
			fmt.Fprintln(&output, hint.Hint())
		}
	}
	output.WriteString(printed())
	for _, secret := range secrets {
		for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))} {
			if i := strings.Index(output.String(), form); i >= 0 {
				t.Errorf("the secret %.10s… is in the output: …%s", secret, output.String()[max(0, i-80):i])
			}
		}
	}
}

// writeAll writes everything that would be published.
func writeAll(tb testing.TB, to io.Writer, s oci.Set) {
	tb.Helper()
	for _, img := range append(slices.Collect(maps.Values(s.Legacy)), s.Referrers...) {
		manifest, err := img.RawManifest()
		must(tb, err)
		config, err := img.RawConfigFile()
		must(tb, err)
		layers, err := img.Layers()
		must(tb, err)
		fmt.Fprintf(to, "%s %s\n", manifest, config)
		for _, l := range layers {
			content, err := l.Compressed()
			must(tb, err)
			_, err = io.Copy(to, content)
			must(tb, err)
		}
	}
}

// failures returns errors of services that repeat the request in the response.
func failures(tb testing.TB, s *signtest.Sigstore, p place, token string, o sign.Options) []error {
	tb.Helper()
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		w.WriteHeader(http.StatusBadRequest)
		text, _ := json.Marshal(map[string]any{"headers": req.Header, "body": string(body), "url": req.URL.String()})
		_, _ = w.Write(text)
	}))
	tb.Cleanup(echo.Close)
	address := strings.Replace(echo.URL, "http://", "http://user:"+url.QueryEscape(signtest.Password)+"@", 1)
	env := func(name string) string {
		return map[string]string{
			"ACTIONS_ID_TOKEN_REQUEST_URL": address + "/?secret=" + token, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request-a-token",
		}[name]
	}
	_, fromGitHub := sign.TokenSource{Getenv: env}.Token(tb.Context())
	_, fromFulcio := open(tb, sign.Options{
		IdentityToken: sign.TokenSource{Given: token}.Token, FulcioURL: address, Logs: logs(s.Rekor.URL),
	}).Sign(tb.Context(), p.subjects[0])
	o.Logs = logs(address)
	_, fromRekor := open(tb, o).Sign(tb.Context(), p.subjects[0])
	o.Logs[0].Version, o.Format = 2, sign.FormatBundle
	_, fromTiles := open(tb, o).Sign(tb.Context(), p.subjects[0])
	_, fromTUF := sign.FetchSigningConfig(tb.Context(), sign.RootOptions{Cache: tb.TempDir(), Mirror: address + "/?secret=" + token, Anchor: []byte("{}")}, 0)
	unclear := token[:len(token)/2]
	_, notAToken := open(tb, sign.Options{
		IdentityToken: sign.TokenSource{Given: unclear}.Token, FulcioURL: address, Logs: logs(s.Rekor.URL),
	}).Sign(tb.Context(), p.subjects[0])
	text, err := os.ReadFile(o.Key)
	must(tb, err)
	_, noFile := sign.Open(sign.Options{Key: string(text)})
	_, noURL := sign.Open(sign.Options{Key: o.Key, Logs: logs("http://user:" + signtest.Password + "@localhost")})
	all := []error{noFile, noURL, fromGitHub, fromFulcio, fromRekor, fromTiles, fromTUF, notAToken}
	for i, err := range all {
		if err == nil {
			tb.Errorf("failure %d did not happen", i)
			all[i] = errors.New("none")
		}
	}
	return all
}

// capture returns a function that returns the output of the process.
func capture(tb testing.TB) func() string {
	tb.Helper()
	r, w, err := os.Pipe()
	must(tb, err)
	out, errs := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = w, w
	var text bytes.Buffer
	done := make(chan struct{})
	go func() { defer close(done); _, _ = io.Copy(&text, r) }()
	return func() string {
		os.Stdout, os.Stderr = out, errs
		must(tb, w.Close())
		<-done
		if strings.TrimSpace(text.String()) != "" {
			tb.Errorf("signing printed: %s", text.String())
		}
		return text.String()
	}
}

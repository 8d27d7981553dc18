package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/pgext/pgext/internal/oci"
)

// edited lets a function change the answers of a registry.
func edited(next http.Handler, edit func(*http.Request, *httptest.ResponseRecorder)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, req)
		edit(req, answer)
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// location changes where an upload goes on.
func location(edit func(*url.URL, *http.Request) string) http.Handler {
	return edited(Memory(), func(req *http.Request, answer *httptest.ResponseRecorder) {
		if at := answer.Header().Get("Location"); at != "" && strings.Contains(req.URL.Path, "/blobs/uploads") {
			u, err := url.Parse(at)
			if err != nil {
				panic(err)
			}
			answer.Header().Set("Location", edit(u, req))
		}
	})
}

// TestQuirks publishes in registries that do what registries are seen to do,
// and reads everything again.
func TestQuirks(t *testing.T) {
	for _, tc := range []struct {
		name    string
		handler http.Handler
	}{
		{"relative location", location(func(u *url.URL, _ *http.Request) string { return u.Path })},
		{"location beside the request", location(func(u *url.URL, req *http.Request) string {
			if strings.HasSuffix(req.URL.Path, "/uploads/") {
				return u.Path[strings.LastIndex(u.Path, "/")+1:]
			}
			return u.Path
		})},
		{"absolute location", location(func(u *url.URL, req *http.Request) string { return "http://" + req.Host + u.Path })},
		{"location with a query", location(func(u *url.URL, _ *http.Request) string { return u.Path + "?_state=a%2Fb%3D&x=" })},
		{"no digest is told", edited(Memory(), func(_ *http.Request, answer *httptest.ResponseRecorder) {
			answer.Header().Del("Docker-Content-Digest")
		})},
		{"no size is told", edited(Memory(), func(req *http.Request, answer *httptest.ResponseRecorder) {
			if req.Method == http.MethodHead && strings.Contains(req.URL.Path, "/blobs/") {
				answer.Header().Del("Content-Length")
			}
		})},
		{"a page instead of referrers", edited(Memory(), func(req *http.Request, answer *httptest.ResponseRecorder) {
			if strings.Contains(req.URL.Path, "/referrers/") {
				answer.Header().Set("Content-Type", "text/html")
				answer.Header().Del("Content-Length")
			}
		})},
	} {
		t.Run(tc.name, func(t *testing.T) {
			goesThrough(t, quick(), serve(t, tc.handler)+"/a/b")
		})
	}
}

// goesThrough publishes twice and reads it again.
func goesThrough(t *testing.T, c *Client, repo string) {
	t.Helper()
	p := publication(t, "a")
	digest, err := c.Push(t.Context(), repo, p)
	if err != nil {
		t.Fatalf("Push() = %v", err)
	}
	if _, err := c.Push(t.Context(), repo, p); err != nil {
		t.Fatalf("the second Push() = %v", err)
	}
	got, err := c.Collect(t.Context(), repo+":1-18-trixie")
	if err != nil || got.Digest != digest || len(got.Referrers) != len(p.Referrers)+1 || len(got.Legacy) != len(p.Legacy) {
		t.Fatalf("Collect() = %v with %d referrers and %d of evidence, %v; want %v with %d and %d", got.Digest, len(got.Referrers), len(got.Legacy), err, digest, len(p.Referrers)+1, len(p.Legacy))
	}
	img := got.Referrers[0]
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	r, err := layers[0].Compressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	if tags, err := c.Tags(t.Context(), repo); err != nil || len(tags) < 2 {
		t.Fatalf("Tags() = %v, %v", tags, err)
	}
	if _, err := c.Resolve(t.Context(), repo+":1-18-trixie"); err != nil {
		t.Fatalf("Resolve() = %v", err)
	}
}

// mine is a Keychain with one password for all.
type mine struct{}

func (mine) Resolve(authn.Resource) (authn.Authenticator, error) {
	return &authn.Basic{Username: "me", Password: "hunter2"}, nil
}

// guarded wants the password.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if user, password, _ := req.BasicAuth(); user != "me" || password != "hunter2" {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, req)
	})
}

// tokens guards a registry with tokens of a scope that last for some requests.
func tokens(next http.Handler, lasts int64) http.Handler {
	var mu sync.Mutex
	left := map[string]int64{}
	scopes := map[string]string{}
	n := 0
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/token" {
			if user, password, _ := req.BasicAuth(); user != "me" || password != "hunter2" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			mu.Lock()
			n++
			token := fmt.Sprint("t", n)
			left[token], scopes[token] = lasts, strings.Join(req.URL.Query()["scope"], " ")
			mu.Unlock()
			fmt.Fprintf(w, `{"token":%q,"expires_in":1}`, token)
			return
		}
		token := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
		mu.Lock()
		left[token]--
		ok := left[token] >= 0 && strings.Contains(scopes[token], "repository:a/b:")
		if req.Method != http.MethodGet && req.Method != http.MethodHead {
			ok = ok && strings.Contains(scopes[token], "push")
		}
		mu.Unlock()
		if !ok {
			scheme := "http"
			if req.TLS != nil {
				scheme = "https"
			}
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s://%s/token",service="x",scope="repository:a/b:pull,push"`, scheme, req.Host))
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, req)
	})
}

func TestTokens(t *testing.T) {
	for _, lasts := range []int64{5, 1 << 30} {
		t.Run(fmt.Sprint(lasts), func(t *testing.T) {
			c := New(Options{Jobs: 1, Backoff: time.Millisecond, Keychain: mine{}}) // concurrent requests would use up a token of 5
			goesThrough(t, c, serve(t, tokens(Memory(), lasts))+"/a/b")
		})
	}
}

// TestTLS publishes in registries on loopback that speak TLS.
func TestTLS(t *testing.T) {
	for _, tc := range []struct {
		name    string
		handler http.Handler
	}{
		{"for all", Memory()},
		{"with a password", guarded(Memory())},
		{"with tokens", tokens(Memory(), 1<<30)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := httptest.NewTLSServer(tc.handler)
			defer server.Close()
			c := New(Options{Backoff: time.Millisecond, Keychain: mine{}, Transport: server.Client().Transport})
			goesThrough(t, c, strings.TrimPrefix(server.URL, "https://")+"/a/b")
		})
	}
}

// plainAt takes every host for the server at url, which does not speak TLS.
func plainAt(url string) http.RoundTripper {
	return &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, strings.TrimPrefix(url, "http://"))
		},
		DialTLSContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, tls.RecordHeaderError{Msg: "no TLS"}
		},
	}
}

// TestPlain: without TLS no credentials are sent to another machine.
func TestPlain(t *testing.T) {
	var secrets atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") != "" {
			secrets.Add(1)
		}
		guarded(Memory()).ServeHTTP(w, req)
	}))
	defer server.Close()
	const certificate = "give the registry a certificate (SSL_CERT_FILE names a file with its authority) or use one on loopback; if it needs no password: docker logout "
	for host, hint := range map[string]string{"10.1.2.3:5000": certificate + "10.1.2.3:5000", "192.168.1.1": certificate + "192.168.1.1", "registry.local:5000": "", "registry.example.com": ""} {
		c := New(Options{Backoff: time.Millisecond, Attempts: 1, Keychain: mine{}, Transport: plainAt(server.URL)})
		_, err := c.Collect(t.Context(), host+"/a/b:x")
		checkError(t, err, hint)
	}
	if secrets.Load() > 0 {
		t.Errorf("the password was sent %d times", secrets.Load())
	}
}

// TestPlainPasswordForNothing: whether a registry wants the password that is
// there for it is not known, and not claimed.
func TestPlainPasswordForNothing(t *testing.T) {
	server := httptest.NewServer(Memory())
	defer server.Close()
	c := New(Options{Backoff: time.Millisecond, Attempts: 1, Keychain: mine{}, Transport: plainAt(server.URL)})
	_, err := c.Push(t.Context(), "10.1.2.3:5000/a/b", publication(t, "a"))
	checkError(t, err, hintOf(plainError("10.1.2.3:5000")))
	if want := "10.1.2.3:5000 does not use TLS"; !strings.Contains(err.Error(), want) {
		t.Errorf("Push() = %v, want %q", err, want)
	}
}

// anonymous is a Keychain without passwords.
type anonymous struct{}

func (anonymous) Resolve(authn.Resource) (authn.Authenticator, error) { return authn.Anonymous, nil }

// TestPlainForAll: tokens that everybody gets are no secret.
func TestPlainForAll(t *testing.T) {
	guard := tokens(Memory(), 1<<30)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/token" {
			req.SetBasicAuth("me", "hunter2")
		}
		guard.ServeHTTP(w, req)
	}))
	defer server.Close()
	for keychain, works := range map[authn.Keychain]bool{anonymous{}: true, mine{}: false} {
		c := New(Options{Backoff: time.Millisecond, Attempts: 1, Keychain: keychain, Transport: plainAt(server.URL)})
		if works {
			goesThrough(t, c, "10.1.2.3:5000/a/b")
			continue
		}
		_, err := c.Collect(t.Context(), "10.1.2.3:5000/a/b:x")
		checkError(t, err, hintOf(plainError("10.1.2.3:5000")))
	}
}

// TestRedirectsTellNothing: blobs are kept elsewhere.
func TestRedirectsTellNothing(t *testing.T) {
	memory := Memory()
	var received atomic.Int64
	store := serve(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") != "" {
			received.Add(1)
		}
		memory.ServeHTTP(w, req)
	}))
	for name, guard := range map[string]func(http.Handler) http.Handler{
		"password": guarded, "tokens": func(h http.Handler) http.Handler { return tokens(h, 1<<30) },
	} {
		t.Run(name, func(t *testing.T) {
			host := serve(t, guard(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if req.Method == http.MethodGet && (strings.Contains(req.URL.Path, "/blobs/") || strings.Contains(req.URL.Path, "/manifests/sha256:")) {
					http.Redirect(w, req, "http://"+strings.Replace(store, "127.0.0.1", "localhost", 1)+req.URL.Path, http.StatusTemporaryRedirect)
					return
				}
				memory.ServeHTTP(w, req)
			})))
			goesThrough(t, New(Options{Backoff: time.Millisecond, Keychain: mine{}}), host+"/a/b")
			if received.Load() > 0 {
				t.Errorf("the store received secrets %d times", received.Load())
			}
		})
	}
}

// TestAmbiguousManifest: a manifest that another program could read as another
// image is refused.
func TestAmbiguousManifest(t *testing.T) {
	host := serve(t, Memory())
	p := publication(t, "a")
	if _, err := quick().Push(t.Context(), host+"/a/b", p); err != nil {
		t.Fatal(err)
	}
	raw, err := p.Index.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	text, both := string(raw), `{"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:`+strings.Repeat("0", 64)+`","size":2},"layers":[],`
	for name, tc := range map[string]struct{ text, want string }{
		"image and index": {both + text[1:], "both an image manifest and an index"},
		"only layers":     {`{"layers":[],` + text[1:], "both an image manifest and an index"},
		"without a type":  {both + strings.Replace(text, `"mediaType":"application/vnd.oci.image.index.v1+json",`, "", 1)[1:], "both an image manifest and an index"},
		"another size":    {strings.Replace(text, `"size":`, `"size":1`, 1), "size mismatch: got "},
	} {
		put(t, host+"/a/b", "x", tc.text)
		if _, err := quick().Collect(t.Context(), host+"/a/b:x"); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: Collect() = %v, want %q", name, err, tc.want)
		}
	}
}

// TestCredentialsFail: the error for a missing credential helper has a hint.
func TestCredentialsFail(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	if err := os.WriteFile(filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), []byte(`{"credsStore":"no-such-thing"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := quick().Collect(t.Context(), serve(t, Memory())+"/a/b:x")
	checkError(t, err, hintOf(credentialsError(errors.New("x"))))
	if !strings.Contains(err.Error(), "reading credentials: ") || !strings.Contains(err.Error(), "docker-credential-no-such-thing") {
		t.Errorf("Collect() = %v", err)
	}
}

// TestRefusedManifests: where a registry finds fault with what a tag is to name,
// the tag could move.
func TestRefusedManifests(t *testing.T) {
	for code, fixed := range map[string]bool{"TAG_INVALID": true, "MANIFEST_INVALID": false, "MANIFEST_BLOB_UNKNOWN": false} {
		var refuses atomic.Bool
		next := plain()
		host := serve(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if refuses.Load() && req.Method == http.MethodPut && strings.Contains(req.URL.Path, "/manifests/sha256-") {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprintf(w, `{"errors":[{"code":%q,"message":"no"}]}`, code)
				return
			}
			next.ServeHTTP(w, req)
		}))
		p := publication(t, "a")
		goesThrough(t, quick(), host+"/a/b")
		refuses.Store(true)
		p.Referrers = append(p.Referrers, newReferrer(t, p.Index, "application/vnd.example.more"))
		_, err := quick().Push(t.Context(), host+"/a/b", p)
		if err == nil || strings.Contains(err.Error(), "refuses to move the tag") != fixed {
			t.Errorf("%s: Push() = %v", code, err)
		}
	}
}

// TestFixedTags: a registry with immutable tags accepts an image once; the hint for
// another push names the rule to change.
func TestFixedTags(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusConflict, http.StatusPreconditionFailed} {
		next := plain()
		host := serve(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if tag := path.Base(req.URL.Path); req.Method == http.MethodPut && strings.Contains(req.URL.Path, "/manifests/") && !strings.Contains(tag, ":") {
				known := httptest.NewRecorder()
				next.ServeHTTP(known, httptest.NewRequest(http.MethodHead, req.URL.Path, http.NoBody))
				if known.Code == http.StatusOK {
					w.WriteHeader(status)
					return
				}
			}
			next.ServeHTTP(w, req)
		}))
		p := publication(t, "a")
		goesThrough(t, quick(), host+"/a/b")
		p.Referrers = append(p.Referrers, newReferrer(t, p.Index, "application/vnd.example.more"))
		_, err := quick().Push(t.Context(), host+"/a/b", p)
		checkError(t, err, hintOf(fixedError(oci.FallbackTag(digestOf(t, p.Index)), errors.New("x"))))
		other := publication(t, "b")
		other.Immutable = nil
		_, err = quick().Push(t.Context(), host+"/a/b", other)
		checkError(t, err, hintOf(fixedError("1-18-trixie", errors.New("x"))))
	}
}

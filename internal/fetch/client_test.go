package fetch_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/fetch"
)

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// withUser puts user and password into a URL.
func withUser(t *testing.T, raw string, user *url.Userinfo) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	u.User = user
	return u.String()
}

func wantUser(user, password string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if u, p, ok := r.BasicAuth(); !ok || u != user || p != password {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}

func TestCredentials(t *testing.T) {
	srv := serve(t, wantUser("alice", "s3cret", good))
	host := strings.Split(strings.TrimPrefix(srv.URL, "http://"), ":")[0]
	for _, tt := range []struct {
		name  string
		user  *url.Userinfo
		netrc string
		ok    bool
	}{
		{name: "none"},
		{name: "in the URL", user: url.UserPassword("alice", "s3cret"), ok: true},
		{name: "in netrc", netrc: "machine " + host + " login alice password s3cret", ok: true},
		{name: "default in netrc", netrc: "machine example.org login bob password x default login alice password s3cret", ok: true},
		{name: "user in the URL, password in netrc", user: url.User("alice"), netrc: "machine " + host + " login bob password x\nmachine " + host + " login alice password s3cret", ok: true},
		{name: "another host's in netrc", netrc: "machine example.org login alice password s3cret"},
		{name: "the URL is first", user: url.UserPassword("alice", "wrong"), netrc: "machine " + host + " login alice password s3cret"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSetup(t, fetch.Options{})
			netrc := filepath.Join(t.TempDir(), "netrc")
			writeFile(t, netrc, tt.netrc)
			t.Setenv("NETRC", netrc)
			b := blob(withUser(t, srv.URL, tt.user))
			if tt.ok {
				s.wantPayload(t, b)
				return
			}
			_, err := s.Blob(t.Context(), b)
			var hinter interface{ Hint() string }
			if err == nil || !strings.Contains(err.Error(), "401 Unauthorized") {
				t.Errorf("err = %v", err)
			} else if !errors.As(err, &hinter) || !strings.Contains(hinter.Hint(), "netrc") {
				t.Errorf("no hint for %v", err)
			}
		})
	}
}

func TestRedirects(t *testing.T) {
	var seen []string
	note := func(name string, next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			user, _, _ := r.BasicAuth()
			seen = append(seen, fmt.Sprintf("%s user=%s referer=%s", name, user, r.Header.Get("Referer")))
			next(w, r)
		}
	}
	elsewhere := serve(t, note("elsewhere", good))
	home := serve(t,
		note("first", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/second?token=x", http.StatusFound) }),
		note("second", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}))
	s := newSetup(t, fetch.Options{})
	netrc := filepath.Join(t.TempDir(), "netrc")
	writeFile(t, netrc, "default login other password other")
	t.Setenv("NETRC", netrc)
	s.wantPayload(t, blob(withUser(t, home.URL, url.UserPassword("alice", "s3cret"))))
	want := []string{"first user=alice referer=", "second user=alice referer=", "elsewhere user= referer="}
	if diff := cmp.Diff(seen, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

func TestRefusedRedirects(t *testing.T) {
	plain := serve(t, good)
	secure := httptest.NewTLSServer(http.RedirectHandler(withUser(t, plain.URL, url.UserPassword("u", "s3cret"))+"/x?s3cret", http.StatusFound))
	defer secure.Close()
	var loop *server
	loop = serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, loop.URL, http.StatusFound) })
	file := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "file:///etc/passwd")
		w.WriteHeader(http.StatusFound)
	})
	for _, tt := range []struct{ name, url, want string }{
		{"https to http", secure.URL, "redirected from https to " + plain.URL + "/x?…"},
		{"loop", loop.URL, "more than 10 redirects"},
		{"file", file.URL, "redirected from http to file:///etc/passwd"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSetup(t, fetch.Options{Client: secure.Client()})
			_, err := s.Blob(t.Context(), blob(tt.url))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("err = %v, want %q", err, tt.want)
			}
			if len(s.waits) != 0 {
				t.Error("tried again")
			}
		})
	}
	plain.wantRequests(t, 0)
}

// Wherever a download ends, no trace of the credentials stays.
func TestNoSecretIsShown(t *testing.T) {
	const secret = "s3cret"
	wrong := append([]byte("x"), payload[1:]...)
	for name, handler := range map[string]http.HandlerFunc{
		"refused": status(401), "gone": status(404), "broken": status(500), "reset": reset(5), "wrong": bytesOf(wrong), "good": good,
		"redirected": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "ftp://"+r.Host, http.StatusFound) },
	} {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, handler)
			var log strings.Builder
			s := newSetup(t, fetch.Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
			raw := withUser(t, srv.URL, url.UserPassword("alice-"+secret, secret)) + "/x?token=" + secret
			_, err := s.Blob(t.Context(), blob(raw, raw))
			_, errDocument := s.Document(t.Context(), fetch.Document{URL: raw})
			if text := fmt.Sprint(err, errDocument, log.String()); strings.Contains(text, secret) {
				t.Errorf("shown in %s", text)
			}
			srv.Close()
			_, err = s.Blob(t.Context(), fetch.Blob{URLs: []string{raw}, SHA256: sum256(nil), Size: -1})
			if text := fmt.Sprint(err, log.String()); strings.Contains(text, secret) || err == nil {
				t.Errorf("shown in %s", text)
			}
			wantNoFileWith(t, s.cache.Dir(), secret)
		})
	}
}

func wantNoFileWith(t *testing.T, dir, secret string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		if strings.Contains(p+string(b), secret) {
			t.Errorf("kept in %s", p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestUntrustedCertificate(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(good))
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	defer srv.Close()
	s := newSetup(t, fetch.Options{})
	_, err := s.Blob(t.Context(), blob(srv.URL))
	var hinter interface{ Hint() string }
	if !errors.As(err, &hinter) || !strings.Contains(hinter.Hint(), "SSL_CERT_FILE") || len(s.waits) != 0 {
		t.Errorf("err = %v after %d retries", err, len(s.waits))
	}
}

// What net/http reads once a process, and what two processes do to one cache, is
// tested in processes of their own: the test binary run again.
const childEnv = "PGEXT_TEST_CHILD"

func TestMain(m *testing.M) {
	if url := os.Getenv(childEnv); url != "" {
		if err := childFetch(os.Args[1], url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func childFetch(dir, url string) error {
	c, err := cache.Open(dir)
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	_, err = fetch.New(c, fetch.Options{Attempts: 1}).Blob(ctx, blob(url))
	return err
}

// child runs a fetch of the payload from url into dir.
func child(t *testing.T, dir, url string, env ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, dir)
	cmd.Env = append(os.Environ(), childEnv+"="+url)
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

func TestProxy(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got, want := r.URL.String(), "http://archive.invalid/payload"; got != want {
			t.Errorf("the proxy was asked for %s, want %s", got, want)
		}
		if got, want := r.Header.Get("Proxy-Authorization"), "Basic dTpzM2NyZXQ="; got != want {
			t.Errorf("Proxy-Authorization %q, want %q", got, want)
		}
		good(w, r)
	})
	proxy := "HTTP_PROXY=" + withUser(t, srv.URL, url.UserPassword("u", "s3cret"))
	if out, err := child(t, t.TempDir(), "http://archive.invalid/payload", proxy, "http_proxy=", "NO_PROXY=").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	srv.wantRequests(t, 1)
	out, err := child(t, t.TempDir(), "http://archive.invalid/payload", proxy, "http_proxy=", "NO_PROXY=.invalid").CombinedOutput()
	if err == nil {
		t.Errorf("NO_PROXY is not honoured: %s", out)
	}
	srv.wantRequests(t, 1)
	out, err = child(t, t.TempDir(), "http://archive.invalid/payload", "HTTP_PROXY=http://u:s3cret@ho st", "http_proxy=", "NO_PROXY=").CombinedOutput()
	if err == nil || strings.Contains(string(out), "s3cret") {
		t.Errorf("a proxy that is no URL: %v, %s", err, out)
	}
}

func TestCertificateFile(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(good))
	defer srv.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	writeFile(t, file, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})))
	if out, err := child(t, t.TempDir(), srv.URL, "SSL_CERT_FILE="+file).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestTwoProcesses(t *testing.T) {
	s := newSetup(t, fetch.Options{})
	srv := serve(t, good)
	var running []*exec.Cmd
	for range 4 {
		cmd := child(t, s.cache.Dir(), srv.URL)
		cmd.Stderr = t.Output()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		running = append(running, cmd)
	}
	for _, cmd := range running {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	s.wantFiles(t, 1)
	asked := srv.n.Load()
	s.wantPayload(t, blob(srv.URL))
	srv.wantRequests(t, asked)
}

func TestInterruptedProcessLeavesNothing(t *testing.T) {
	s := newSetup(t, fetch.Options{})
	entered := make(chan struct{})
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		stall(100_000)(w, r)
	})
	cmd := child(t, s.cache.Dir(), srv.URL)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-entered
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the child succeeded")
	}
	s.wantFiles(t, 0)
}

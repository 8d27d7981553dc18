package fetch_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/cache/cachetest"
	"github.com/pgext/pgext/internal/fetch"
)

var payload = bytes.Repeat([]byte("0123456789abcdef"), 50_000)

func sum256(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func sum512(b []byte) string {
	s := sha512.Sum512(b)
	return hex.EncodeToString(s[:])
}

// blob wants payload from the URLs.
func blob(urls ...string) fetch.Blob {
	return fetch.Blob{Name: "payload", URLs: urls, SHA256: sum256(payload), Size: int64(len(payload))}
}

// setup is a Fetcher over a new cache that notes the waits instead of waiting.
type setup struct {
	*fetch.Fetcher
	cache *cache.Cache

	mu    sync.Mutex
	waits []time.Duration
}

func newSetup(t *testing.T, o fetch.Options) *setup {
	t.Helper()
	t.Setenv("NETRC", os.DevNull)
	c := cachetest.Open(t)
	s := &setup{cache: c}
	if o.Sleep == nil {
		o.Sleep = func(ctx context.Context, d time.Duration) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.waits = append(s.waits, d)
			return ctx.Err()
		}
	}
	s.Fetcher = fetch.New(c, o)
	return s
}

// wantPayload fetches b and checks what the cache has then.
func (s *setup) wantPayload(t *testing.T, b fetch.Blob) {
	t.Helper()
	sha, err := s.Blob(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if sha != sum256(payload) {
		t.Errorf("got digest %s", sha)
	}
	f, err := s.cache.Open(sha)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := io.ReadAll(f)
	if err != nil || !bytes.Equal(got, payload) {
		t.Errorf("cache has %d bytes, %v", len(got), err)
	}
}

// wantFiles counts the files below the cache directory.
func (s *setup) wantFiles(t *testing.T, want int) {
	t.Helper()
	var got []string
	err := filepath.WalkDir(s.cache.Dir(), func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			got = append(got, p)
		}
		return err
	})
	if err != nil || len(got) != want {
		t.Errorf("the cache holds %v, %v; want %d files", got, err, want)
	}
}

// server answers the nth request, from 1, with the nth handler, then with the
// last one, and counts.
type server struct {
	*httptest.Server
	n atomic.Int32
}

func serve(t *testing.T, handlers ...http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(s.n.Add(1))
		handlers[min(n, len(handlers))-1](w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) wantRequests(t *testing.T, want int32) {
	t.Helper()
	if got := s.n.Load(); got != want {
		t.Errorf("%d requests, want %d", got, want)
	}
}

func good(w http.ResponseWriter, r *http.Request) {
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(payload))
}

func bytesOf(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.Write(b) }
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		http.Error(w, "no", code)
	}
}

// cut sends n bytes of the payload and then closes the connection.
func cut(n int) http.HandlerFunc { return abandon(n, func(*net.TCPConn) {}) }

// reset sends n bytes of the payload and then resets the connection, by which
// some of them may be lost.
func reset(n int) http.HandlerFunc {
	return abandon(n, func(conn *net.TCPConn) { conn.SetLinger(0) })
}

func abandon(n int, prepare func(*net.TCPConn)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, buf, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		fmt.Fprintf(buf, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(payload))
		buf.Write(payload[:n])
		buf.Flush()
		prepare(conn.(*net.TCPConn))
	}
}

// unframed sends b and closes, with nothing that tells its length.
func unframed(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, buf, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		buf.WriteString("HTTP/1.0 200 OK\r\n\r\n")
		buf.Write(b)
		buf.Flush()
	}
}

// stall sends n bytes and then nothing until the client is gone.
func stall(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Write(payload[:n])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
}

func TestBlob(t *testing.T) {
	s := newSetup(t, fetch.Options{UserAgent: "pgext/1.2.3"})
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("User-Agent"); got != "pgext/1.2.3" {
			t.Errorf("User-Agent %q", got)
		}
		if got := r.Header.Get("Accept-Encoding"); got != "identity" {
			t.Errorf("Accept-Encoding %q", got)
		}
		good(w, r)
	})
	for range 2 { // the second time it is there
		s.wantPayload(t, blob(srv.URL))
	}
	srv.wantRequests(t, 1)
	s.wantFiles(t, 1)
}

func TestBytesAreKeptAsStored(t *testing.T) {
	zipped := []byte("\x1f\x8b not really gzip")
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(zipped)
	})
	s := newSetup(t, fetch.Options{})
	if _, err := s.Blob(t.Context(), fetch.Blob{URLs: []string{srv.URL}, SHA256: sum256(zipped), Size: -1}); err != nil {
		t.Error(err)
	}
}

func TestDigests(t *testing.T) {
	right256, right512 := sum256(payload), sum512(payload)
	wrong256, wrong512 := sum256(nil), sum512(nil)
	for _, tt := range []struct {
		name           string
		sha256, sha512 string
		wrong          string // Kind of the mismatch, "" for none
	}{
		{name: "both right", sha256: right256, sha512: right512},
		{name: "only sha256", sha256: right256},
		{name: "only sha512", sha512: right512},
		{name: "sha256 wrong", sha256: wrong256, sha512: right512, wrong: "sha256"},
		{name: "sha512 wrong", sha256: right256, sha512: wrong512, wrong: "sha512"},
		{name: "only sha512, wrong", sha512: wrong512, wrong: "sha512"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := serve(t, good)
			s := newSetup(t, fetch.Options{})
			b := fetch.Blob{Name: "x", URLs: []string{srv.URL}, SHA256: tt.sha256, SHA512: tt.sha512, Size: -1}
			if tt.wrong == "" {
				s.wantPayload(t, b)
				s.wantPayload(t, b)
				srv.wantRequests(t, 1)
				return
			}
			_, err := s.Blob(t.Context(), b)
			var mismatch *fetch.MismatchError
			if !errors.As(err, &mismatch) || mismatch.Kind != tt.wrong || mismatch.ExitCode() != 13 {
				t.Errorf("err = %v, want a mismatch of %s", err, tt.wrong)
			}
			s.wantFiles(t, 0)
		})
	}
}

func TestUnusableBlob(t *testing.T) {
	s := newSetup(t, fetch.Options{})
	for _, tt := range []struct {
		name string
		blob fetch.Blob
		want string
	}{
		{"no digest", fetch.Blob{URLs: []string{"http://example.org/"}}, "no digest"},
		{"no hex", fetch.Blob{SHA256: strings.Repeat("x", 64)}, "not a digest"},
		{"short", fetch.Blob{SHA256: "abcd"}, "not a digest"},
		{"upper case", fetch.Blob{SHA512: strings.Repeat("AB", 64)}, "not a digest"},
		{"no URL", fetch.Blob{SHA256: sum256(nil)}, "no URL is known"},
		{"scheme", blob("ftp://example.org/x"), "scheme must be"},
		{"no host", blob("http:///x"), "names no host"},
		{"no URL at all", blob("http://u:secret@ho st/x"), "(unreadable URL)"},
		{"file elsewhere", blob("file://elsewhere/x"), "another host"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := s.Blob(t.Context(), tt.blob)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("err = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestSizes(t *testing.T) {
	size := int64(len(payload))
	for _, tt := range []struct {
		name          string
		handler       http.HandlerFunc
		size, maxSize int64
		want          string // part of the error, "" for none
		requests      int32
	}{
		{name: "known", handler: good, size: size, requests: 1},
		{name: "unknown", handler: good, size: -1, requests: 1},
		{name: "within the bound", handler: good, size: -1, maxSize: size, requests: 1},
		{name: "announced too long", handler: good, size: size - 1, want: "size mismatch", requests: 1},
		{name: "announced too short", handler: good, size: size + 1, want: "size mismatch", requests: 1},
		{name: "announced above the bound", handler: good, size: -1, maxSize: size - 1, want: "larger than", requests: 1},
		{name: "longer than announced by the index", handler: unframed(append(payload, 'x')), size: size, want: "size mismatch", requests: 1},
		{name: "longer than the bound", handler: unframed(payload), size: -1, maxSize: size - 1, want: "larger than", requests: 1},
		{name: "silently truncated", handler: unframed(payload[:1000]), size: size, want: "unexpected EOF after 1000 of", requests: 4},
		{name: "no length but right", handler: unframed(payload), size: size, requests: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := serve(t, tt.handler)
			s := newSetup(t, fetch.Options{})
			b := blob(srv.URL)
			b.Size, b.MaxSize = tt.size, tt.maxSize
			_, err := s.Blob(t.Context(), b)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("err = %v, want %q", err, tt.want)
			}
			srv.wantRequests(t, tt.requests)
			if tt.want != "" {
				s.wantFiles(t, 0)
			}
		})
	}
}

// An endless body must not be read to its end, which there is none.
func TestEndlessBody(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(payload); err != nil {
				return
			}
		}
	})
	s := newSetup(t, fetch.Options{})
	_, err := s.Blob(t.Context(), blob(srv.URL))
	var mismatch *fetch.MismatchError
	if !errors.As(err, &mismatch) || mismatch.Kind != "size" || mismatch.Size != int64(len(payload))+1 {
		t.Errorf("err = %v", err)
	}
}

func TestCachedWithAnotherSizeIsAMismatch(t *testing.T) {
	srv := serve(t, good)
	s := newSetup(t, fetch.Options{})
	s.wantPayload(t, blob(srv.URL))
	b := blob(srv.URL)
	b.Size++
	_, err := s.Blob(t.Context(), b)
	var mismatch *fetch.MismatchError
	if !errors.As(err, &mismatch) || mismatch.Source != "the cache" || !strings.Contains(mismatch.Hint(), "pgext lock") {
		t.Errorf("err = %v", err)
	}
}

func TestDamagedCopyIsFetchedAgain(t *testing.T) {
	srv := serve(t, good)
	s := newSetup(t, fetch.Options{})
	s.wantPayload(t, blob(srv.URL))
	sha := sum256(payload)
	path := filepath.Join(s.cache.Dir(), "v1", "blobs", "sha256", sha[:2], sha)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 5); err != nil {
		t.Fatal(err)
	}
	s.wantPayload(t, blob(srv.URL))
	srv.wantRequests(t, 2)
}

func TestProgress(t *testing.T) {
	srv := serve(t, good)
	var last fetch.Progress
	s := newSetup(t, fetch.Options{Progress: func(p fetch.Progress) {
		if p.Done < last.Done {
			t.Errorf("went back from %d to %d", last.Done, p.Done)
		}
		last = p
	}})
	s.wantPayload(t, blob(srv.URL))
	size := int64(len(payload))
	if want := (fetch.Progress{Name: "payload", Done: size, Total: size}); last != want {
		t.Errorf("got %+v, want %+v", last, want)
	}
}

func TestFileURLs(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a file%")
	if err := os.WriteFile(path, payload, 0o644); err != nil {
		t.Fatal(err)
	}
	there, gone := "file://"+dir+"/a%20file%25", "file://"+dir+"/gone"
	for _, offline := range []bool{false, true} {
		s := newSetup(t, fetch.Options{Offline: offline})
		s.wantPayload(t, blob(gone, there))
		if _, err := s.Blob(t.Context(), fetch.Blob{URLs: []string{"file://" + dir}, SHA256: sum256(nil), Size: -1}); err == nil {
			t.Error("a directory was fetched")
		}
	}
	_, err := newSetup(t, fetch.Options{}).Blob(t.Context(), blob(gone))
	var missing *fetch.NotFoundError
	if !errors.As(err, &missing) {
		t.Errorf("err = %v", err)
	}
}

// A cache that cannot be written to is no reason to ask another mirror.
func TestUnwritableCache(t *testing.T) {
	srv := serve(t, good)
	s := newSetup(t, fetch.Options{})
	if err := os.Mkdir(filepath.Join(s.cache.Dir(), "v1"), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(s.cache.Dir(), "v1", "tmp"), "in the way")
	_, err := s.Blob(t.Context(), blob(srv.URL, srv.URL))
	var unwritable *cache.WriteError
	if !errors.As(err, &unwritable) {
		t.Errorf("err = %v", err)
	}
	srv.wantRequests(t, 1)
	wantDocument(t, s.Fetcher, document(srv.URL), string(payload))
}

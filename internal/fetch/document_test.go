package fetch_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/pgext/pgext/internal/fetch"
)

func document(url string) fetch.Document { return fetch.Document{Name: "InRelease", URL: url} }

func wantDocument(t *testing.T, f *fetch.Fetcher, d fetch.Document, want string) {
	t.Helper()
	if got, err := f.Document(t.Context(), d); err != nil || string(got) != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestDocument(t *testing.T) {
	for _, validator := range []string{"ETag", "Last-Modified"} {
		t.Run(validator, func(t *testing.T) {
			value := map[string]string{"ETag": `W/"1"`, "Last-Modified": "Mon, 02 Nov 2026 10:00:00 GMT"}[validator]
			condition := map[string]string{"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}[validator]
			version := func(text, value string) http.HandlerFunc {
				return func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set(validator, value)
					if r.Header.Get(condition) == value {
						w.WriteHeader(http.StatusNotModified)
						return
					}
					w.Write([]byte(text))
				}
			}
			srv := serve(t, version("one", value), version("never sent", value), version("two", "other"))
			s := newSetup(t, fetch.Options{})
			d := document(srv.URL)
			wantDocument(t, s.Fetcher, d, "one")
			wantDocument(t, s.Fetcher, d, "one")
			wantDocument(t, s.Fetcher, d, "two")
			srv.wantRequests(t, 3)

			off := fetch.New(s.cache, fetch.Options{Offline: true})
			wantDocument(t, off, d, "two")
			srv.wantRequests(t, 3)
		})
	}
}

func TestDocumentThatIsGone(t *testing.T) {
	srv := serve(t, bytesOf([]byte("one")), status(404), bytesOf([]byte("back")))
	s := newSetup(t, fetch.Options{})
	off := fetch.New(s.cache, fetch.Options{Offline: true})
	d := document(srv.URL + "/InRelease")
	var offline *fetch.OfflineError
	if _, err := off.Document(t.Context(), d); !errors.As(err, &offline) {
		t.Errorf("never asked for: %v", err)
	}
	wantDocument(t, s.Fetcher, d, "one")
	for _, f := range []*fetch.Fetcher{s.Fetcher, off} { // the answer is remembered
		_, err := f.Document(t.Context(), d)
		var missing *fetch.NotFoundError
		if !errors.As(err, &missing) || !strings.Contains(err.Error(), "fetching InRelease: not found at "+srv.URL+"/InRelease") {
			t.Errorf("err = %v", err)
		}
	}
	wantDocument(t, s.Fetcher, d, "back")
	wantDocument(t, off, d, "back")
}

func TestDocumentErrors(t *testing.T) {
	for _, tt := range []struct {
		name     string
		handler  http.HandlerFunc
		want     string
		requests int32
	}{
		{"refused", status(403), "403 Forbidden", 1},
		{"broken", status(500), "500 Internal Server Error (attempt 4 of 4)", 4},
		{"announced too large", bytesOf(payload[:1001]), "larger than 1000 bytes", 1},
		{"too large", unframed(payload[:1001]), "larger than 1000 bytes", 1},
		{"unasked 304", status(304), "304 Not Modified", 1},
		{"unasked part", status(206), "206 Partial Content", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := serve(t, tt.handler)
			d := document(srv.URL)
			d.MaxSize = 1000
			_, err := newSetup(t, fetch.Options{}).Document(t.Context(), d)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want %q", err, tt.want)
			}
			srv.wantRequests(t, tt.requests)
		})
	}
}

func TestTruncatedDocument(t *testing.T) {
	srv := serve(t, cut(10), bytesOf([]byte("whole")))
	wantDocument(t, newSetup(t, fetch.Options{}).Fetcher, document(srv.URL), "whole")
	srv.wantRequests(t, 2)
}

// A copy that is there does not hide that the server cannot be asked.
func TestDocumentDoesNotHideFailure(t *testing.T) {
	srv := serve(t, bytesOf([]byte("one")), status(500))
	s := newSetup(t, fetch.Options{})
	wantDocument(t, s.Fetcher, document(srv.URL), "one")
	if got, err := s.Document(t.Context(), document(srv.URL)); err == nil {
		t.Errorf("got %q", got)
	}
}

func TestDocumentRevalidate(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(r.Header.Get("Cache-Control")))
	})
	s := newSetup(t, fetch.Options{})
	d := document(srv.URL)
	wantDocument(t, s.Fetcher, d, "")
	d.Revalidate = true
	wantDocument(t, s.Fetcher, d, "max-age=0")
}

func TestDocumentFromFile(t *testing.T) {
	dir := t.TempDir()
	d := document("file://" + dir + "/InRelease")
	s := newSetup(t, fetch.Options{Offline: true})
	var missing *fetch.NotFoundError
	if _, err := s.Document(t.Context(), d); !errors.As(err, &missing) {
		t.Errorf("err = %v", err)
	}
	writeFile(t, dir+"/InRelease", "one")
	wantDocument(t, s.Fetcher, d, "one")
	writeFile(t, dir+"/InRelease", "two")
	wantDocument(t, s.Fetcher, d, "two")
	s.wantFiles(t, 0)
}

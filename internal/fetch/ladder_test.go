package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/fetch"
)

func TestLadder(t *testing.T) {
	bad := slices.Clone(payload)
	bad[len(bad)-1] ^= 1
	for _, tt := range []struct {
		name  string
		rungs []http.HandlerFunc
		code  int    // exit code, 0 for success
		want  string // part of the error
		log   string // part of the log
		hint  string // part of the hint
	}{
		{name: "404, 410, there", rungs: []http.HandlerFunc{status(404), status(410), good}},
		{name: "403, there", rungs: []http.HandlerFunc{status(403), good}, log: "403 Forbidden"},
		{name: "500 for ever, there", rungs: []http.HandlerFunc{status(500), good}, log: "500 Internal Server Error (attempt 4 of 4)"},
		{name: "wrong bytes, there", rungs: []http.HandlerFunc{bytesOf(bad), good}, log: "sha256 mismatch: got"},
		{name: "all gone", rungs: []http.HandlerFunc{status(404), status(410)}, code: 12, want: "not found at http://", hint: "correct the URL or path"},
		{name: "gone, refused", rungs: []http.HandlerFunc{status(404), status(403)}, code: 1, want: "403 Forbidden", hint: "pgext lock RECIPE"},
		{name: "wrong bytes, gone", rungs: []http.HandlerFunc{bytesOf(bad), status(404)}, code: 13, want: "sha256 mismatch: got", hint: "not what the index or lock promises"},
		{name: "broken, wrong bytes", rungs: []http.HandlerFunc{status(501), bytesOf(bad)}, code: 13, want: "501 Not Implemented (attempt 4 of 4); http://", hint: "not what the index or lock promises"},
		{name: "no answer", rungs: []http.HandlerFunc{reset(0)}, code: 1, want: "(attempt 4 of 4)", hint: "is the network up"},
		{name: "no answer, twice", rungs: []http.HandlerFunc{reset(0), reset(0)}, code: 1, want: "(attempt 4 of 4)", hint: "is the network up"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log strings.Builder
			s := newSetup(t, fetch.Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))})
			var urls []string
			for _, rung := range tt.rungs {
				urls = append(urls, serve(t, rung).URL)
			}
			if tt.code == 0 {
				s.wantPayload(t, blob(urls...))
			} else {
				_, err := s.Blob(t.Context(), blob(urls...))
				if err == nil || !strings.Contains(err.Error(), tt.want) || exitCode(err) != tt.code {
					t.Errorf("err = %v (exit %d), want %q (exit %d)", err, exitCode(err), tt.want, tt.code)
				}
				s.wantFiles(t, 0)
				var h interface{ Hint() string }
				if tt.hint != "" && (!errors.As(err, &h) || !strings.Contains(h.Hint(), tt.hint)) {
					t.Errorf("no hint of %q: %v", tt.hint, err)
				}
			}
			if !strings.Contains(log.String(), tt.log) || tt.log == "" && tt.code == 0 && log.Len() > 0 {
				t.Errorf("log = %q, want %q", &log, tt.log)
			}
		})
	}
}

func exitCode(err error) int {
	var coder interface{ ExitCode() int }
	if errors.As(err, &coder) {
		return coder.ExitCode()
	}
	return 1
}

func TestRetries(t *testing.T) {
	for _, tt := range []struct {
		name     string
		handlers []http.HandlerFunc
		requests int32
		want     string // part of the error, "" for success
	}{
		{name: "500 twice", handlers: []http.HandlerFunc{status(500), status(503), good}, requests: 3},
		{name: "429", handlers: []http.HandlerFunc{status(429, "Retry-After", "7"), good}, requests: 2},
		{name: "408", handlers: []http.HandlerFunc{status(408), good}, requests: 2},
		{name: "502 for ever", handlers: []http.HandlerFunc{status(502)}, requests: 4, want: "502 Bad Gateway (attempt 4 of 4)"},
		{name: "400", handlers: []http.HandlerFunc{status(400)}, requests: 1, want: "400 Bad Request"},
		{name: "reset before the headers", handlers: []http.HandlerFunc{reset(0), good}, requests: 2},
		{name: "reset in the middle", handlers: []http.HandlerFunc{reset(300_000), good}, requests: 2},
		{name: "truncated", handlers: []http.HandlerFunc{cut(300_000), good}, requests: 2},
		{name: "reset for ever", handlers: []http.HandlerFunc{reset(1)}, requests: 4, want: "attempt 4 of 4"},
		{name: "unasked part", handlers: []http.HandlerFunc{status(206), good}, requests: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := serve(t, tt.handlers...)
			s := newSetup(t, fetch.Options{})
			if tt.want == "" {
				s.wantPayload(t, blob(srv.URL))
				s.wantFiles(t, 1)
			} else {
				_, err := s.Blob(t.Context(), blob(srv.URL))
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("err = %v, want %q", err, tt.want)
				}
				s.wantFiles(t, 0)
			}
			srv.wantRequests(t, tt.requests)
			if got, want := len(s.waits), int(tt.requests)-1; got != want {
				t.Errorf("waited %d times, want %d", got, want)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	for _, tt := range []struct {
		value    string
		min, max time.Duration
	}{
		{"7", 7 * time.Second, 7 * time.Second},
		{"86400", time.Minute, time.Minute},
		{time.Now().Add(time.Hour).UTC().Format(http.TimeFormat), time.Minute, time.Minute},
		{"soon", 250 * time.Millisecond, 500 * time.Millisecond},
		{"", 250 * time.Millisecond, 500 * time.Millisecond},
	} {
		s := newSetup(t, fetch.Options{})
		s.wantPayload(t, blob(serve(t, status(503, "Retry-After", tt.value), good).URL))
		if got := s.waits[0]; got < tt.min || got > tt.max {
			t.Errorf("Retry-After %q: waited %v", tt.value, got)
		}
	}
}

func TestResume(t *testing.T) {
	half := 300_000
	other := append(slices.Clone(payload[half:len(payload)-1]), 'X')
	for _, tt := range []struct {
		name   string
		second http.HandlerFunc // answers the request for the rest
		ranges []string         // of the requests
	}{
		{"continued", good, []string{"", "bytes=300000-"}},
		{"not supported", bytesOf(payload), []string{"", "bytes=300000-"}},
		{"not satisfiable", status(416), []string{"", "bytes=300000-", ""}},
		{"another range", status(206, "Content-Range", "bytes 5-9/10"), []string{"", "bytes=300000-", ""}},
		{"other bytes", part(half, other), []string{"", "bytes=300000-", ""}},
		{"other length", part(half, []byte("short")), []string{"", "bytes=300000-", ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var ranges []string
			note := func(next http.HandlerFunc) http.HandlerFunc {
				return func(w http.ResponseWriter, r *http.Request) {
					ranges = append(ranges, r.Header.Get("Range"))
					next(w, r)
				}
			}
			srv := serve(t, note(cut(half)), note(tt.second), note(good))
			s := newSetup(t, fetch.Options{})
			s.wantPayload(t, blob(srv.URL))
			if diff := cmp.Diff(ranges, tt.ranges); diff != "" {
				t.Errorf("ranges (-got +want):\n%s", diff)
			}
			s.wantFiles(t, 1)
		})
	}
}

func part(start int, b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, start+len(b)-1, start+len(b)))
		w.WriteHeader(http.StatusPartialContent)
		w.Write(b)
	}
}

func TestStalledBody(t *testing.T) {
	for _, n := range []int{0, 1000} {
		srv := serve(t, stall(n), good)
		s := newSetup(t, fetch.Options{IdleTimeout: 400 * time.Millisecond})
		s.wantPayload(t, blob(srv.URL))
		srv.wantRequests(t, 2)
	}
	s := newSetup(t, fetch.Options{IdleTimeout: 50 * time.Millisecond, Attempts: 1})
	_, err := s.Blob(t.Context(), blob(serve(t, stall(1)).URL))
	if err == nil || !strings.Contains(err.Error(), "no data for 50ms") {
		t.Errorf("err = %v", err)
	}
}

// A body that trickles is not stalled, however long it takes.
func TestSlowBody(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for b := range slices.Chunk(payload, len(payload)/10) {
			w.Write(b)
			w.(http.Flusher).Flush()
			time.Sleep(70 * time.Millisecond)
		}
	})
	s := newSetup(t, fetch.Options{IdleTimeout: 500 * time.Millisecond})
	s.wantPayload(t, blob(srv.URL))
	srv.wantRequests(t, 1)
}

func TestCancelledLeavesNothing(t *testing.T) {
	for _, handler := range []http.HandlerFunc{stall(0), stall(100_000), status(500)} {
		ctx, cancel := context.WithCancel(t.Context())
		srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
			time.AfterFunc(50*time.Millisecond, cancel)
			handler(w, r)
		})
		s := newSetup(t, fetch.Options{Sleep: func(ctx context.Context, _ time.Duration) error {
			<-ctx.Done()
			return ctx.Err()
		}})
		if _, err := s.Blob(ctx, blob(srv.URL, srv.URL)); !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v", err)
		}
		srv.wantRequests(t, 1)
		s.wantFiles(t, 0)
	}
}

func TestSameBlobIsFetchedOnce(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(50 * time.Millisecond)
		good(w, r)
	})
	s := newSetup(t, fetch.Options{})
	blobs := slices.Repeat([]fetch.Blob{blob(srv.URL)}, 8)
	got, err := s.Blobs(t.Context(), blobs)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, slices.Repeat([]string{sum256(payload)}, 8)); diff != "" {
		t.Error(diff)
	}
	srv.wantRequests(t, 1)
}

// Who waits for another's download must not fail because the other gave up, nor
// because the other knew no good URL.
func TestSharingIsNotContagious(t *testing.T) {
	entered := make(chan struct{}, 2)
	slow := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-r.Context().Done()
	}, good)
	gone := serve(t, func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		time.Sleep(50 * time.Millisecond)
		status(404)(w, r)
	})
	for _, leader := range []string{slow.URL, gone.URL} {
		s := newSetup(t, fetch.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := s.Blob(ctx, blob(leader)); err == nil {
				t.Error("the leader succeeded")
			}
		})
		<-entered
		time.AfterFunc(50*time.Millisecond, cancel)
		s.wantPayload(t, blob(slow.URL))
		wg.Wait()
	}
}

func TestBlobs(t *testing.T) {
	var running, most atomic.Int32
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		now := running.Add(1)
		defer running.Add(-1)
		for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
		}
		time.Sleep(5 * time.Millisecond)
		bytesOf([]byte(r.URL.Path))(w, r)
	})
	s := newSetup(t, fetch.Options{Jobs: 3})
	var blobs []fetch.Blob
	var want []string
	for i := range 30 {
		path := fmt.Sprintf("/%d", i)
		want = append(want, sum256([]byte(path)))
		blobs = append(blobs, fetch.Blob{Name: path, URLs: []string{srv.URL + path}, SHA256: want[i], Size: int64(len(path))})
	}
	var wg sync.WaitGroup
	for range 2 { // two callers share the limit
		wg.Go(func() {
			got, err := s.Blobs(t.Context(), blobs)
			if diff := cmp.Diff(got, want); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
	wg.Wait()
	if got := most.Load(); got != 3 {
		t.Errorf("%d downloads at a time, want 3", got)
	}
	srv.wantRequests(t, 30)
}

func TestBlobsCollectsWhatIsMissing(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/gone") {
			http.NotFound(w, r)
			return
		}
		good(w, r)
	})
	named := func(name string) fetch.Blob {
		return fetch.Blob{Name: name, URLs: []string{srv.URL + "/" + name}, SHA256: sum256([]byte(name)), Size: -1}
	}
	there := blob(srv.URL + "/there")
	blobs := []fetch.Blob{there, named("gone1"), there, named("gone2"), named("gone3")}

	_, err := newSetup(t, fetch.Options{}).Blobs(t.Context(), blobs)
	want := "fetching gone1: not found at " + srv.URL + "/gone1; nor gone2, gone3"
	if err == nil || err.Error() != want || exitCode(err) != 12 {
		t.Errorf("got %v, want %s", err, want)
	}

	_, err = newSetup(t, fetch.Options{Offline: true}).Blobs(t.Context(), blobs)
	want = "fetching payload: not in the cache, and working offline; nor gone1, payload, gone2, gone3"
	if err == nil || err.Error() != want || exitCode(err) != 12 {
		t.Errorf("got %v, want %s", err, want)
	}

	_, err = newSetup(t, fetch.Options{}).Blobs(t.Context(), []fetch.Blob{named("gone1"), named("wrong"), named("gone2")})
	if exitCode(err) != 13 {
		t.Errorf("got %v, want the mismatch", err)
	}
}

func TestOffline(t *testing.T) {
	srv := serve(t, good)
	s := newSetup(t, fetch.Options{})
	s.wantPayload(t, blob(srv.URL))
	off := fetch.New(s.cache, fetch.Options{Offline: true})
	if sha, err := off.Blob(t.Context(), blob(srv.URL)); err != nil || sha != sum256(payload) {
		t.Errorf("got %s, %v", sha, err)
	}
	b := blob(srv.URL)
	b.SHA256 = sum256(nil)
	_, err := off.Blob(t.Context(), b)
	var offline *fetch.OfflineError
	if !errors.As(err, &offline) || !strings.Contains(offline.Hint(), "--offline") {
		t.Errorf("err = %v", err)
	}
	srv.wantRequests(t, 1)
}

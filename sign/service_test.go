package sign_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/sign"
	"github.com/pgext/pgext/sign/signtest"
)

// faulty is a service with faults.
type faulty interface {
	Next(...signtest.Fault)
	Requests() int
}

// TestFaults retries after temporary faults, not after others, and accepts an existing
// log entry.
func TestFaults(t *testing.T) {
	const (
		busy    = signtest.Fault(http.StatusTooManyRequests)
		down    = signtest.Fault(http.StatusServiceUnavailable)
		bad     = signtest.Fault(http.StatusBadRequest)
		known   = signtest.Fault(http.StatusConflict)
		foreign = signtest.Fault(http.StatusUnauthorized)
		gone    = signtest.Fault(http.StatusNotFound)
	)
	s := signtest.New(t)
	fulcio := func(s *signtest.Sigstore) faulty { return s.Fulcio }
	rekor := func(s *signtest.Sigstore) faulty { return s.Rekor }
	stamps := func(s *signtest.Sigstore) faulty { return s.TSA }
	subject := newPlace(t).subjects[0]
	for _, tt := range []struct {
		name       string
		part       func(*signtest.Sigstore) faulty
		faults     []signtest.Fault
		requests   int
		want, hint string
	}{
		{"Fulcio is busy", fulcio, []signtest.Fault{busy, down, busy}, 4, "", ""},
		{"Fulcio closes the connection", fulcio, []signtest.Fault{signtest.Reset, signtest.Lost}, 3, "", ""},
		{"Fulcio is down", fulcio, []signtest.Fault{down, down, down, down, down}, 5, "Fulcio at URL: 503 Service Unavailable", "finish the work"},
		{"Fulcio does not know the issuer", fulcio, []signtest.Fault{foreign}, 1, "Fulcio at URL: 401 Unauthorized", "accepts tokens of this issuer"},
		{"not Fulcio", fulcio, []signtest.Fault{gone}, 1, "Fulcio at URL: 404 Not Found", "the address of Fulcio"},
		{"Rekor is busy", rekor, []signtest.Fault{busy, down}, 3, "", ""},
		{"Rekor closes the connection", rekor, []signtest.Fault{signtest.Reset}, 2, "", ""},
		{"Rekor's response is lost", rekor, []signtest.Fault{signtest.Lost}, 2, "", ""},
		{"Rekor has the entry", rekor, []signtest.Fault{known}, 1, "", ""},
		{"Rekor refuses the entry", rekor, []signtest.Fault{bad}, 1, "Rekor at URL: 400 Bad Request", ""},
		{"Rekor is down", rekor, []signtest.Fault{down, down, down, down, down}, 5, "Rekor at URL: 503 Service Unavailable", "finish the work"},
		{"the authority is busy", stamps, []signtest.Fault{busy, signtest.Reset}, 3, "", ""},
		{"the authority is down", stamps, []signtest.Fault{down, down, down, down, down}, 5, "timestamp authority at URL: 503", "finish the work"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			service := tt.part(s)
			before := service.Requests()
			service.Next(tt.faults...)
			_, err := open(t, identity(s, "me@example.org", sign.Options{
				Backoff: time.Millisecond, Logs: logs(s.Rekor.URL), TimestampURLs: stampURLs(s.TSA.StampURL()),
			})).Sign(t.Context(), subject)
			if got := service.Requests() - before; got != tt.requests {
				t.Errorf("%d requests, want %d", got, tt.requests)
			}
			checkService(t, err, tt.want, tt.hint)
		})
	}
}

// loopback matches the URL of a test service.
var loopback = regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+(/[a-z/0-9]*)?`)

// checkService checks the error text of a service, with URL instead of its address, and
// the hint. want "" means no error.
func checkService(t *testing.T, err error, want, hint string) {
	t.Helper()
	if want == "" {
		must(t, err)
		return
	}
	var failure *failure.Error
	if !errors.As(err, &failure) {
		t.Fatalf("got %v", err)
	}
	if got := loopback.ReplaceAllString(err.Error(), "URL"); !strings.Contains(got, want) || !strings.Contains(failure.Hint(), hint) {
		t.Errorf("got %q (hint %q), want %q (hint %q)", got, failure.Hint(), want, hint)
	}
}

// TestConnectionRefused retries once if the host refuses connections.
func TestConnectionRefused(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	o := identity(signtest.New(t), "me@example.org", sign.Options{Logs: logs(server.URL), Backoff: time.Millisecond})
	_, err := open(t, o).Sign(t.Context(), newPlace(t).subjects[0])
	var failure *failure.Error
	if !errors.As(err, &failure) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v", err)
	}
}

// TestInterrupted ends the pause of a Retry-After header, in seconds or as a date, when
// the context is done.
func TestInterrupted(t *testing.T) {
	subject := newPlace(t).subjects[0]
	for _, after := range []string{"3600", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", after)
			w.WriteHeader(http.StatusTooManyRequests)
		}))
		t.Cleanup(server.Close)
		signer := open(t, identity(signtest.New(t), "me@example.org", sign.Options{Logs: logs(server.URL), Backoff: time.Millisecond}))
		_, err := signer.PublicKey(t.Context())
		must(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if _, err := signer.Sign(ctx, subject); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Retry-After %s: got %v", after, err)
		}
	}
}

// TestInvalidResponses distinguishes invalid responses from error responses.
func TestInvalidResponses(t *testing.T) {
	s := signtest.New(t)
	subject := newPlace(t).subjects[0]
	me := identity(s, "me@example.org", sign.Options{})
	for _, tt := range []struct {
		name string
		set  func(*sign.Options, string)
		body string
		want string
	}{
		{"Fulcio: no JSON", setFulcio, "<html>", "reading the certificate"},
		{"Fulcio: no certificate", setFulcio, "{}", "no certificates"},
		{"Fulcio: another key's", setFulcio, chainOf(t, s), "the certificate is for another key"},
		{"Rekor: no JSON", setRekor, "<html>", "reading its response"},
		{"Rekor: nothing", setRekor, "{}", "incomplete log entry"},
		{"Rekor: not all", setRekor, `{"x":{"body":"e30="}}`, "incomplete log entry"},
		{"Rekor: another's", setRekor, entryOf(t, s), "another signature"},
		{"authority: no reply", setAuthority, "<html>", "reading its response"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := me
			tt.set(&o, respond(t, http.StatusCreated, tt.body))
			_, err := open(t, o).Sign(t.Context(), subject)
			var failure *failure.Error
			if !errors.As(err, &failure) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// respond returns the URL of a service with a fixed response.
func respond(tb testing.TB, status int, body string) string {
	tb.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	tb.Cleanup(server.Close)
	return server.URL
}

func setFulcio(o *sign.Options, url string)    { o.FulcioURL = url }
func setRekor(o *sign.Options, url string)     { o.Logs = logs(url) }
func setAuthority(o *sign.Options, url string) { o.TimestampURLs = stampURLs(url) }

// chainOf returns a response of Fulcio for another identity, entryOf one of Rekor for
// another signature.
func chainOf(tb testing.TB, s *signtest.Sigstore) string {
	tb.Helper()
	fulcio, _ := recordedResponses(tb, s)
	return fulcio
}

func entryOf(tb testing.TB, s *signtest.Sigstore) string {
	tb.Helper()
	_, rekor := recordedResponses(tb, s)
	return rekor
}

// recordedResponses signs a subject and returns the responses of the services.
func recordedResponses(tb testing.TB, s *signtest.Sigstore) (fulcio, rekor string) {
	tb.Helper()
	recorded := &recorder{next: http.DefaultTransport}
	_, err := open(tb, identity(s, "you@example.org", sign.Options{HTTPClient: &http.Client{Transport: recorded}})).Sign(tb.Context(), newPlace(tb).subjects[0])
	must(tb, err)
	return recorded.responses["/api/v2/signingCert"], recorded.responses["/api/v1/log/entries"]
}

// TestOneCertificate requests one certificate, and another one when it has expired.
func TestOneCertificate(t *testing.T) {
	s := signtest.New(t)
	now := time.Now()
	var tokens int
	signer := open(t, sign.Options{
		FulcioURL: s.Fulcio.URL, Logs: logs(s.Rekor.URL), Now: func() time.Time { return now },
		IdentityToken: func(context.Context) (string, error) { tokens++; return s.Issuer.Token("me@example.org"), nil },
	})
	p := newPlace(t)
	var got []int
	for _, later := range []time.Duration{0, time.Minute, 9*time.Minute + time.Second} {
		now = time.Now().Add(later)
		s.Fulcio.Shift(later)
		_, err := signer.SignAll(t.Context(), p.everything())
		must(t, err)
		got = append(got, s.Fulcio.Requests(), tokens)
	}
	if want := []int{1, 1, 1, 1, 2, 2}; !cmp.Equal(got, want) {
		t.Errorf("requests and tokens: %v, want %v", got, want)
	}
}

func TestAddressesAreURLs(t *testing.T) {
	key, _ := newKey(t)
	for _, o := range []sign.Options{
		{Key: key, Logs: logs("rekor.example.org")},
		{Key: key, TimestampURLs: stampURLs("ftp://example.org")},
		{FulcioURL: "https://", Logs: logs("https://rekor.example.org"), IdentityToken: sign.TokenSource{}.Token},
	} {
		var failure *failure.Error
		if _, err := sign.Open(o); !errors.As(err, &failure) || !strings.Contains(err.Error(), "not an http or https URL") {
			t.Errorf("%+v: got %v", o, err)
		}
	}
}

package sign_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/sign"
	"github.com/pgext/pgext/sign/signtest"
)

func TestFetchRoot(t *testing.T) {
	s := signtest.New(t)
	repository := signtest.NewTUF(t, s.TrustedRoot(t))
	o := sign.RootOptions{Cache: t.TempDir(), Mirror: repository.URL, Anchor: repository.Anchor}
	counts := func(t *testing.T, root *sign.Root, by *signtest.Sigstore) bool {
		t.Helper()
		m := certifiedMaker(t, by, identityA)
		trust := newTrust(t, sign.TrustOptions{Identities: []sign.Identity{{Subject: identityA, Issuer: by.Issuer.URL}}, Root: root})
		return len(trust.Verify(subjectA.Digest, attached(t, subjectA, m.signature(t, subjectA))).Signatures) == 1
	}
	t.Run("empty cache and offline", func(t *testing.T) {
		offline := o
		offline.Offline = true
		_, err := sign.FetchRoot(t.Context(), offline)
		var failure *failure.Error
		if !errors.As(err, &failure) || !strings.Contains(err.Error(), "downloads are disabled") || failure.Hint() == "" {
			t.Errorf("FetchRoot() = %v", err)
		}
	})
	t.Run("fetched", func(t *testing.T) {
		root, err := sign.FetchRoot(t.Context(), o)
		must(t, err)
		if !counts(t, root, s) {
			t.Error("the root does not verify signatures of its deployment")
		}
	})
	t.Run("cached and offline", func(t *testing.T) {
		offline := o
		offline.Offline, offline.Transport = true, refusing{t}
		root, err := sign.FetchRoot(t.Context(), offline)
		must(t, err)
		if !counts(t, root, s) {
			t.Error("the root does not verify signatures of its deployment")
		}
	})
	t.Run("replaced", func(t *testing.T) {
		other := signtest.New(t)
		repository.Publish(t, other.TrustedRoot(t), time.Now().Add(time.Hour))
		root, err := sign.FetchRoot(t.Context(), o)
		must(t, err)
		if counts(t, root, s) || !counts(t, root, other) {
			t.Error("the old root is used")
		}
	})
}

// TestMirrorInErrors requires the mirror without its password in errors, also if the
// password makes the URL invalid.
func TestMirrorInErrors(t *testing.T) {
	for mirror, want := range map[string]string{
		"http://me:p@hunter2@127.0.0.1:1/a":  "from http://127.0.0.1:1/a: ",
		"https://me:p/hunter2@127.0.0.1:1/a": "from (unreadable URL): invalid URL",
	} {
		_, err := sign.FetchRoot(t.Context(), sign.RootOptions{Cache: t.TempDir(), Mirror: mirror, Offline: true})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(fmt.Sprintf("%v %+v", err, err), "hunter2") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestMirrorWithPassword sends the password to the mirror and does not store it in file
// names of the cache.
func TestMirrorWithPassword(t *testing.T) {
	repository := signtest.NewTUF(t, signtest.New(t).TrustedRoot(t))
	recorded := &recorder{next: http.DefaultTransport}
	o := sign.RootOptions{
		Cache: t.TempDir(), Mirror: strings.Replace(repository.URL, "//", "//me:hunter2@", 1), Anchor: repository.Anchor, Transport: recorded,
	}
	_, err := sign.FetchRoot(t.Context(), o)
	must(t, err)
	if recorded.user != "me:hunter2" {
		t.Errorf("the mirror received %q", recorded.user)
	}
	must(t, filepath.WalkDir(o.Cache, func(name string, _ fs.DirEntry, err error) error {
		if strings.Contains(name, "hunter2") {
			t.Errorf("it is in %s", name)
		}
		return err
	}))
}

type refusing struct{ testing.TB }

func (r refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	r.Errorf("unexpected request for %s", req.URL)
	return nil, errors.New("no")
}

func TestFetchRootRefuses(t *testing.T) {
	text := signtest.New(t).TrustedRoot(t)
	flip := func(b []byte) []byte { return bytes.Replace(b, []byte("2"), []byte("3"), 1) }
	for _, tc := range []struct {
		name  string
		spoil func(*testing.T, *signtest.TUF, *sign.RootOptions)
		want  string
	}{
		{"another anchor", func(t *testing.T, _ *signtest.TUF, o *sign.RootOptions) {
			t.Helper()
			o.Anchor = signtest.NewTUF(t, text).Anchor
		}, "timestamp"},
		{"no anchor of this deployment", func(_ *testing.T, _ *signtest.TUF, o *sign.RootOptions) { o.Anchor = nil }, ""},
		{"invalid anchor", func(_ *testing.T, _ *signtest.TUF, o *sign.RootOptions) { o.Anchor = []byte("{}") }, "parsing failed"},
		{"invalid metadata", func(_ *testing.T, r *signtest.TUF, _ *sign.RootOptions) {
			r.Change("timestamp.json", func([]byte) []byte { return []byte("{}") })
		}, "parsing failed"},
		{"expired", func(t *testing.T, r *signtest.TUF, _ *sign.RootOptions) {
			t.Helper()
			r.Publish(t, text, time.Now().Add(-time.Hour))
		}, "expired"},
		{"changed metadata", func(_ *testing.T, r *signtest.TUF, _ *sign.RootOptions) { r.Change("targets.json", flip) }, ""},
		{"changed root", func(_ *testing.T, r *signtest.TUF, _ *sign.RootOptions) { r.Change("trusted_root.json", flip) }, "hash"},
		{"huge root", func(_ *testing.T, r *signtest.TUF, _ *sign.RootOptions) {
			r.Change("trusted_root.json", func(b []byte) []byte { return append(b, make([]byte, 8<<20)...) })
		}, "has more than"},
		{"invalid root", func(t *testing.T, r *signtest.TUF, _ *sign.RootOptions) {
			t.Helper()
			r.Publish(t, []byte("{}"), time.Now().Add(time.Hour))
		}, "media type"},
		{"no repository", func(_ *testing.T, r *signtest.TUF, o *sign.RootOptions) { o.Mirror = r.URL + "/elsewhere" }, "404"},
		{"connection refused", func(_ *testing.T, _ *signtest.TUF, o *sign.RootOptions) { o.Mirror = "http://user:secret@127.0.0.1:1" }, "refused"},
		{"no cache directory", func(_ *testing.T, _ *signtest.TUF, o *sign.RootOptions) { o.Cache = "" }, "no cache directory"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			repository := signtest.NewTUF(t, text)
			o := sign.RootOptions{Cache: t.TempDir(), Mirror: repository.URL, Anchor: repository.Anchor}
			tc.spoil(t, repository, &o)
			_, err := sign.FetchRoot(t.Context(), o)
			var failure *failure.Error
			if !errors.As(err, &failure) || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("FetchRoot() = %v, want %q", err, tc.want)
			}
			if code, ok := map[string]int{"expired": 13, "changed metadata": 13, "changed root": 13, "connection refused": 1, "no repository": 1}[tc.name]; ok && failure.ExitCode() != code {
				t.Errorf("%v: exit code %d, want %d", err, failure.ExitCode(), code)
			}
		})
	}
	t.Run("older than seen before", func(t *testing.T) {
		repository := signtest.NewTUF(t, text)
		o := sign.RootOptions{Cache: t.TempDir(), Mirror: repository.URL, Anchor: repository.Anchor}
		old := map[string][]byte{}
		repository.Change("timestamp.json", func(b []byte) []byte { old["timestamp.json"] = b; return b })
		repository.Publish(t, text, time.Now().Add(time.Hour))
		_, err := sign.FetchRoot(t.Context(), o)
		must(t, err)
		repository.Change("timestamp.json", func([]byte) []byte { return old["timestamp.json"] })
		if _, err := sign.FetchRoot(t.Context(), o); err == nil || !strings.Contains(err.Error(), "version") {
			t.Errorf("FetchRoot() = %v", err)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		repository := signtest.NewTUF(t, text)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		o := sign.RootOptions{Cache: t.TempDir(), Mirror: repository.URL, Anchor: repository.Anchor}
		if _, err := sign.FetchRoot(ctx, o); err == nil {
			t.Error("FetchRoot() = nil")
		}
	})
}

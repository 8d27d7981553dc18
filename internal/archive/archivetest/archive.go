package archivetest

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Archive is a signed archive on a loopback server that ends with the test.
// It is safe for concurrent use.
type Archive struct {
	// URL is the archive's root, without a slash at its end.
	URL string

	key *Key

	mu       sync.Mutex
	files    map[string][]byte
	faults   map[string]*fault
	requests []string
}

// prefix is the folder of the server that holds the archive.
const prefix = "/archive/"

// fault makes the server misbehave for one path.
type fault struct {
	status    int  // 0 is to answer
	truncated bool // the connection ends in the middle of the body
	left      int  // requests; negative is for ever
}

// New builds an archive of the suites, signed by a new key, and serves it.
func New(tb testing.TB, suites ...Suite) *Archive {
	tb.Helper()
	a := &Archive{key: NewKey(tb, KeyOptions{}), faults: make(map[string]*fault)}
	a.Update(suites...)
	server := httptest.NewServer(a)
	tb.Cleanup(server.Close)
	a.URL = server.URL + strings.TrimSuffix(prefix, "/")
	return a
}

// Key returns the armored public key that verifies the archive.
func (a *Archive) Key() []byte { return a.key.Public() }

// Fingerprint returns the archive's key's, 40 upper-case hex digits.
func (a *Archive) Fingerprint() string { return a.key.Fingerprint() }

// Update replaces everything the archive holds, as a mirror push does; faults
// stay.
func (a *Archive) Update(suites ...Suite) {
	files := make(map[string][]byte)
	for _, s := range suites {
		maps.Copy(files, s.files(a.key))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.files = files
}

// Paths returns the sorted paths of all files below the root.
func (a *Archive) Paths() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return sortedNames(a.files)
}

// File returns the content of a path below the root, nil when there is none.
func (a *Archive) File(name string) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.files[name]
}

// Edit replaces the content of every file that pattern, a path.Match pattern
// over the path below the root, names. Signatures and digests stay as they
// were. It panics when there is no such file.
func (a *Archive) Edit(pattern string, change func([]byte) []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range a.match(pattern) {
		a.files[name] = change(bytes.Clone(a.files[name]))
	}
}

// Flip changes one bit in the middle of every file that pattern names; empty
// ones stay empty.
func (a *Archive) Flip(pattern string) {
	a.Edit(pattern, func(b []byte) []byte {
		if len(b) > 0 {
			b[len(b)/2] ^= 1
		}
		return b
	})
}

// Replace changes the first occurrence of old in every file that pattern
// names.
func (a *Archive) Replace(pattern, old, replacement string) {
	a.Edit(pattern, func(b []byte) []byte {
		return bytes.Replace(b, []byte(old), []byte(replacement), 1)
	})
}

// Remove deletes every file that pattern names: the server says 404.
func (a *Archive) Remove(pattern string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range a.match(pattern) {
		delete(a.files, name)
	}
}

// Fail answers the next times requests for a path below the root with an HTTP
// status; negative times is for ever.
func (a *Archive) Fail(name string, status, times int) {
	a.fault(name, &fault{status: status, left: times})
}

// Truncate ends the connection in the middle of the body for the next times
// requests for a path below the root; negative times is for ever.
func (a *Archive) Truncate(name string, times int) {
	a.fault(name, &fault{truncated: true, left: times})
}

func (a *Archive) fault(name string, f *fault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults[name] = f
}

// Requests returns what was asked for so far, each as the status of the
// answer and the path below the root, such as "200 dists/sid/InRelease".
func (a *Archive) Requests() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.requests)
}

// ResetRequests forgets the requests.
func (a *Archive) ResetRequests() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = nil
}

// Write copies the archive into a folder, for file:// URLs and for apt.
func (a *Archive) Write(tb testing.TB, dir string) {
	tb.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for name, data := range a.files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			tb.Fatal(err)
		}
	}
}

// ServeHTTP implements http.Handler. Files have entity tags, so that
// conditional requests work.
func (a *Archive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, prefix)
	data, found, f := a.take(name)
	logged := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	defer func() { a.log(logged.status, name) }()
	switch {
	case f != nil && f.status != 0:
		logged.WriteHeader(f.status)
	case !found:
		http.NotFound(logged, r)
	case f != nil && f.truncated:
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		_, _ = w.Write(data[:len(data)/2])
	default:
		w.Header().Set("ETag", `"`+digest("SHA256", data)[:16]+`"`)
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(logged, r, "", time.Time{}, bytes.NewReader(data))
	}
}

// take returns the file, and the fault that this request consumes.
func (a *Archive) take(name string) ([]byte, bool, *fault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	data, found := a.files[name]
	f := a.faults[name]
	if f == nil || f.left == 0 {
		return data, found, nil
	}
	f.left--
	return data, found, &fault{status: f.status, truncated: f.truncated}
}

func (a *Archive) log(status int, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = append(a.requests, fmt.Sprintf("%d %s", status, name))
}

// match returns the files that pattern names; the caller holds the lock.
func (a *Archive) match(pattern string) []string {
	var names []string
	for name := range a.files {
		ok, err := path.Match(pattern, name)
		must(err)
		if ok {
			names = append(names, name)
		}
	}
	if names == nil {
		panic("archivetest: no file is named " + pattern)
	}
	return names
}

// WithUser returns the archive's URL with a user name and password in it.
func (a *Archive) WithUser(name, password string) string {
	u, err := url.Parse(a.URL)
	must(err)
	u.User = url.UserPassword(name, password)
	return u.String()
}

// statusWriter remembers the status it wrote.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// write sends data through a compressor.
func write(w io.WriteCloser, data []byte) {
	_, err := w.Write(data)
	must(err)
	must(w.Close())
}

func sortedNames(m map[string][]byte) []string { return slices.Sorted(maps.Keys(m)) }

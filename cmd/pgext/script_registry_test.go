package main

import (
	"flag"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pgext/pgext/internal/registry"
	"github.com/pgext/pgext/internal/registry/registrytest"
)

// scriptRegistry is a writable registry of a script.
type scriptRegistry struct {
	handler http.Handler
	host    string

	mu      sync.Mutex
	status  int    // of every answer but the ping's; 0 is the registry's own
	times   int    // that it is given; negative is for ever
	only    string // a path.Match pattern of the paths that status is for
	manager string // "USER PASSWORD" that it wants; "" is nobody
	uploads int
	puts    int    // of manifests
	drops   bool   // it forgets what is attached to what
	flips   string // a path.Match pattern of blobs that it answers with a bit changed
}

// ServeHTTP implements http.Handler.
func (r *scriptRegistry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	status, wanted := r.status, r.manager
	if r.only != "" {
		if ok, _ := path.Match(r.only, req.URL.Path); !ok {
			status = 0
		}
	}
	if req.URL.Path == "/v2/" || r.times == 0 {
		status = 0
	} else if status != 0 {
		r.times--
	}
	if req.Method == http.MethodPut && strings.Contains(req.URL.Path, "/blobs/") {
		r.uploads++
	}
	if req.Method == http.MethodPut && strings.Contains(req.URL.Path, "/manifests/") {
		r.puts++
	}
	drops := r.drops && strings.Contains(req.URL.Path, "/referrers/")
	flips, _ := path.Match(r.flips, req.URL.Path)
	r.mu.Unlock()
	user, password, _ := req.BasicAuth()
	switch {
	case wanted != "" && user+" "+password != wanted:
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`, http.StatusUnauthorized)
	case status != 0:
		w.WriteHeader(status)
	case drops:
		w.Header().Set("Content-Type", string(types.OCIImageIndex))
		_, _ = io.WriteString(w, `{"schemaVersion":2,"manifests":[]}`)
	case flips && req.Method == http.MethodGet:
		answer := httptest.NewRecorder()
		r.handler.ServeHTTP(answer, req)
		body := answer.Body.Bytes()
		body[len(body)/2] ^= 1
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(body)
	default:
		r.handler.ServeHTTP(w, req)
	}
}

// cmdRegistry serves an empty registry and sets $REGISTRY to its HOST:PORT; or,
// when there is one, changes how it answers.
//
//	-fail STATUS      every request but the first ping; 0 is none
//	-times N          that often; the default is for ever
//	-only PATTERN     of path.Match: only these paths fail
//	-user USER -password PASSWORD
//	-uploads N        check that N blobs came since the last time
//	-manifests N      the same for manifests
//	-drop             forgets which manifest is attached to which
//	-flip PATTERN     of path.Match: these blobs come with a bit changed
//	-docker           Debian's docker-registry instead; only before the others
func cmdRegistry(ts *testscript.TestScript, neg bool, args []string) {
	flags := flag.NewFlagSet("registry", flag.ContinueOnError)
	fail := flags.Int("fail", 0, "")
	times := flags.Int("times", -1, "")
	only := flags.String("only", "", "")
	user := flags.String("user", "", "")
	password := flags.String("password", "", "")
	uploads := flags.Int("uploads", -1, "")
	manifests := flags.Int("manifests", -1, "")
	drop := flags.Bool("drop", false, "")
	flip := flags.String("flip", "", "")
	docker := flags.Bool("docker", false, "")
	if err := flags.Parse(args); err != nil || neg || flags.NArg() > 0 {
		ts.Fatalf("usage: registry [flags]")
	}
	state := stateOf(ts)
	if *docker {
		ts.Setenv("REGISTRY", registrytest.Docker(state.tb))
		return
	}
	if state.registry == nil {
		state.registry = &scriptRegistry{handler: registry.Memory()}
		server := httptest.NewServer(state.registry)
		ts.Defer(server.Close)
		state.registry.host = strings.TrimPrefix(server.URL, "http://")
		ts.Setenv("REGISTRY", state.registry.host)
	}
	r := state.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status, r.times, r.only = *fail, *times, *only
	r.drops, r.flips = *drop, *flip
	r.manager = strings.TrimSpace(*user + " " + *password)
	if *uploads >= 0 && r.uploads != *uploads {
		ts.Fatalf("got %d uploaded blobs, want %d", r.uploads, *uploads)
	}
	if *uploads >= 0 {
		r.uploads = 0
	}
	if *manifests >= 0 && r.puts != *manifests {
		ts.Fatalf("got %d manifests, want %d", r.puts, *manifests)
	}
	r.puts = 0
}

// cmdAwait waits for a first line in a file that a process in the background
// writes, and gives it to a variable.
func cmdAwait(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await FILE VARIABLE")
	}
	const patience = 10 * time.Second
	for start := time.Now(); time.Since(start) < patience; time.Sleep(5 * time.Millisecond) {
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		if line, _, ok := strings.Cut(string(data), "\n"); err == nil && ok {
			ts.Setenv(args[1], line)
			return
		}
	}
	ts.Fatalf("%s has no line after %v", args[0], patience)
}

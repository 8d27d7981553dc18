package signtest

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/pgext/pgext/internal/oracle"
)

// Registries are what evidence is kept in: with the referrers API, and
// without.
var Registries = []struct {
	Name string
	// Start returns HOST:PORT of one that ends with the test.
	Start func(testing.TB) string
}{
	{"with referrers", func(tb testing.TB) string { tb.Helper(); return memory(tb, true) }},
	{"without referrers", func(tb testing.TB) string { tb.Helper(); return memory(tb, false) }},
	{"docker-registry", docker},
}

// memory starts go-containerregistry's.
func memory(tb testing.TB, referrers bool) string {
	tb.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(referrers)))
	tb.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// docker starts Debian's docker-registry.
func docker(tb testing.TB) string {
	tb.Helper()
	program := oracle.Need(tb, "docker-registry")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	host := l.Addr().String()
	_ = l.Close() // it takes the port over
	dir := tb.TempDir()
	config := fmt.Sprintf("version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: %s\nhttp:\n  addr: %s\n", dir, host)
	file := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "serve", file)
	if err := cmd.Start(); err != nil {
		cancel()
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was killed
	})
	for range 200 {
		if resp, err := http.Get("http://" + host + "/v2/"); err == nil {
			resp.Body.Close()
			return host
		}
		time.Sleep(25 * time.Millisecond)
	}
	tb.Fatal("docker-registry does not answer")
	return ""
}

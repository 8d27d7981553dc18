package signtest

import (
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/pgext/pgext/internal/registry/registrytest"
)

// Registries are registry implementations with and without the referrers API.
var Registries = []struct {
	Name string
	// Start starts a registry for the test and returns HOST:PORT.
	Start func(testing.TB) string
}{
	{"with referrers", func(tb testing.TB) string { tb.Helper(); return memory(tb, true) }},
	{"without referrers", func(tb testing.TB) string { tb.Helper(); return memory(tb, false) }},
	{"docker-registry", registrytest.Docker},
}

// memory starts the registry of go-containerregistry.
func memory(tb testing.TB, referrers bool) string {
	tb.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(referrers)))
	tb.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

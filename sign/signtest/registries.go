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

// Registries are what evidence is kept in: with the referrers API, and
// without.
var Registries = []struct {
	Name string
	// Start returns HOST:PORT of one that ends with the test.
	Start func(testing.TB) string
}{
	{"with referrers", func(tb testing.TB) string { tb.Helper(); return memory(tb, true) }},
	{"without referrers", func(tb testing.TB) string { tb.Helper(); return memory(tb, false) }},
	{"docker-registry", registrytest.Docker},
}

// memory starts go-containerregistry's.
func memory(tb testing.TB, referrers bool) string {
	tb.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(referrers)))
	tb.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

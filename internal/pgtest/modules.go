package pgtest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/metadata"
)

// loadable returns the modules that no other check loads: those of an image without
// extensions that are neither preloaded nor output plugins.
func (r *run) loadable() []string {
	m := r.in.Image.Metadata
	if len(m.Extensions) > 0 {
		return nil
	}
	merged, _ := metadata.Merge([]metadata.Metadata{m})
	return slices.DeleteFunc(slices.Clone(m.Modules), func(name string) bool {
		return slices.Contains(m.OutputPlugins, name) || slices.Contains(merged.SharedPreloadLibraries, name) || slices.Contains(r.in.Preload, name)
	})
}

// load loads a module into a session.
func (r *run) load(ctx context.Context, name string) (string, error) {
	_, err := r.server.query(ctx, "postgres", "LOAD "+literal(name)+";")
	return "", err
}

// decode creates a replication slot with an output plugin and reads a change from
// it.
func (r *run) decode(ctx context.Context, plugin string) (string, error) {
	a := r.server.session(
		ctx, "postgres",
		step{"creating a slot", "SELECT pg_create_logical_replication_slot('pgext', " + literal(plugin) + ");"},
		step{"changing a table", "CREATE TABLE IF NOT EXISTS pgext_decoded (id int PRIMARY KEY, text text);\n" +
			"INSERT INTO pgext_decoded SELECT coalesce(max(id), 0) + 1, 'changed' FROM pgext_decoded;"},
		step{"reading changes", "SELECT count(*) FROM pg_logical_slot_get_binary_changes('pgext', NULL, NULL);"},
	)
	if a.failed != "creating a slot" {
		_, dropErr := r.server.query(ctx, "postgres", "SELECT pg_drop_replication_slot('pgext');")
		if a.err == nil && dropErr != nil {
			return "", fmt.Errorf("dropping the slot: %w", dropErr)
		}
	}
	if a.err != nil && strings.Contains(a.err.Error(), "in the startup callback") {
		return "", noteError{fmt.Errorf("loaded, but does not decode without configuration: %w", a.err)}
	}
	if a.err != nil {
		return "", a.stepError()
	}
	return a.output["reading changes"] + " changes", nil
}

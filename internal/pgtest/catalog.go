package pgtest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/toposort"
)

// catalog is the list of extensions that the server can create.
type catalog struct {
	// defaults are the default versions, by extension.
	defaults map[string]string
	// versions are all versions with an install script.
	versions []version
	// requires are the required extensions of the default versions.
	requires map[string][]string
	// paths are the versions with an update path to the default version.
	paths map[version]bool
}

// version is one version of an extension.
type version struct{ name, version string }

// catalogQuery returns the catalog as one JSON document.
const catalogQuery = `SELECT json_build_object(
 'versions', (SELECT json_agg(json_build_object('name', v.name, 'version', v.version, 'default', v.version = e.default_version, 'requires', coalesce(v.requires, '{}')))
   FROM pg_available_extension_versions v JOIN pg_available_extensions e USING (name)),
 'paths', (SELECT json_agg(json_build_object('name', e.name, 'version', p.source))
   FROM pg_available_extensions e, LATERAL pg_extension_update_paths(e.name) p
   WHERE e.name = ANY (%s) AND p.target = e.default_version AND p.path IS NOT NULL));`

// read reads the catalog from the server, with the update paths of names.
func (c *catalog) read(ctx context.Context, s *server, names []string) error {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = literal(n)
	}
	text, err := s.query(ctx, "postgres", fmt.Sprintf(catalogQuery, "ARRAY["+strings.Join(quoted, ",")+"]::text[]"))
	if err != nil {
		return err
	}
	var doc struct {
		Versions []struct {
			Name, Version string
			Default       bool
			Requires      []string
		}
		Paths []struct{ Name, Version string }
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return fmt.Errorf("reading the list of extensions: %w", err)
	}
	for _, v := range doc.Versions {
		c.versions = append(c.versions, version{v.Name, v.Version})
		if v.Default {
			c.defaults[v.Name] = v.Version
			c.requires[v.Name] = v.Requires
		}
	}
	for _, p := range doc.Paths {
		c.paths[version{p.Name, p.Version}] = true
	}
	return nil
}

// order returns name after all extensions that it requires, in topological order.
func (c *catalog) order(name string) []string {
	return toposort.Behind([]string{name}, func(n string) string { return n }, func(n string) []string { return c.requires[n] })
}

// available reads the catalog and checks that it has all extensions of the image,
// in the versions of the label.
func (r *run) available(ctx context.Context) (string, error) {
	m := r.in.Image.Metadata
	r.known = catalog{defaults: map[string]string{}, requires: map[string][]string{}, paths: map[version]bool{}}
	for _, i := range r.in.images() { // in case the query fails
		for _, e := range i.Metadata.Extensions {
			r.known.requires[e.Name] = e.Requires
		}
	}
	names := make([]string, len(m.Extensions))
	for i, e := range m.Extensions {
		names[i] = e.Name
	}
	if err := r.known.read(ctx, r.server, names); err != nil {
		return "", err
	}
	var problems []error
	for _, e := range m.Extensions {
		switch got, ok := r.known.defaults[e.Name]; {
		case !ok:
			problems = append(problems, fmt.Errorf("%s is not among pg_available_extensions with an install script", e.Name))
		case got != e.Version:
			problems = append(problems, fmt.Errorf("the default version of %s is %s, the label has %s", e.Name, got, e.Version))
		}
	}
	return strings.Join(names, ", "), errors.Join(problems...)
}

// unpackaged is the version of objects that were installed without CREATE EXTENSION
// (PostgreSQL 9.0 and earlier).
const unpackaged = "unpackaged"

// oldVersions returns the versions, except the default one, that the image's
// scripts can install, of the extensions that were created and dropped; per
// extension the oldest first.
func (r *run) oldVersions() []version {
	out := slices.DeleteFunc(slices.Clone(r.known.versions), func(v version) bool {
		return v.version == r.known.defaults[v.name] || v.version == unpackaged || !r.dropped[v.name]
	})
	slices.SortFunc(out, func(a, b version) int {
		return cmp.Or(strings.Compare(a.name, b.name), debian.CompareVersions(a.version, b.version), strings.Compare(a.version, b.version))
	})
	return out
}

func (r *run) own(name string) bool {
	return slices.ContainsFunc(r.in.Image.Metadata.Extensions, func(e metadata.Extension) bool { return e.Name == name })
}

// update creates an old version of an extension, updates it and rolls back. A
// failure is a note: clusters with that version have created it with an older
// module.
func (r *run) update(ctx context.Context, old version) (string, error) {
	if !r.known.paths[old] {
		return "", noteError{fmt.Errorf("no script updates it to %s", r.known.defaults[old.name])}
	}
	a := r.server.session(
		ctx, r.databases[old.name],
		step{"begin", "BEGIN;"},
		step{"creating it", "CREATE EXTENSION " + ident(old.name) + " VERSION " + literal(old.version) + ";"},
		step{"updating it", "ALTER EXTENSION " + ident(old.name) + " UPDATE;"},
		step{"rollback", "ROLLBACK;"},
	)
	if a.err != nil {
		return "", noteError{a.stepError()}
	}
	return "", nil
}

// missingRequirement returns the extension that name requires, directly or
// indirectly, and that no image has; "" if there is none.
func (r *run) missingRequirement(name string) string {
	for _, required := range r.known.order(name) {
		if slices.Contains(r.in.Lacking, required) {
			return required
		}
	}
	return ""
}

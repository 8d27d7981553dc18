package pgtest

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/metadata"
)

// dropViews drops the views of a schema.
const dropViews = `DO $pgext$
DECLARE v record;
BEGIN
	FOR v IN SELECT schemaname, viewname FROM pg_views WHERE schemaname = %s LOOP
		EXECUTE format('DROP VIEW %%I.%%I', v.schemaname, v.viewname);
	END LOOP;
END
$pgext$;`

// membersQuery lists the objects of an extension, functions with their module and
// symbol. Names have their schema, for every search path of the database.
const membersQuery = `SET search_path = '';
SELECT pg_describe_object(d.classid, d.objid, 0) || coalesce(' in ' || quote_nullable(p.probin) || ' as ' || p.prosrc, '')
FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid AND p.probin IS NOT NULL
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = %s ORDER BY 1;`

// compare compares the objects of an updated extension with those of a newly created
// one.
func (u *upgrade) compare(ctx context.Context, name string) (string, error) {
	r := u.next
	if r.databases[name] != "x_"+name {
		return "not in its own database", nil
	}
	query := fmt.Sprintf(membersQuery, literal(name))
	updated, err := r.server.query(ctx, r.databases[name], query)
	if err != nil {
		return "", err
	}
	fresh := "fresh " + name
	if err := r.createIn(ctx, fresh, metadata.Extension{Name: name, Version: r.known.defaults[name]}, r.known.order(name)); err != nil {
		return "", noteError{fmt.Errorf("creating it in a new database: %w", err)}
	}
	created, err := r.server.query(ctx, fresh, query)
	if err != nil {
		return "", err
	}
	if err := differences(strings.Split(updated, "\n"), strings.Split(created, "\n")); err != nil {
		return "", noteError{err}
	}
	return "", nil
}

// differences returns the differences between the objects of an updated and of a
// newly created extension.
func differences(updated, created []string) error {
	without := func(a, b []string) []string {
		return slices.DeleteFunc(slices.Clone(a), func(line string) bool { return slices.Contains(b, line) })
	}
	const most = 10
	var lines []string
	for _, l := range without(created, updated) {
		lines = append(lines, "lacks "+l)
	}
	for _, l := range without(updated, created) {
		lines = append(lines, "still has "+l)
	}
	if len(lines) == 0 {
		return nil
	}
	return fmt.Errorf("the updated extension has other objects than a new one: %d differences\n%s", len(lines), shorten(lines, most))
}

// Messages of PostgreSQL about an upgrade that fails.
var (
	noPath         = regexp.MustCompile(`has no update path from version`)
	missingSymbol  = regexp.MustCompile(`could not find function "([^"]+)" in file "([^"]+)"`)
	newRequirement = regexp.MustCompile(`required extension "([^"]+)" is not installed`)
)

// noPath returns the error, and adds advice, for an extension without scripts from
// the old version to the new one.
func (u *upgrade) noPath(name string) error {
	was, wanted := u.versionBefore(name), u.next.known.defaults[name]
	var scripts []string
	for _, i := range u.next.in.images() {
		scripts = append(scripts, i.scripts(name)...)
	}
	u.next.explain("%s has no update path from %s to %s: the image needs %s--%s--%s.sql, or several scripts that form this path",
		name, was, wanted, name, was, wanted)
	return fmt.Errorf("no update path from version %s to %s; the image has the scripts %s", was, wanted, strings.Join(scripts, ", "))
}

// scripts returns the file names of an extension's scripts in the image.
func (i Image) scripts(extension string) []string {
	var out []string
	// a folder that cannot be read has no scripts
	_ = fs.WalkDir(os.DirFS(i.Dir), ".", func(p string, d fs.DirEntry, err error) error {
		if name := path.Base(p); err == nil && !d.IsDir() && strings.HasPrefix(name, extension+"--") && strings.HasSuffix(name, ".sql") {
			out = append(out, name)
		}
		return nil
	})
	slices.Sort(out)
	return out
}

// diagnoseUpgrade adds advice for errors between the change of the image and the
// update. It returns false for other errors.
func (r *run) diagnoseUpgrade(text string) bool {
	const until = "from the change of the image until ALTER EXTENSION … UPDATE has run in a database, "
	if found := missingModule.FindStringSubmatch(text); found != nil {
		module := strings.TrimSuffix(path.Base(found[1]), ".so")
		now := r.modules()
		if slices.Contains(r.from.Modules, module) && !slices.Contains(now, module) {
			r.explain("functions of the old version use the module %s, which the new images (modules: %s) do not have: %sthey fail; "+
				"keep lib/%s.so in the new image, or plan an outage for the change", module, orNone(now), until, module)
			return true
		}
	}
	if found := missingSymbol.FindStringSubmatch(text); found != nil {
		r.explain("functions of the old version use %s in %s, which the new module does not have: %sthey fail; "+
			"the module should keep the symbol, if only to raise an error", found[1], path.Base(found[2]), until)
		return true
	}
	if found := newRequirement.FindStringSubmatch(text); found != nil {
		r.explain("the new version requires %s: run CREATE EXTENSION %s before the update", found[1], found[1])
		return true
	}
	return false
}

// modules returns the modules of all images.
func (r *run) modules() []string {
	var out []string
	for _, i := range r.in.images() {
		out = append(out, i.Metadata.Modules...)
	}
	return out
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

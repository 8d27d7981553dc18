package pgtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/cache/cachetest"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/oracle"
	"github.com/pgext/pgext/internal/pgtest/testdata/fakepg/behaviour"
	"github.com/pgext/pgext/internal/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Init()
	code := m.Run()
	os.RemoveAll(fakeDir)
	os.Exit(code)
}

// fakeDir is the folder of the fake programs of all tests.
var fakeDir string

// buildFake builds testdata/fakepg once.
var buildFake = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "fakepg")
	if err != nil {
		return "", err
	}
	fakeDir = dir
	cmd := exec.Command("go", "build", "-o", dir, "./testdata/fakepg")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building fakepg: %w\n%s", err, out)
	}
	return filepath.Join(dir, "fakepg"), nil
})

// fakeRoot makes a root file system whose programs behave like b.
func fakeRoot(t *testing.T, b behaviour.Behaviour) string {
	t.Helper()
	program, err := buildFake()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(t.TempDir(), "root")
	for _, dir := range []string{"dev", "proc", "tmp", "run", "etc", "bin", "usr/bin", "extensions", "var/lib/postgresql", "usr/lib/postgresql/18/bin"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	config, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(
		// A file that was written here cannot be executed (ETXTBSY) while a
		// process that another test has just forked still has it open.
		os.Link(program, filepath.Join(root, "bin/fakepg")),
		os.WriteFile(filepath.Join(root, behaviour.Path), config, 0o644),
	); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"bin/sh", "usr/bin/tar", "usr/bin/diff", bin(18, "postgres"), bin(18, "psql"), bin(18, "initdb"), bin(18, "pg_isready"),
	} {
		if err := os.Symlink("/bin/fakepg", filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// fakeInput is an image of the extensions of b, on the server that b describes.
func fakeInput(t *testing.T, b behaviour.Behaviour) Input {
	t.Helper()
	m := metadata.Metadata{Name: "img", Postgres: 18, Arch: "amd64", ExtensionControlPath: []string{"share"}}
	for _, e := range b.Extensions {
		m.Extensions = append(m.Extensions, metadata.Extension{Name: e.Name, Version: e.Version, Requires: e.Requires})
		m.Create = append(m.Create, e.Name)
	}
	return Input{Root: fakeRoot(t, b), Postgres: 18, Version: "18.6", Image: Image{Metadata: m, Dir: t.TempDir()}}
}

// runFake runs Run or Upgrade. A machine without user namespaces skips the test.
func runFake(t *testing.T, run func(o Options) (Result, error)) (Result, error) {
	t.Helper()
	result, err := run(Options{Cache: cachetest.Open(t)})
	if refused := (*sandbox.UnavailableError)(nil); errors.As(err, &refused) {
		oracle.Missing(t, "a user namespace", err.Error())
	}
	return result, err
}

// deviations lists the checks that do not have the status pass, with their
// details.
func deviations(checks []Check) []string {
	var out []string
	for _, c := range checks {
		if c.Status != Pass {
			out = append(out, fmt.Sprintf("%s %s: %s", c.Status, c.Name, c.Detail))
		}
	}
	return out
}

// checkNames lists the names of checks.
func checkNames(checks []Check) []string {
	var out []string
	for _, c := range checks {
		out = append(out, c.Name)
	}
	return out
}

// twoExtensions are a and b, which requires a.
func twoExtensions() behaviour.Behaviour {
	return behaviour.Behaviour{Extensions: []behaviour.Extension{
		{Name: "a", Version: "1.1", Old: []string{"1.0"}, Members: []string{"function a()"}},
		{Name: "b", Version: "2", Requires: []string{"a"}, Members: []string{"function b()"}},
	}}
}

const testScriptSQL = "SELECT 'of test.sql';"

// TestRun: a server that responds as it should passes all checks; each
// deviation fails the check that is about it.
func TestRun(t *testing.T) {
	in := fakeInput(t, twoExtensions())
	in.Script, in.Image.Metadata.OutputPlugins = testScriptSQL, []string{"decoder"}
	result, err := runFake(t, func(o Options) (Result, error) { return Run(t.Context(), in, o) })
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range deviations(result.Checks) {
		t.Error(line)
	}
	want := []string{
		"start", "available", "create a", "create b", "create together", "decode decoder", "test.sql", "restart", "drop b", "drop a", "update a 1.0", "log",
	}
	if diff := cmp.Diff(want, checkNames(result.Checks)); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
}

// TestRunDeviates: each deviation of the server changes the status of the checks
// that are about it, and of no other.
func TestRunDeviates(t *testing.T) {
	respond := func(responses ...behaviour.Response) func(*behaviour.Behaviour) {
		return func(b *behaviour.Behaviour) { b.Responses = responses }
	}
	for _, tc := range []struct {
		name   string
		server func(*behaviour.Behaviour)
		input  func(*Input)
		// timeout is Options.Timeout.
		timeout time.Duration
		want    []string
	}{
		{
			name: "no start",
			server: func(b *behaviour.Behaviour) {
				b.Starts = []behaviour.Start{{Log: "@postmaster||58P01|| FATAL:  no library\n", Exit: 1}}
			},
			want: append(append([]string{"fail start: the server does not start\nFATAL: no library"}, skipped("the server does not start",
				"available", "create a", "create b", "create together", "test.sql", "restart")...), "fail log: postmaster: FATAL: no library"),
		},
		{
			name:  "another default version",
			input: func(in *Input) { in.Image.Metadata.Extensions[0].Version = "1.2" },
			want: []string{
				"fail available: the default version of a is 1.1, the label has 1.2",
				`fail create a: created version "1.1", the label has "1.2"`,
			},
		},
		{
			name: "an extension that is not available",
			input: func(in *Input) {
				in.Image.Metadata.Extensions = append(in.Image.Metadata.Extensions, metadata.Extension{Name: "c", Version: "1"})
			},
			want: []string{
				"fail available: c is not among pg_available_extensions with an install script",
				"fail create c: extension \"c\" is not available",
			},
		},
		{
			name:   "another created version",
			server: respond(behaviour.Response{SQL: `SELECT extversion .*'b'`, Output: "1.9"}),
			want:   []string{`fail create b: created version "1.9", the label has "2"`},
		},
		{
			name:   "no creation",
			server: respond(behaviour.Response{SQL: `CREATE EXTENSION.*"b"`, Database: "x_b", Error: "XX000: cannot"}),
			want:   []string{"fail create b: cannot"},
		},
		{
			name:   "no creation of several",
			server: respond(behaviour.Response{SQL: `CREATE EXTENSION.*"b"`, Database: "together", Error: "XX000: cannot"}),
			want:   []string{"fail create together: b: cannot"},
		},
		{
			name:   "no decoding",
			server: respond(behaviour.Response{SQL: "pg_logical_slot_get_binary_changes", Error: "XX000: no output"}),
			input:  func(in *Input) { in.Image.Metadata.OutputPlugins = []string{"decoder"} },
			want:   []string{"fail decode decoder: reading changes: no output"},
		},
		{
			name:   "a slot that stays",
			server: respond(behaviour.Response{SQL: "pg_drop_replication_slot", Error: "55006: in use"}),
			input:  func(in *Input) { in.Image.Metadata.OutputPlugins = []string{"decoder"} },
			want:   []string{"fail decode decoder: dropping the slot: in use"},
		},
		{
			name:   "an output plugin that needs configuration",
			server: respond(behaviour.Response{SQL: "pg_logical_slot_get_binary_changes", Error: "XX000: slot \"pgext\", output plugin \"decoder\", in the startup callback: no option"}),
			input:  func(in *Input) { in.Image.Metadata.OutputPlugins = []string{"decoder"} },
			want: []string{
				"note decode decoder: loaded, but does not decode without configuration: slot \"pgext\", output plugin \"decoder\", in the startup callback: no option",
			},
		},
		{
			name:   "a module that cannot be loaded",
			server: respond(behaviour.Response{SQL: "LOAD 'module'", Error: "58P01: no such file"}),
			input: func(in *Input) {
				in.Image.Metadata.Extensions, in.Image.Metadata.Create, in.Image.Metadata.Modules = nil, nil, []string{"module"}
			},
			want: []string{"fail load module: no such file"},
		},
		{
			name:   "a failing script",
			server: respond(behaviour.Response{SQL: "of test.sql", Error: "P0004: assertion failed"}),
			want:   []string{"fail test.sql: assertion failed"},
		},
		{
			name:   "a script without end",
			server: respond(behaviour.Response{SQL: "of test.sql", Hang: true}), timeout: time.Second,
			want: []string{"fail test.sql: psql timed out after 1s"},
		},
		{
			name:   "an unclean stop",
			server: func(b *behaviour.Behaviour) { b.StopExit = 1 },
			want:   []string{"fail restart: postgres: exit code 1"},
		},
		{
			name: "no second start",
			server: func(b *behaviour.Behaviour) {
				b.Starts = []behaviour.Start{{}, {Exit: 1, Log: "@postmaster||58P01|| FATAL:  no library\n"}, {Exit: 1}}
			},
			want: append([]string{"fail restart: the server does not start\nFATAL: no library"},
				append(skipped("the server ended and does not start again", "drop b", "drop a"), "fail log: postmaster: FATAL: no library")...),
		},
		{
			name:   "an extension that is missing after the restart",
			server: respond(behaviour.Response{SQL: `SELECT count.* FROM pg_extension.*'b'`, Output: "0"}),
			want:   []string{"fail restart: the extension b is missing after the restart"},
		},
		{
			name:   "extensions that cannot be listed after the restart",
			server: respond(behaviour.Response{SQL: `SELECT count.* FROM pg_extension.*'b'`, Error: "XX000: unreadable"}),
			want:   []string{"fail restart: b: unreadable"},
		},
		{
			name:   "no drop",
			server: respond(behaviour.Response{SQL: "DROP EXTENSION \"a\"", Error: "2BP01: in use"}),
			want:   []string{"fail drop a: in use"},
		},
		{
			name:   "an old version without an update path",
			server: func(b *behaviour.Behaviour) { b.Extensions[0].NoUpdate = []string{"1.0"} },
			want:   []string{"note update a 1.0: no script updates it to 1.1"},
		},
		{
			name:   "an old version that cannot be updated",
			server: respond(behaviour.Response{SQL: "ALTER EXTENSION", Error: "42883: no function"}),
			want:   []string{"note update a 1.0: updating it: no function"},
		},
		{
			name:   "a fault in the log",
			server: respond(behaviour.Response{SQL: "of test.sql", Log: "@worker||22000|| FATAL:  a fault\n"}),
			want:   []string{"fail log: worker: FATAL: a fault"},
		},
		{
			name:   "an error in the log",
			server: respond(behaviour.Response{SQL: "of test.sql", Log: "@worker||42P01|| ERROR:  no table\n"}),
			want:   []string{"note log: worker: ERROR: no table"},
		},
		{
			name:   "a crash",
			server: respond(behaviour.Response{SQL: `CREATE EXTENSION.*"b"`, Database: "x_b", Crash: true}),
			want: []string{
				"fail create b: psql:<stdin>:1: server closed the connection unexpectedly",
				"fail log: postmaster: LOG: client backend (PID 12) was terminated by signal 11: Segmentation fault",
			},
		},
		{
			name: "a crash without recovery",
			server: func(b *behaviour.Behaviour) {
				b.Responses = []behaviour.Response{{SQL: `CREATE EXTENSION.*"b"`, Database: "x_b", Crash: true}}
				b.NoRecovery, b.Starts = true, []behaviour.Start{{}, {Exit: 1}}
			},
			want: append([]string{"fail create b: psql:<stdin>:1: server closed the connection unexpectedly"},
				append(skipped("the server ended and does not start again", "create together", "test.sql", "restart", "drop a"),
					"fail log: postmaster: LOG: client backend (PID 12) was terminated by signal 11: Segmentation fault")...),
		},
		{
			name:   "a lost database",
			server: respond(behaviour.Response{SQL: `CREATE DATABASE "x_a"`, Error: "53100: no space"}),
			want:   []string{"fail create a: creating the database: no space"},
		},
		{
			name:   "a required extension that no image has",
			server: func(b *behaviour.Behaviour) { b.Extensions[1].Requires = []string{"a", "c"} },
			input:  func(in *Input) { in.Lacking = []string{"c"} },
			want:   []string{"skip create b: it requires c"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := twoExtensions()
			if tc.server != nil {
				tc.server(&b)
			}
			in := fakeInput(t, b)
			in.Script = testScriptSQL
			if tc.input != nil {
				tc.input(&in)
			}
			var reported []Check
			result, err := runFake(t, func(o Options) (Result, error) {
				o.Timeout, o.Report = tc.timeout, func(c Check) { reported = append(reported, c) }
				return Run(t.Context(), in, o)
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, deviations(result.Checks)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(result.Checks, reported); diff != "" {
				t.Errorf("the reported checks are others (-result +reported):\n%s", diff)
			}
		})
	}
}

// TestRunPreloads: a test that fails is repeated with the module preloaded that
// the errors name; what then passes is advice, and a note for extensions that
// manifests do not create.
func TestRunPreloads(t *testing.T) {
	b := twoExtensions()
	b.Responses = []behaviour.Response{{
		SQL: `CREATE EXTENSION.*"b"`, Error: "55000: b must be loaded via shared_preload_libraries", UnlessPreloaded: "b",
	}}
	in := fakeInput(t, b)
	in.Image.Metadata.Modules, in.Image.Metadata.Create = []string{"b"}, []string{"a"}
	result, err := runFake(t, func(o Options) (Result, error) { return Run(t.Context(), in, o) })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"note create b: manifests do not create it; works with b preloaded"}, deviations(result.Checks)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want := []Advice{{"b must be preloaded; with it all checks pass", "shared_preload_libraries: [b]", Change{Preload: []string{"b"}}}}
	if diff := cmp.Diff(want, result.Advice); diff != "" {
		t.Errorf("advice (-want +got):\n%s", diff)
	}
}

// TestRunWithoutCluster: a cluster that cannot be initialised is an error, and
// no result.
func TestRunWithoutCluster(t *testing.T) {
	in := fakeInput(t, behaviour.Behaviour{NoInitdb: true})
	result, err := runFake(t, func(o Options) (Result, error) { return Run(t.Context(), in, o) })
	const want = "initialising a cluster: initdb: exit code 1\ninitdb: error: no space"
	if err == nil || err.Error() != want || len(result.Checks) > 0 {
		t.Errorf("got %v, %v, want %s", result, err, want)
	}
}

// skipped lists checks that were skipped for one reason.
func skipped(reason string, names ...string) []string {
	var out []string
	for _, name := range names {
		out = append(out, fmt.Sprintf("%s %s: %s", Skip, name, reason))
	}
	return out
}

// TestUpgrade: an upgrade between two servers that respond as they should passes
// all checks.
func TestUpgrade(t *testing.T) {
	before, after := upgradeInputs(t, true, nil, nil)
	result, err := runFake(t, func(o Options) (Result, error) { return Upgrade(t.Context(), before, after, o) })
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range deviations(result.Checks) {
		t.Error(line)
	}
	want := []string{
		"from start", "from create a", "from create b", "from create together", "from test.sql", "from stop",
		"upgrade start", "upgrade read a", "upgrade read b", "upgrade a", "upgrade b", "upgrade use a", "upgrade compare a", "upgrade use b", "upgrade compare b",
		"upgrade together", "upgrade test.sql", "upgrade log",
	}
	if diff := cmp.Diff(want, checkNames(result.Checks)); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
}

// upgradeInputs are an image with b 1, and one with b 2, on servers with
// deviations. With both, the images also have a 1.0 and a 1.1, which b requires.
func upgradeInputs(t *testing.T, both bool, before, after func(*behaviour.Behaviour)) (from, to Input) {
	t.Helper()
	oldServer, newServer := twoExtensions(), twoExtensions()
	oldServer.Extensions[0].Version, oldServer.Extensions[1].Version = "1.0", "1"
	if !both {
		for _, b := range []*behaviour.Behaviour{&oldServer, &newServer} {
			b.Extensions = b.Extensions[1:]
			b.Extensions[0].Requires = nil
		}
	}
	if before != nil {
		before(&oldServer)
	}
	if after != nil {
		after(&newServer)
	}
	from, to = fakeInput(t, oldServer), fakeInput(t, newServer)
	from.Script, to.Script = testScriptSQL, testScriptSQL
	return from, to
}

// TestUpgradeDeviates: each deviation of one of the servers changes the status of
// the checks that are about it, and of no other.
func TestUpgradeDeviates(t *testing.T) {
	respond := func(responses ...behaviour.Response) func(*behaviour.Behaviour) {
		return func(b *behaviour.Behaviour) { b.Responses = responses }
	}
	rows := func(text string) func(*behaviour.Behaviour) {
		return func(b *behaviour.Behaviour) { b.Extensions[0].Rows = text }
	}
	twoRows := rows(`[{"kind": "object", "object": "table of b", "content": "1"}, {"kind": "function", "object": "f()"}]`)
	for _, tc := range []struct {
		name          string
		both          bool
		before, after func(*behaviour.Behaviour)
		want          []string
	}{
		{
			name:   "the old server does not start",
			before: func(b *behaviour.Behaviour) { b.Starts = []behaviour.Start{{Exit: 1}} },
			want:   append([]string{"fail from start: the server does not start: postgres: exit code 1"}, skipped("the server does not start", "from create b", "from stop")...),
		},
		{
			name: "one extension of the old image cannot be created", both: true,
			before: respond(behaviour.Response{SQL: `CREATE EXTENSION.*"b"`, Error: "XX000: cannot"}),
			want: []string{
				"note from create b: cannot",
				"skip upgrade test.sql: the extensions of the old image could not be created together",
			},
		},
		{
			name:   "no extension of the old image can be created",
			before: respond(behaviour.Response{SQL: `CREATE EXTENSION`, Error: "XX000: cannot"}),
			want: []string{
				"note from create b: cannot",
				"fail from create: no extension of the old image could be created, so there is nothing to upgrade",
			},
		},
		{
			name:   "a failing script of the old image",
			before: respond(behaviour.Response{SQL: "of test.sql", Error: "P0004: assertion failed"}),
			want:   []string{"note from test.sql: assertion failed"},
		},
		{
			name:   "objects that cannot be read",
			before: respond(behaviour.Response{SQL: "pgext_read", Database: "x_b", Error: "XX000: unreadable"}),
			want: []string{
				"note from create b: unreadable",
				"note upgrade read b: its objects could not be read with the old image, so there is nothing to compare with",
				"note upgrade use b: its objects could not be read with the old image, so there is nothing to compare with",
			},
		},
		{
			name:   "an unclean stop of the old server",
			before: func(b *behaviour.Behaviour) { b.StopExit = 1 },
			want:   []string{"fail from stop: postgres: exit code 1"},
		},
		{
			name: "a crash of the old server without recovery",
			before: func(b *behaviour.Behaviour) {
				b.Responses = []behaviour.Response{{SQL: "of test.sql", Crash: true}}
				b.NoRecovery, b.Starts = true, []behaviour.Start{{}, {Exit: 1}}
			},
			want: []string{
				"note from test.sql: psql:<stdin>:1: server closed the connection unexpectedly",
				"skip from stop: the server ended and does not start again",
				"fail upgrade: not tested: with the old image the server ended and does not start again",
			},
		},
		{
			name:  "the new server does not start",
			after: func(b *behaviour.Behaviour) { b.Starts = []behaviour.Start{{Exit: 1}} },
			want: append([]string{"fail upgrade start: the server does not start: postgres: exit code 1"}, skipped("the server does not start",
				"upgrade read b", "upgrade b", "upgrade use b", "upgrade compare b", "upgrade together", "upgrade test.sql")...),
		},
		{
			name:  "another version before the update",
			after: respond(behaviour.Response{SQL: "pgext_read", Database: "x_b", Output: `{"version": "0.9", "rows": [{"kind": "object", "object": "table of b", "content": "1"}]}`}),
			want:  []string{`fail upgrade read b: it has version "0.9" before the update, not 1`},
		},
		{
			name:   "a table that is missing",
			before: twoRows,
			after:  rows(`[{"kind": "function", "object": "f()"}]`),
			want: []string{
				"fail upgrade read b: 1 of 1 tables cannot be read\ntable of b: missing",
				"fail upgrade use b: 1 of 1 tables cannot be read\ntable of b: missing",
			},
		},
		{
			name:   "a function that is missing",
			before: twoRows,
			after:  rows(`[{"kind": "object", "object": "table of b", "content": "1"}, {"kind": "function", "object": "f()", "state": "42883", "problem": "no symbol"}]`),
			want: []string{
				"fail upgrade read b: 1 of 1 functions of modules are missing\nf(): no symbol",
				"fail upgrade use b: 1 of 1 functions of modules are missing\nf(): no symbol",
			},
		},
		{
			name:   "another content",
			before: twoRows,
			after:  rows(`[{"kind": "object", "object": "table of b", "content": "2"}, {"kind": "function", "object": "f()"}]`),
			want: []string{
				"note upgrade read b: 1 have another content than with the old image\ntable of b: 1 became 2",
				"note upgrade use b: 1 have another content than with the old image\ntable of b: 1 became 2",
			},
		},
		{
			name: "an extension that the new image does not have", both: true,
			after: func(b *behaviour.Behaviour) { b.Extensions = b.Extensions[:1] },
			want: []string{
				"fail upgrade b: the new image has no extension b; the old one has version 1",
				"skip upgrade use b: it was not updated",
				"note upgrade together: b could not be updated in its own database",
			},
		},
		{
			name: "no update path", both: true,
			after: func(b *behaviour.Behaviour) { b.Extensions[0].NoUpdate = []string{"1.0"} },
			want: []string{
				"fail upgrade a: no update path from version 1.0 to 1.1; the image has the scripts ",
				"fail upgrade b: no update path from version 1.0 to 1.1; the image has the scripts ",
				"skip upgrade use a: it was not updated",
				"skip upgrade use b: it was not updated",
				"note upgrade together: a could not be updated in its own database",
			},
		},
		{
			name:  "an update that fails",
			after: respond(behaviour.Response{SQL: `ALTER EXTENSION "b"`, Error: "42883: no function"}),
			want: []string{
				"fail upgrade b: no function", "skip upgrade use b: it was not updated", "note upgrade together: b could not be updated in its own database",
			},
		},
		{
			name:  "another version after the update",
			after: respond(behaviour.Response{SQL: `^SELECT extversion .*'b'`, Database: "x_b", Output: "1.9"}),
			want: []string{
				`fail upgrade b: b has version "1.9" after the update, not 2`,
				"skip upgrade use b: it was not updated", "note upgrade together: b could not be updated in its own database",
			},
		},
		{
			name:  "views that depend on the old version",
			after: respond(behaviour.Response{SQL: `ALTER EXTENSION "b"`, Database: "x_b", Error: "2BP01: views depend on it", Times: 1}),
			want:  []string{"note upgrade b: views that use objects which the update drops must be dropped before: views depend on it"},
		},
		{
			name:  "objects that cannot be read after the update",
			after: respond(behaviour.Response{SQL: "pgext_read", Database: "x_b", Error: "XX000: unreadable"}),
			want:  []string{"fail upgrade read b: unreadable", "fail upgrade use b: unreadable"},
		},
		{
			name:  "other members than a new extension",
			after: respond(behaviour.Response{SQL: "pg_describe_object", Database: "x_b", Output: "function c()"}),
			want:  []string{"note upgrade compare b: the updated extension has other objects than a new one: 2 differences\nlacks function b()\nstill has function c()"},
		},
		{
			name:  "members that cannot be read",
			after: respond(behaviour.Response{SQL: "pg_describe_object", Database: "fresh b", Error: "XX000: unreadable"}),
			want:  []string{"fail upgrade compare b: unreadable"},
		},
		{
			name:  "members of the updated extension that cannot be read",
			after: respond(behaviour.Response{SQL: "pg_describe_object", Database: "x_b", Error: "XX000: unreadable"}),
			want:  []string{"fail upgrade compare b: unreadable"},
		},
		{
			name:  "no new creation",
			after: respond(behaviour.Response{SQL: `CREATE EXTENSION.*"b"`, Database: "fresh b", Error: "XX000: cannot"}),
			want:  []string{"note upgrade compare b: creating it in a new database: cannot"},
		},
		{
			name:  "no update of all together",
			after: respond(behaviour.Response{SQL: `ALTER EXTENSION "b"`, Database: "together", Error: "XX000: cannot"}),
			want:  []string{"fail upgrade together: b: cannot"},
		},
		{
			name:  "no update of all together in the second database",
			after: respond(behaviour.Response{SQL: `ALTER EXTENSION "b"`, Database: "together again", Error: "XX000: cannot"}),
			want:  []string{"fail upgrade together: b: cannot"},
		},
		{
			name:  "a failing script of the new image",
			after: respond(behaviour.Response{SQL: "of test.sql", Error: "P0004: assertion failed"}),
			want:  []string{"fail upgrade test.sql: assertion failed"},
		},
		{
			name:  "a fault in the log of the new server",
			after: respond(behaviour.Response{SQL: "of test.sql", Log: "@worker||22000|| FATAL:  a fault\n"}),
			want:  []string{"fail upgrade log: worker: FATAL: a fault"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			from, to := upgradeInputs(t, tc.both, tc.before, tc.after)
			result, err := runFake(t, func(o Options) (Result, error) { return Upgrade(t.Context(), from, to, o) })
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, deviations(result.Checks)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// sourceTree makes a source tree with a suite of two regression tests, and
// changes its files. An empty content removes a file.
func sourceTree(t *testing.T, changes map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"Makefile":    "REGRESS = one two\n",
		"sql/one.sql": "\\echo 1\n", "expected/one.out": "1\n",
		"sql/two.sql": "\\echo 2\nSELECT 'of two';\n", "expected/two.out": "2\n",
	}
	maps.Copy(files, changes)
	for name, text := range files {
		if text == "" {
			continue
		}
		at := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestSuiteDeviates: each deviation of the server or of the source tree changes
// the status of the checks of the regression suite that are about it.
func TestSuiteDeviates(t *testing.T) {
	respond := func(responses ...behaviour.Response) func(*behaviour.Behaviour) {
		return func(b *behaviour.Behaviour) { b.Responses = responses }
	}
	crashed := "client backend (PID 12) was terminated by signal 11: Segmentation fault"
	for _, tc := range []struct {
		name   string
		server func(*behaviour.Behaviour)
		files  map[string]string
		// timeout is Options.Timeout.
		timeout time.Duration
		want    []string
	}{
		{name: "none", want: nil},
		{
			name:   "an exit code",
			server: func(b *behaviour.Behaviour) { b.Tests = map[string]int{"of two": 3} },
			want:   []string{"fail regress two: psql: exit code 3"},
		},
		{
			name:  "another output",
			files: map[string]string{"expected/one.out": "0\n"},
			want:  []string{"fail regress one: differs from expected/one.out: 1 lines are missing, 1 unexpected\n-0\n+1"},
		},
		{
			name:   "another output and an exit code",
			server: func(b *behaviour.Behaviour) { b.Tests = map[string]int{"of two": 3} },
			files:  map[string]string{"expected/two.out": "0\n"},
			want:   []string{"fail regress two: psql: exit code 3; the output differs from expected/two.out: 1 lines are missing, 1 unexpected\n-0\n+2"},
		},
		{
			name:  "an alternative output",
			files: map[string]string{"expected/one.out": "0\n", "expected/one_1.out": "1\n"},
		},
		{
			name:  "a test that does not exist",
			files: map[string]string{"sql/one.sql": ""},
			want:  []string{"fail regress one: sql/one.sql does not exist; a rule of the Makefile may make it"},
		},
		{
			name:  "an expected output that does not exist",
			files: map[string]string{"expected/one.out": ""},
			want:  []string{"fail regress one: nothing to compare with: expected/one.out does not exist; a rule of the Makefile may make it"},
		},
		{
			name:   "a test without end",
			server: respond(behaviour.Response{SQL: "of two", Hang: true}), timeout: 3 * time.Second,
			want: []string{"fail regress two: psql timed out after 3s"},
		},
		{
			name:   "no database",
			server: respond(behaviour.Response{SQL: `CREATE DATABASE "contrib_regression"`, Error: "53100: no space"}),
			want: append([]string{"fail regress suite: creating the database contrib_regression: no space"},
				skipped("the suite's server or its databases could not be created", "regress one", "regress two")...),
		},
		{
			name:   "a crash",
			server: respond(behaviour.Response{SQL: "of two", Crash: true}),
			want: []string{
				"fail regress two: the server crashed: " + crashed + "\npsql: exit code 2; the output differs from expected/two.out: " +
					"1 lines are missing, 2 unexpected\n-2\n+2\n+psql:<stdin>:1: server closed the connection unexpectedly",
				"fail regress log: " + crashed,
			},
		},
		{
			name:  "a program that the operand does not have",
			files: map[string]string{"Makefile": "REGRESS = one two\nISOLATION = three\n"},
			want:  []string{"skip isolation suite: 1 tests are not run, since the operand has no isolationtester: three"},
		},
		{
			name:  "tests in Perl",
			files: map[string]string{"Makefile": "REGRESS = one two\nTAP_TESTS = 1\n"},
			want:  []string{"skip regress tap: TAP_TESTS are not run, since they need prove"},
		},
		{
			name:  "another version",
			files: map[string]string{"a.control": "default_version = '1.2'\n"},
			want:  []string{"note regress suite: the source tree has a 1.2, the image has 1.1"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := behaviour.Behaviour{Extensions: []behaviour.Extension{{Name: "a", Version: "1.1"}}}
			if tc.server != nil {
				tc.server(&b)
			}
			in := fakeInput(t, b)
			in.Suite = &Suite{Dir: sourceTree(t, tc.files)}
			result, err := runFake(t, func(o Options) (Result, error) {
				o.Timeout = tc.timeout
				return Run(t.Context(), in, o)
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, deviations(result.Checks)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var names []string
			for _, name := range checkNames(result.Checks) {
				if strings.HasPrefix(name, "regress ") && name != "regress tap" {
					names = append(names, name)
				}
			}
			if diff := cmp.Diff([]string{"regress suite", "regress one", "regress two", "regress log"}[:3], names[:3]); diff != "" {
				t.Errorf("checks (-want +got):\n%s", diff)
			}
			if got, want := len(result.Diffs) > 0, strings.Contains(strings.Join(tc.want, ""), "differs from"); got != want {
				t.Errorf("%d bytes of differences", len(result.Diffs))
			}
		})
	}
}

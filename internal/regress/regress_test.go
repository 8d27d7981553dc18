package regress

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const dir = "/src/x"

// tree makes a source tree: the Makefile, and empty files.
func tree(makefile string, names ...string) fstest.MapFS {
	fsys := fstest.MapFS{"Makefile": {Data: []byte(makefile)}}
	for _, name := range names {
		fsys[name] = &fstest.MapFile{}
	}
	return fsys
}

// plain is the suite of no options.
func plain(change func(*Suite)) Suite {
	s := Suite{
		Makefile:   "Makefile",
		Invocation: Invocation{InputDir: ".", OutputDir: ".", ExpectedDir: ".", Databases: []string{"contrib_regression"}},
	}
	change(&s)
	return s
}

// pgConfig responds like a shell with pg_config.
func pgConfig(command string) (string, error) {
	switch command {
	case "pg_config --pgxs":
		return "/usr/lib/postgresql/18/lib/pgxs/src/makefiles/pgxs.mk\n", nil
	case "pg_config --version":
		return "PostgreSQL 18.6 (Debian 18.6-3)\n", nil
	case "[ 180006 -ge 90600 ] && echo yes":
		return "yes\n", nil
	}
	return "", errors.New("no such command")
}

// large is a file that is too large.
var large = &fstest.MapFile{Data: make([]byte, maxFile+1)}

const include = "PG_CONFIG ?= pg_config\nPGXS := $(shell $(PG_CONFIG) --pgxs)\ninclude $(PGXS)\n"

func TestRead(t *testing.T) {
	for _, tc := range []struct {
		name string
		fsys fstest.MapFS
		want Suite
	}{
		{
			"names", tree("REGRESS = b a \\\n\tc\n" + include),
			plain(func(s *Suite) { s.Tests = []string{"b", "a", "c"} }),
		},
		{
			"names of files", tree("TESTS = $(wildcard test/sql/*.sql)\nREGRESS = $(patsubst test/sql/%.sql,%,$(TESTS))\n"+
				"EXTENSION = x\nREGRESS_OPTS = --inputdir=test --load-extension=$(EXTENSION)\n"+include, "test/sql/b.sql", "test/sql/a.sql"),
			plain(func(s *Suite) { s.Tests, s.InputDir, s.Extensions = []string{"a", "b"}, "test", []string{"x"} }),
		},
		{
			"by major", tree("REGRESS = a\n" + include + "ifneq ($(filter-out 9.% 10 11,$(MAJORVERSION)),)\nREGRESS += new\nendif\nHAS = $(shell [ $(VERSION_NUM) -ge 90600 ] && echo yes)\nifeq ($(HAS),yes)\nREGRESS += numbered\nendif\n"),
			plain(func(s *Suite) { s.Tests = []string{"a", "new", "numbered"} }),
		},
		{
			"database", tree("REGRESS = a\noverride CONTRIB_TESTDB := regression\n" + include),
			plain(func(s *Suite) { s.Tests, s.Databases = []string{"a"}, []string{"regression"} }),
		},
		{
			"options of every kind", tree("REGRESS = --inputdir=test a\nREGRESS_OPTS = --dbname one,two --create-role=r,s --user u --launcher 'nice -n 1' --max-connections=2 --host=h --expecteddir ./e --outputdir $(CURDIR)/o --bogus=1 --use-existing\n"),
			plain(func(s *Suite) {
				s.Tests, s.InputDir, s.ExpectedDir, s.OutputDir = []string{"a"}, "test", "e", "o"
				s.Databases, s.Roles, s.User, s.Launcher = []string{"one", "two"}, []string{"r", "s"}, "u", "nice -n 1"
				s.Notes = []string{"pg_regress has no option --bogus, which is ignored", "--use-existing is ignored: databases and roles are created"}
			}),
		},
		{
			"locale", tree("REGRESS = a\nENCODING = UTF8\nNO_LOCALE = 1\n" + include),
			plain(func(s *Suite) { s.Tests, s.Encoding, s.NoLocale = []string{"a"}, "UTF8", true }),
		},
		{
			"configuration", tree("REGRESS = a\nREGRESS_OPTS = --temp-config=$(top_srcdir)/contrib/x/x.conf --temp-config absent.conf --temp-config=conf/y.conf\n"+include, "x.conf", "conf/y.conf"),
			plain(func(s *Suite) {
				s.Tests, s.Configs = []string{"a"}, []string{"x.conf", "conf/y.conf"}
				s.Notes = []string{"--temp-config=absent.conf does not exist"}
			}),
		},
		{
			"other tests", tree("REGRESS = a\nISOLATION = i j\nTAP_TESTS = 1\nREGRESS_PREP = prep\n$(error no compiler)\n" + include),
			plain(func(s *Suite) {
				s.Tests, s.TAP = []string{"a"}, true
				s.Isolation = Invocation{
					Tests: []string{"i", "j"}, InputDir: ".", OutputDir: "output_iso", ExpectedDir: ".", Databases: []string{"isolation_regression"},
				}
				s.Notes = []string{"Makefile prints: no compiler", "rules of the Makefile are not run: REGRESS_PREP = prep"}
			}),
		},
		{
			"isolation alone", tree("ISOLATION = i\nISOLATION_OPTS = --inputdir=./iso --load-extension=x\nREGRESS_OPTS = --load-extension=y\nNO_LOCALE = 1\n" + include),
			plain(func(s *Suite) {
				s.Extensions, s.NoLocale = []string{"y"}, true
				s.Isolation = Invocation{
					Tests: []string{"i"}, InputDir: "iso", OutputDir: "output_iso", ExpectedDir: ".", Databases: []string{"isolation_regression"},
					Extensions: []string{"x"}, NoLocale: true,
				}
			}),
		},
		{
			"schedule",
			fstest.MapFS{
				"Makefile": {Data: []byte("REGRESS = --schedule=$(srcdir)/serial more\n" + include)},
				"serial":   {Data: []byte("# first\ntest: a b\n\ntest: c\n")},
			},
			plain(func(s *Suite) { s.Tests = []string{"a", "b", "c", "more"} }),
		},
		{
			"result map",
			fstest.MapFS{
				"Makefile":  {Data: []byte("REGRESS = a b\n")},
				"resultmap": {Data: []byte("a:out:x86_64-.*-linux=a_other.out\na:out:x86_64-pc-linux=a_linux.out\nb:out:.*-darwin.*=b_mac.out\nb:png:x86=x\n")},
			},
			plain(func(s *Suite) { s.Tests, s.ResultMap = []string{"a", "b"}, map[string]string{"a": "a_linux.out"} }),
		},
		{
			"no Makefile",
			fstest.MapFS{
				"test/sql/b.sql": {}, "test/sql/a.sql": {}, "test/sql/draft.sql": {}, "test/expected/a.out": {}, "test/expected/b.out": {},
			},
			Suite{
				Invocation: Invocation{
					Tests: []string{"a", "b"}, InputDir: "test", OutputDir: ".", ExpectedDir: ".", Databases: []string{"contrib_regression"},
				},
				Notes: []string{"no Makefile names the tests: all that have an expected output run, by name"},
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Read(tc.fsys, Options{Dir: dir, Version: "18.6", Platform: "x86_64-pc-linux-gnu", Shell: pgConfig})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, tc.want, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for _, tc := range []struct {
		name         string
		fsys         fstest.MapFS
		reason, hint string
	}{
		{"nothing", fstest.MapFS{"README": {}}, "there is neither a Makefile nor a folder sql beside a folder expected", "make installcheck"},
		{"the folder above", fstest.MapFS{"README": {}, "regress/Makefile": {Data: []byte("REGRESS := a\n")}}, "there is neither", "name its folder regress, whose Makefile does"},
		{"a Makefile without", tree("all:\n"), "Makefile does not set REGRESS", "--regress-tests"},
		{"another build system", fstest.MapFS{"sql/a.sql": {}, "expected/a.out": {}, "CMakeLists.txt": {}}, "CMakeLists.txt does not set REGRESS", "--regress-tests"},
		{"nothing expected", fstest.MapFS{"sql/a.sql": {}, "expected/b.out": {}}, "no file in sql has an expected output", "--regress-tests"},
		{"what a command prints", tree("REGRESS = a $(shell uname)\n"), "the output of `uname` is unknown", "--regress-tests"},
		{"what configure finds", fstest.MapFS{"Makefile.in": {Data: []byte("ifeq (@X@,1)\nREGRESS = a\nendif\n")}}, "@X@, which configure finds, is unknown", "--regress-tests"},
		{"an option that is unknown", tree("REGRESS = a\nREGRESS_OPTS = --load-extension=$(shell uname)\n"), "is unknown", "--regress-option"},
		{"for a shell", tree("REGRESS = a; rm -rf x\n"), "needs expansion by a shell", "--regress-option"},
		{"a schedule that rules make", tree("REGRESS = --schedule run.sch\n"), "the schedule run.sch does not exist", "--regress-tests"},
		{"a line of no schedule", fstest.MapFS{"Makefile": {Data: []byte("REGRESS = --schedule=s\n")}, "s": {Data: []byte("ignore: a\n")}}, `s:1: "ignore: a" is not a line of a schedule`, "--regress-tests"},
		{"a line of no result map", fstest.MapFS{"Makefile": {Data: []byte("REGRESS = a\n")}, "resultmap": {Data: []byte("a/x=b\n")}}, "resultmap:1", ""},
		{"outside", tree("REGRESS = a\nREGRESS_OPTS = --inputdir=../other\n"), "--inputdir=../other is outside of the source tree", ""},
		{"a Makefile that is too large", tree("REGRESS = a\n" + strings.Repeat("#", 1<<20)), "Makefile: the file is too large: more than 1048576 bytes", "--regress-tests"},
		{"an included one", fstest.MapFS{"Makefile": {Data: []byte("REGRESS = a\ninclude big.mk\n")}, "big.mk": large}, "including big.mk: the file is too large: more than 1048576 bytes", "--regress-tests"},
		{"a schedule that is too large", fstest.MapFS{"Makefile": {Data: []byte("REGRESS = --schedule=s\n")}, "s": large}, "s has more than 1048576 bytes", ""},
		{"a schedule that is a pipe", fstest.MapFS{"Makefile": {Data: []byte("REGRESS = --schedule=s\n")}, "s": {Mode: fs.ModeNamedPipe}}, "s is not a regular file", ""},
		{"a result map that is too large", fstest.MapFS{"Makefile": {Data: []byte("REGRESS = a\n")}, "resultmap": large}, "resultmap has more than 1048576 bytes", ""},
		{"isolation tests that are unknown", tree("REGRESS = a\nISOLATION = $(shell uname)\n"), "is unknown", "--regress-tests"},
		{"an isolation test that is a path", tree("REGRESS = a\nISOLATION = ../x\n"), "is not the name of a test", ""},
		{"a path", tree("REGRESS = ../../etc/passwd\n"), "is not the name of a test", ""},
		{"an option without a value", tree("REGRESS = a --user\n"), "--user has no value", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, err := Read(tc.fsys, Options{Dir: dir, Version: "18.6"})
			var e interface {
				error
				Hint() string
				ExitCode() int
			}
			if !errors.As(err, &e) || e.ExitCode() != 1 {
				t.Fatalf("got %+v, %v", s, err)
			}
			if !strings.Contains(e.Error(), tc.reason) || !strings.Contains(e.Hint(), tc.hint) {
				t.Errorf("got %v\nhint: %s", e, e.Hint())
			}
		})
	}
}

func TestReadGivenTests(t *testing.T) {
	fsys := tree("REGRESS = $(shell uname)\nREGRESS_OPTS = --load-extension=x --schedule=first\n"+include, "test/sql/a.sql", "test/expected/a.out")
	fsys["first"] = &fstest.MapFile{Data: []byte("test: create\n")}
	o := Options{Dir: dir, Version: "18.6", Shell: pgConfig, Tests: []string{"b", "a"}, Options: []string{"--load-extension=y", "--dbname=z"}}
	got, err := Read(fsys, o)
	if err != nil {
		t.Fatal(err)
	}
	want := plain(func(s *Suite) {
		s.Tests, s.Extensions, s.Databases, s.InputDir = []string{"create", "b", "a"}, []string{"x", "y"}, []string{"z"}, "test"
	})
	if diff := cmp.Diff(got, want, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

func TestSplitWords(t *testing.T) {
	for _, tc := range []struct {
		line string
		want []string
	}{
		{" a  b\tc ", []string{"a", "b", "c"}},
		{`--launcher "nice -n" a'b 'c\ d ''`, []string{"--launcher", "nice -n", "ab c d", ""}},
		{"", nil},
	} {
		got, err := splitWords(tc.line)
		if diff := cmp.Diff(got, tc.want); diff != "" || err != nil {
			t.Errorf("%s: %v (-got +want):\n%s", tc.line, err, diff)
		}
	}
	for _, line := range []string{"$x", "a*", "`b`", "'a", `"$x"`, "a > b"} {
		if got, err := splitWords(line); err == nil {
			t.Errorf("%s: got %q", line, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("REGRESS = a b\nREGRESS_OPTS = --inputdir=test --dbname=x,y --schedule=s\n", "test: a\n", "a:out:x86=b\n")
	f.Add("REGRESS = --temp-config /x '--launcher=a b'\n", "x", "y")
	f.Fuzz(func(t *testing.T, makefile, schedule, resultmap string) {
		fsys := fstest.MapFS{"Makefile": {Data: []byte(makefile)}, "s": {Data: []byte(schedule)}, "resultmap": {Data: []byte(resultmap)}}
		s, err := Read(fsys, Options{Dir: dir, Version: "18.6", Platform: "x86_64-pc-linux-gnu"})
		if err != nil {
			return
		}
		if len(s.Tests)+len(s.Isolation.Tests) == 0 || len(s.Databases) == 0 || s.Databases[0] == "" {
			t.Errorf("got %+v", s)
		}
		for _, name := range slices.Concat(s.Tests, s.Isolation.Tests) {
			if strings.HasPrefix(name, "-") || strings.Contains("/"+name+"/", "/../") || strings.ContainsAny(name, " \n'\"$`") {
				t.Errorf("%q is a test", name)
			}
		}
	})
}

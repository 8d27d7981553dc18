package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/pgtest"
	"github.com/pgext/pgext/internal/testmirror"
)

// suiteFiles are a source tree whose suite meets everything that can happen.
// One test has the real pg_regress, which the operand's packages hold, run
// others.
var suiteFiles = map[string]string{
	"Makefile": `PG_CONFIG = pg_config
EXTENSION = vector
REGRESS = pass alternative mapped differs crash after
REGRESS_OPTS = --load-extension=$(EXTENSION) --create-role=reader --temp-config=suite.conf
HAS_ORACLE = $(shell test -x $(dir $(shell $(PG_CONFIG) --pgxs))../../src/test/regress/pg_regress && $(PG_CONFIG) --version | grep -q ' 18\.' && echo oracle)
ifeq ($(HAS_ORACLE),oracle)
REGRESS += $(HAS_ORACLE)
endif
REGRESS += unjudged absent large
ISOLATION = locks wrong missing
ISOLATION_OPTS = --load-extension=$(EXTENSION)
include $(shell $(PG_CONFIG) --pgxs)
`,
	"suite.conf":     "work_mem = '7MB'\n",
	"vector.control": "default_version = '0.0.1'\n",
	"resultmap":      "mapped:out:.*-linux=mapped_elsewhere.out\n",
	"sql/pass.sql": `SELECT '[1,2,3]'::vector <-> '[1,2,4]' AS distance;
SHOW work_mem;
SELECT current_setting('timezone') AS tz, interval '1 day 2 hours' AS i, date '2026-01-31' AS d;
\echo :HIDE_TABLEAM
SELECT current_setting('application_name') AS application, 1/0;
\! pwd; echo "$PG_DLSUFFIX $PG_LIBDIR $PG_ABS_SRCDIR"; test -w . && echo writable
`,
	"expected/pass.out": `SELECT '[1,2,3]'::vector <-> '[1,2,4]' AS distance;
 distance 
----------
        1
(1 row)

SHOW work_mem;
 work_mem 
----------
 7MB
(1 row)

SELECT current_setting('timezone') AS tz, interval '1 day 2 hours' AS i, date '2026-01-31' AS d;
         tz          |        i        |     d      
---------------------+-----------------+------------
 America/Los_Angeles | @ 1 day 2 hours | 01-31-2026
(1 row)

\echo :HIDE_TABLEAM
on
SELECT current_setting('application_name') AS application, 1/0;
ERROR:  division by zero
\! pwd; echo "$PG_DLSUFFIX $PG_LIBDIR $PG_ABS_SRCDIR"; test -w . && echo writable
/var/lib/postgresql/regress
.so /usr/lib/postgresql/18/lib /var/lib/postgresql/regress
writable
`,
	"sql/alternative.sql":           "SELECT 2 AS a;\n",
	"expected/alternative.out":      "SELECT 2 AS a;\n a \n---\n 1\n(1 row)\n\n",
	"expected/alternative_3.out":    "SELECT 2 AS a;\n a \n---\n 2\n(1 row)\n\n",
	"sql/mapped.sql":                "SELECT 3 AS a;\n",
	"expected/mapped.out":           "no\n",
	"expected/mapped_elsewhere.out": "SELECT 3 AS a;\n a \n---\n 3\n(1 row)\n\n",
	"sql/differs.sql":               "SELECT 4 AS a;\nSELECT 5 AS b;\n",
	"expected/differs.out":          "nothing\nlike\nit\n",
	"expected/differs_1.out":        "SELECT 4 AS a;\n a \n---\n 4\n(1 row)\n\nSELECT 5 AS b;\n b \n---\n 6\n(1 row)\n\n",
	"sql/crash.sql":                 "SELECT pg_backend_pid() AS pid \\gset\n\\setenv PID :pid\n\\! kill -SEGV $PID\nSELECT 1;\n",
	"expected/crash.out":            "",
	"sql/after.sql":                 "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'reader';\n",
	"expected/after.out":            "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'reader';\n rolcanlogin \n-------------\n t\n(1 row)\n\n",
	"sql/unjudged.sql":              "SELECT 1;\n",
	"sql/large.sql":                 "SELECT repeat('x', 1048576) FROM generate_series(1, 65);\n",
	"expected/large.out":            "",
	"specs/locks.spec":              isolationSpec,
	"specs/wrong.spec":              isolationSpec,
	"expected/locks.out":            isolationOutput,
	"expected/wrong.out":            strings.ReplaceAll(isolationOutput, "3", "4"),
	"sql/oracle.sql": `\! mkdir real; /usr/lib/postgresql/18/lib/pgxs/src/test/regress/pg_regress --inputdir=. --outputdir=real --bindir=/usr/lib/postgresql/18/bin --load-extension=vector --dbname=real pass alternative mapped differs >real.log 2>&1
\! sed -n 's/^\(ok\|not ok\) *[0-9]* *- \([a-z]*\) .*/\1 \2/p' real.log
\! for t in pass alternative mapped differs; do cmp results/$t.out real/results/$t.out && echo same $t; done
\! cat real/regression.diffs
\! mkdir real_iso; /usr/lib/postgresql/18/lib/pgxs/src/test/isolation/pg_isolation_regress --inputdir=. --outputdir=real_iso --bindir=/usr/lib/postgresql/18/bin --load-extension=vector --dbname=real_iso locks wrong >real_iso.log 2>&1
\! sed -n 's/^\(ok\|not ok\) *[0-9]* *- \([a-z]*\) .*/\1 \2/p' real_iso.log
\! cat real_iso/regression.diffs
`,
	"expected/oracle.out": "",
}

// isolationSpec is a test of two sessions.
const isolationSpec = `setup { CREATE TABLE t (i int); INSERT INTO t VALUES (1); }
teardown { DROP TABLE t; }
session s1
step b1 { BEGIN; UPDATE t SET i = 2; }
step c1 { COMMIT; }
session s2
step u2 { UPDATE t SET i = i + 1; }
step r2 { SELECT i, '[1,2]'::vector AS v FROM t; }
permutation b1 u2 c1 r2
`

const isolationOutput = `Parsed test spec with 2 sessions

starting permutation: b1 u2 c1 r2
step b1: BEGIN; UPDATE t SET i = 2;
step u2: UPDATE t SET i = i + 1; <waiting ...>
step c1: COMMIT;
step u2: <... completed>
step r2: SELECT i, '[1,2]'::vector AS v FROM t;
i|v    
-+-----
3|[1,2]
(1 row)

`

// writeSuite writes suiteFiles.
func writeSuite(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range suiteFiles {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestLiveRegress runs a suite against pgvector, and has the real pg_regress
// run it too.
func TestLiveRegress(t *testing.T) {
	recipe, dist := liveRecipe(t, "pgvector", ""), t.TempDir()
	code, stdout, stderr := live(t, "test", recipe, "--output", dist, "--json", "--regress", writeSuite(t))
	if code != exitFindings {
		t.Fatalf("exit code %d, want %d\n%s%s", code, exitFindings, stdout, stderr)
	}
	var doc testDocument
	if err := json.Unmarshal([]byte(stdout), &doc); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range doc.Images[0].Checks {
		if strings.HasPrefix(c.Name, "regress ") || strings.HasPrefix(c.Name, "isolation ") {
			first, _, _ := strings.Cut(c.Detail, "\n")
			got = append(got, strings.TrimSpace(string(c.Status)+" "+c.Name+": "+first))
		}
	}
	version := doc.Images[0].Checks[0].Name
	want := []string{
		"note regress suite: the source tree has vector 0.0.1, the image has VERSION",
		"pass regress pass:", "pass regress alternative:", "pass regress mapped:",
		"fail regress differs: differs from expected/differs_1.out: 1 lines are missing, 1 unexpected",
		"fail regress crash: the server crashed: client backend (PID N) was terminated by signal 11: Segmentation fault",
		"pass regress after:",
		"fail regress oracle: differs from expected/oracle.out: 0 lines are missing, N unexpected",
		"fail regress unjudged: nothing to compare with: expected/unjudged.out does not exist; a rule of the Makefile may make it",
		"fail regress absent: sql/absent.sql does not exist; a rule of the Makefile may make it",
		"fail regress large: results/large.out has more than 64 MiB",
		"pass isolation suite:", "pass isolation locks:",
		"fail isolation wrong: differs from expected/wrong.out: 1 lines are missing, 1 unexpected",
		"fail isolation missing: specs/missing.spec does not exist; a rule of the Makefile may make it",
		"fail regress log: all server processes terminated; reinitializing",
	}
	for i := range got {
		got[i] = regexp.MustCompile(`has \d[\d.]+$`).ReplaceAllString(got[i], "has VERSION")
		got[i] = regexp.MustCompile(`missing, \d\d+ unexpected`).ReplaceAllString(got[i], "missing, N unexpected")
		got[i] = regexp.MustCompile(`PID \d+`).ReplaceAllString(got[i], "PID N")
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("%s checks (-got +want):\n%s", version, diff)
	}
	diffs, err := os.ReadFile(doc.Images[0].Diffs)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("as pg_regress does it", func(t *testing.T) { checkOracle(t, string(diffs)) })
	if log, err := os.ReadFile(doc.Images[0].Log); err != nil || !strings.Contains(string(log), "the server of the regression suite") {
		t.Errorf("the log: %v\n%s", err, log)
	}
	if doc.Images[0].Status != pgtest.Fail {
		t.Errorf("got %s", doc.Images[0].Status)
	}
}

// checkOracle compares with what the real pg_regress has said, which the test
// called oracle printed.
func checkOracle(t *testing.T, diffs string) {
	t.Helper()
	ours, rest, _ := strings.Cut(diffs, "diff -U3 expected/crash.out")
	rest, isolation, _ := strings.Cut(rest, "\ndiff -U3 expected/wrong.out")
	_, rest, _ = strings.Cut(rest, "+++ results/oracle.out\n")
	var printed []string
	for line := range strings.Lines(rest + "\n") {
		if text, ok := strings.CutPrefix(line, "+"); ok && !strings.HasPrefix(text, `\!`) {
			printed = append(printed, text)
		}
	}
	real := strings.Join(printed, "")
	// the real one has absolute paths, an output folder of its own, and times
	real = strings.NewReplacer("/var/lib/postgresql/regress/real/", "", "/var/lib/postgresql/regress/real_iso/", "output_iso/", "/var/lib/postgresql/regress/", "").Replace(real)
	real = regexp.MustCompile(`(?m)^(---|\+\+\+) (\S+)\t.*$`).ReplaceAllString(real, "$1 $2")
	want := "ok pass\nok alternative\nok mapped\nnot ok differs\nsame pass\nsame alternative\nsame mapped\nsame differs\n" + ours +
		"ok locks\nnot ok wrong\ndiff -U3 expected/wrong.out" + isolation
	if diff := cmp.Diff(real, want); diff != "" {
		t.Errorf("(-pg_regress +pgext):\n%s", diff)
	}
}

// TestLiveUpstream runs the suite of an extension as upstream ships it.
func TestLiveUpstream(t *testing.T) {
	dir := t.TempDir()
	archive := testmirror.Get(t, "pool/main/p/pgsql-asn1oid/pgsql-asn1oid_1.6.orig.tar.gz", "6807071368c9ee5499da3b8a3225bcf9924afc0f5a07901c495fa592748c8e6f")
	if out, err := exec.CommandContext(t.Context(), "tar", "-x", "-f", archive, "-C", dir, "--strip-components=1").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	report := filepath.Join(dir, "junit.xml")
	code, stdout, stderr := live(t, "test", liveRecipe(t, "asn1oid", ""), "--output", t.TempDir(), "--regress", dir, "--junit", report)
	if code != 0 {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	xml, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"regress suite", "regress init", "regress asn1oid", "regress log", "drop asn1oid"} {
		if !strings.Contains(string(xml), `name="`+name+`"`) {
			t.Errorf("%s is not in\n%s", name, xml)
		}
	}
}

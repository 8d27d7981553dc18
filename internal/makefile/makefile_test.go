package makefile

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/oracle"
)

// cases are Makefiles like those of extensions, with the expansion of $(OUT).
var cases = []struct{ name, text, want string }{
	{"recursive", "A = $(B)\nB = b\nOUT = $(A)\n", "b"},
	{"simple", "B = early\nA := $(B)\nB = late\nOUT = $A $(B)\n", "early late"},
	{"conditional", "A = first\nA ?= second\nB ?= third\nOUT = $(A) $(B)\n", "first third"},
	{"append", "A = $(X)\nA += two\nX = one\nB := $(Y)\nB += $(X)\nY = no\nOUT = $(A) $(strip $(B))\n", "one two one"},
	{"append to nothing", "A += one\nA += $(X)\nX = two\nOUT = $(A)\n", "one two"},
	{"continued", "OUT = one \\\n\ttwo   \\\n  three\n", "one two three"},
	{"comments", "OUT = one # two\n# OUT = three \\\nOUT = four\n", "one "},
	{"number signs", "A = \\# x\nOUT = $(subst #,y,a#b) $(A)\n", "ayb # x"},
	{"dollars", "OUT = $$x $${y}\n", "$x ${y}"},
	{"braces", "A = a\nOUT = ${A}$(subst },x,a})${subst ),y,b)}\n", "aaxby"},
	{"computed name", "V = 18\nT_18 = new\nOUT = $(T_$(V))\n", "new"},
	{"substitution", "F = a.sql b.sql c.out\nOUT = $(F:.sql=.x) $(F:%.sql=t/%)\n", "a.x b.x c.out t/a t/b c.out"},
	{"patsubst", "OUT = $(patsubst test/sql/%.sql,%,test/sql/a.sql test/sql/b.sql x)\n", "a b x"},
	{"patsubst whole words", "OUT = $(patsubst a,b,a aa) $(patsubst %,x/%,a b)\n", "b aa x/a x/b"},
	{"filter", "OUT = $(filter-out 9.% 10 11,9.6 10 11 12) $(filter 1% x,12 13 2 x)\n", "12 12 13 x"},
	{"words", "L = a b c d\nOUT = $(word 2,$(L)) $(words $(L)) $(firstword $(L)) $(lastword $(L)) $(wordlist 2,3,$(L)) $(word 9,$(L))\n", "b 4 a d b c "},
	{"sort", "OUT = $(sort c a b a)\n", "a b c"},
	{"names", "OUT = $(dir a/b.c x) $(notdir a/b.c) $(basename a/b.c d.tar.gz) $(suffix a/b.c x) $(addprefix p/,a b) $(addsuffix .o,a b) $(join a b,.c .o)\n", "a/ ./ b.c a/b d.tar .c p/a p/b a.o b.o a.c b.o"},
	{"findstring", "OUT = $(findstring b,abc)$(findstring x,abc).\n", "b."},
	{"if", "OUT = $(if x,yes,no) $(if ,yes,no) $(if $(EMPTY),yes)$(if  ,a,b)\n", "yes no b"},
	{"or and", "OUT = $(or ,b,c) $(and a,,c)$(and a,b)\n", "b b"},
	{"foreach", "OUT = $(foreach x,a b,$(x)$(x))$(x)\n", "aa bb"},
	{"call", "rev = $(2)$(1)\nOUT = $(call rev,a,b) $(call rev,a)\n", "ba a"},
	{"call of a function", "OUT = $(call subst,a,b,banana)\n", "bbnbnb"},
	{"define", "define F\n$(strip\n  $(foreach v,a b,\n     <$(v)>))\nendef\nOUT = $(F)\n", "<a> <b>"},
	{"define with a conditional in it", "define F\nifdef X\nendef\nOUT = $(words $(F))\n", "2"},
	{"eval", "$(eval A = one)\n$(foreach v,x y,$(eval L_$(v) := $(v)$(v)))\nOUT = $(A) $(L_x) $(L_y)\n", "one xx yy"},
	{"value origin flavor", "A = $(B)\nC := c\nOUT = $(value A) $(origin A) $(flavor C) $(origin Z)\n", "$(B) file simple undefined"},
	{"override", "override A = one\nA = two\nA += three\nOUT = $(A)\n", "one"},
	{"export", "export A = one\nexport B\nexport C := two\nOUT = $(A) $(C)\n", "one two"},
	{"ifeq", "ifeq (a, a)\nOUT = same\nelse\nOUT = other\nendif\n", "same"},
	{"ifeq in quotes", "ifeq \"a b\" 'a b'\nOUT = same\nendif\n", "same"},
	{"ifneq with functions", "V = 18\nifneq ($(filter-out 9.% 10,$(V)),)\nOUT = new\nendif\n", "new"},
	{"ifeq with commas and brackets", "ifeq ($(subst a,b,(a)),(b))\nOUT = same\nendif\n", "same"},
	{"else ifeq", "V = 2\nifeq ($(V),1)\nOUT = one\nelse ifeq ($(V),2)\nOUT = two\nelse\nOUT = more\nendif\n", "two"},
	{"nested", "ifdef NO\nifdef X\nelse\nOUT = wrong\nendif\nelse\nX = x\nifndef X\nelse\nOUT = right\nendif\nendif\n", "right"},
	{"ifdef of an empty one", "A =\nifdef A\nOUT = set\nelse\nOUT = empty\nendif\n", "empty"},
	{"rules", "OUT = before\nall: OUT = no\nall: x\n\tOUT = no\n\tifeq\nx: ; OUT = no\nOUT += after\n", "before after"},
	{"a tab without a rule", "A = a\nifdef A\n\tOUT = set\nendif\n", "set"},
	{"static pattern rule", "OUT = x\na.o b.o: %.o: %.c\n\techo\n", "x"},
	{"wildcard", "OUT = $(wildcard sql/*.sql) $(wildcard ./sql/a.*) $(wildcard absent*) $(wildcard README)\n", "sql/a.sql sql/b.sql ./sql/a.sql  README"},
	{"include", "include mk/more.mk\nOUT = $(MORE) $(MAKEFILE_LIST)\n-include absent.mk\n", "more Makefile mk/more.mk"},
	{"shell", "A := $(shell echo one; echo two)\nB != echo three\nOUT = $(A) $(B) $(shell false)\n", "one two three "},
	{"warning", "$(warning careful)\nOUT = $(info told)x\n", "x"},
	{"realpath", "OUT = $(notdir $(realpath sql/a.sql)) $(realpath absent)$(subst $(CURDIR),,$(abspath sql/../x))\n", "a.sql /x"},
	{"carriage returns", "OUT = a \\\r\n b\r\n", "a b"},
	{"undefine", "A = a\nundefine A\nOUT = $(A)x\n", "x"},
}

// files are beside each Makefile.
var files = map[string]string{"sql/a.sql": "", "sql/b.sql": "", "sql/.hidden.sql": "", "README": "", "mk/more.mk": "MORE = more\n"}

func shell(t *testing.T) func(string) (string, error) {
	t.Helper()
	return func(command string) (string, error) {
		out, _ := exec.CommandContext(t.Context(), "/bin/sh", "-c", command).Output() // make does not care either
		return string(out), nil
	}
}

func TestExpand(t *testing.T) {
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			fsys := fstest.MapFS{"Makefile": {Data: []byte(tc.text)}}
			for name, text := range files {
				fsys[name] = &fstest.MapFile{Data: []byte(text)}
			}
			m, err := Read(fsys, "Makefile", Options{Dir: "/src", Shell: shell(t)})
			if err != nil {
				t.Fatal(err)
			}
			got, err := m.Expand("$(OUT)")
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestMake has make itself read the Makefiles.
func TestMake(t *testing.T) {
	oracle.Need(t, "make")
	dir := t.TempDir()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			text := tc.text + "$(info <$(OUT)>)\n.PHONY: pgext-done\npgext-done: ;\n"
			if err := os.WriteFile(filepath.Join(dir, "Makefile"), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "make", "-C", dir, "-s", "--no-print-directory", "pgext-done")
			cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			_, rest, _ := strings.Cut(string(out), "\n<")
			if rest == "" {
				_, rest, _ = strings.Cut(string(out), "<")
			}
			if got := rest[:max(0, strings.LastIndex(rest, ">"))]; got != tc.want {
				t.Errorf("make has %q, want %q\n%s", got, tc.want, out)
			}
		})
	}
}

func TestUnknown(t *testing.T) {
	for _, tc := range []struct{ name, text, reason string }{
		{"a command", "OUT = a $(shell uname)\n", "the output of `uname`"},
		{"a name", "OUT = $(X_$(shell uname))x $(filter a,$(shell id))\n", "the output of `id`"},
		{"a branch that may be taken", "OUT = a\nifeq ($(shell uname),Linux)\nOUT += b\nendif\n", "the output of `uname`"},
		{"a branch that may not be taken", "ifneq ($(shell uname),Linux)\nelse\nOUT = b\nendif\n", "the output of `uname`"},
		{"ifdef of an unknown one", "A := $(shell uname)\nifdef A\nOUT = b\nendif\n", "the output of `uname`"},
		{"define in such a branch", "ifeq ($(shell uname),x)\ndefine OUT\nb\nendef\nendif\n", "the output of `uname`"},
		{"a function of later versions", "OUT = $(let a,b,$(a))\n", "$(let)"},
		{"itself", "OUT = $(OUT) a\n", "a variable that refers to itself"},
		{"no end", "OUT = $(subst a\n", "a reference that does not end"},
		{"an absent file", "include config.mk\nOUT = $(WITH_X)\n", "WITH_X, which the absent config.mk may set,"},
		{"a condition on an absent file", "include config.mk\nifdef WITH_X\nOUT = x\nendif\n", "WITH_X, which the absent config.mk may set,"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, err := Read(fstest.MapFS{"Makefile": {Data: []byte(tc.text)}}, "Makefile", Options{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := m.Expand("$(OUT)")
			var unknown *UnknownError
			if !errors.As(err, &unknown) {
				t.Fatalf("got %q, %v", got, err)
			}
			if diff := cmp.Diff(*unknown, UnknownError{Text: "$(OUT)", Reason: tc.reason}); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
		})
	}
	t.Run("what hangs on nothing unknown", func(t *testing.T) {
		text := "ifeq ($(shell uname),x)\nCFLAGS += -x\nendif\nOUT = a $(if ,$(CFLAGS))\n"
		m, err := Read(fstest.MapFS{"Makefile": {Data: []byte(text)}}, "Makefile", Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := m.Expand("$(OUT)"); got != "a " || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

func TestTemplate(t *testing.T) {
	fsys := fstest.MapFS{"Makefile.in": {Data: []byte("V = @VERSION@\nA = a\nOUT = $(A)\nifeq ($(V),9)\nB = b\nendif\n")}}
	m, err := Read(fsys, "Makefile.in", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.Expand("$(OUT)"); got != "a" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := m.Expand("$(B)"); !strings.Contains(errorText(err), "@VERSION@, which configure finds, is unknown") {
		t.Errorf("got %q, %v", got, err)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestCommandLine(t *testing.T) {
	fsys := fstest.MapFS{"Makefile": {Data: []byte("A = file\nA += more\nifeq ($(shell uname),x)\nA = maybe\nendif\n")}}
	m, err := Read(fsys, "Makefile", Options{Set: map[string]string{"A": "given"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.Expand("$(A) $(origin A)"); got != "given command line" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestBounds(t *testing.T) {
	doubling := "A0 = xxxxxxxxxxxxxxxx\n"
	for i := range 60 {
		a, b := string(rune('A'+i%26)), string(rune('A'+(i+1)%26))
		doubling += b + itoa(i+1) + " = $(" + a + itoa(i) + ")$(" + a + itoa(i) + ")\n"
	}
	for _, tc := range []struct{ name, text string }{
		{"doubling", doubling + "OUT := $(" + string(rune('A'+60%26)) + "60)\n"},
		{"foreach of foreach", "L = 1 2 3 4 5 6 7 8 9 10\nOUT := $(foreach a,$(L),$(foreach b,$(L),$(foreach c,$(L),$(foreach d,$(L),$(foreach e,$(L),$(foreach f,$(L),$(L)))))))\n"},
		{"eval of eval", "define F\n$$(eval $$(F))\nendef\n$(eval $(F))\n"},
		{"nested conditionals", strings.Repeat("ifdef X\n", 1000)},
		{"including itself", "include Makefile\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, err := Read(fstest.MapFS{"Makefile": {Data: []byte(tc.text)}}, "Makefile", Options{})
			if err == nil {
				_, err = m.Expand("$(OUT)")
			}
			if err != nil && !errors.Is(err, ErrTooMuch) && !errors.As(err, new(*UnknownError)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestTooMuch: functions that make much of little stop early.
func TestTooMuch(t *testing.T) {
	words := "W := $(foreach a,$(D),$(foreach b,$(D),$(foreach c,$(D),$(foreach d,$(D),w))))\n"
	for _, tc := range []struct{ name, value string }{
		{"patsubst", "$(patsubst %,$(W),$(W))"},
		{"addprefix", "$(addprefix $(W),$(W))"},
		{"a substitution", "$(W:%=$(W))"},
		{"subst", "$(subst w,$(W),$(W))"},
		{"filter", "$(filter %x %y $(addprefix %,$(W)),$(W))"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := "D := 0 1 2 3 4 5 6 7 8 9\n" + words + "OUT := " + tc.value + "\n"
			_, err := Read(fstest.MapFS{"Makefile": {Data: []byte(text)}}, "Makefile", Options{})
			if !errors.Is(err, ErrTooMuch) {
				t.Errorf("got %v, want %v", err, ErrTooMuch)
			}
		})
	}
}

func itoa(n int) string { return string(rune('0'+n/10)) + string(rune('0'+n%10)) }

func FuzzRead(f *testing.F) {
	for _, tc := range cases {
		f.Add(tc.text)
	}
	f.Add("OUT = \x000\x00")
	f.Add("$(eval $(value x))\nifeq (,$(\n")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Read(fstest.MapFS{"Makefile": {Data: []byte(text)}}, "Makefile", Options{})
		if err != nil {
			return
		}
		got, err := m.Expand("$(OUT)")
		if err == nil && strings.Contains(got, marker) {
			t.Errorf("a marker is left in %q", got)
		}
	})
}

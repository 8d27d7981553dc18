package alternatives

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// one is the link that most scripts below install.
var one = []Link{{Path: "/usr/bin/x", Name: "x", Target: "/usr/lib/x/x", Priority: 10}}

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		name, script string
		want         []Link
	}{
		{"plain", "update-alternatives --install /usr/bin/x x /usr/lib/x/x 10", one},
		{"by path, quiet", "/usr/bin/update-alternatives --quiet --install /usr/bin/x x /usr/lib/x/x 10 >/dev/null 2>&1", one},
		{"inside a branch", "case \"$1\" in\n  configure|abort-upgrade)\n  if [ -x /bin/true ]; then update-alternatives --install /usr/bin/x x /usr/lib/x/x 10; fi\n;;\nesac", one},
		{"variables", "D=/usr P='10'\nL=\"${D}/lib\"\nupdate-alternatives --install $D/bin/x x ${L}/x/x ${P}", one},
		{"default of an unset variable", "update-alternatives --install /usr/bin/x x ${ROOT:-/usr}/lib/x/x 10", one},
		{"split variable", "A='--install /usr/bin/x x'\nupdate-alternatives $A /usr/lib/x/x 10", one},
		{"split variable joined to text", "A=' x /usr/lib'\nupdate-alternatives --install /usr/bin/x$A/x/x 10", one},
		{"environment of dpkg", "update-alternatives --install /usr/bin/$DPKG_MAINTSCRIPT_PACKAGE x /usr/lib/x/x 10", one},
		{"unclean path", "update-alternatives --install /usr//bin/./x x /usr/lib/y/../x/x 10", one},
		{"comment and here-document", "# update-alternatives --install /a a /b 1\ncat <<EOF\nupdate-alternatives --install /a a /b 1\nEOF\nupdate-alternatives --install /usr/bin/x x /usr/lib/x/x 10", one},
		{"quoted text", "echo 'update-alternatives --install /a a /b 1'\nupdate-alternatives --install /usr/bin/x x /usr/lib/x/x 10", one},
		{"removal", "update-alternatives --remove x /usr/lib/x/x", nil},
		{"not a script", "\x7fELF\x00update-alternatives\xff", nil},
		{
			"continued, with slaves", "DIR=/d\nV=3\nupdate-alternatives \\\n  --install $DIR/a.c n-a $DIR/a-$V.c ${V}0 \\\n    --slave $DIR/b.c n-b $DIR/b-$V.c",
			[]Link{
				{Path: "/d/a.c", Name: "n-a", Target: "/d/a-3.c", Priority: 30},
				{Path: "/d/b.c", Name: "n-b", Target: "/d/b-3.c", Priority: 30, Slave: true},
			},
		},
		{
			"loops", "for d in /a /b; do\n for n in 1 2\n do\n  update-alternatives --install $d/$n n$n $d/lib/$n 5\n done\ndone",
			[]Link{
				{Path: "/a/1", Name: "n1", Target: "/a/lib/1", Priority: 5},
				{Path: "/a/2", Name: "n2", Target: "/a/lib/2", Priority: 5},
				{Path: "/b/1", Name: "n1", Target: "/b/lib/1", Priority: 5},
				{Path: "/b/2", Name: "n2", Target: "/b/lib/2", Priority: 5},
			},
		},
		{
			"slaves collected in a loop", "S=\nfor f in p q; do S=\"$S --slave /m/$f.1 $f.1 /n/$f.1\"; done\nupdate-alternatives --install /usr/bin/x x /usr/lib/x/x 10 $S",
			append(one[:1:1],
				Link{Path: "/m/p.1", Name: "p.1", Target: "/n/p.1", Priority: 10, Slave: true},
				Link{Path: "/m/q.1", Name: "q.1", Target: "/n/q.1", Priority: 10, Slave: true}),
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			vars := map[string]string{"DPKG_MAINTSCRIPT_PACKAGE": "x"}
			got, unread := Parse(tc.script, vars)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Parse() (-want +got):\n%s", diff)
			}
			if len(unread) > 0 || len(vars) != 1 {
				t.Errorf("Parse() left %v unread, variables %v", unread, vars)
			}
		})
	}
}

func TestParseUnknownValues(t *testing.T) {
	for _, tc := range []struct {
		name, script string
		want         []Unread
	}{
		{"command substitution", "\nupdate-alternatives --install /usr/bin/x x $(find /usr -name x) 10", []Unread{{2, "$(find /usr -name x) has no known value"}}},
		{"back quotes", "A=`uname`\nupdate-alternatives --install /usr/bin/x x /usr/$A 10", []Unread{{2, "$A has no known value"}}},
		{"pattern removal", "A=b\nupdate-alternatives --install /usr/bin/x x /usr/${A%b} 10", []Unread{{2, "${A%b} has no known value"}}},
		{"argument", "update-alternatives --install /usr/bin/x x \"/usr/$1\" 10", []Unread{{1, "$1 has no known value"}}},
		{"unset", "update-alternatives --install /usr/bin/x x /usr/$NO 10", []Unread{{1, "$NO has no known value"}}},
		{"changed in a branch", "A=a\nif true; then A=b; fi\nupdate-alternatives --install /usr/bin/x x /usr/$A 10", []Unread{{3, "$A has no known value"}}},
		{"changed after a test", "A=a\n[ -e /x ] && A=b\nupdate-alternatives --install /usr/bin/x x /usr/$A 10", []Unread{{3, "$A has no known value"}}},
		{"loop over files", "for f in /usr/lib/x/*; do update-alternatives --install /usr/bin/x x $f 10; done", []Unread{{1, "$f has no known value"}}},
		{"priority", "update-alternatives --install /usr/bin/x x /usr/lib/x ten", []Unread{{1, `priority "ten" is not a number`}}},
		{"too few words", "update-alternatives --install /usr/bin/x", []Unread{{1, "--install needs LINK NAME PATH PRIORITY"}}},
		{"relative", "update-alternatives --install bin/x x /usr/lib/x 1", []Unread{{1, `link "bin/x" to "/usr/lib/x" is not absolute`}}},
		{"exponential growth", "A=aaaaaaaaaaaaaaaa\nfor i in 1 2 3 4 5 6 7 8 9 10 11 12 13; do A=$A$A; done\nupdate-alternatives --install /x x /$A 1", []Unread{{3, "$A has no known value"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			links, got := Parse(tc.script, nil)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Parse() unread (-want +got):\n%s", diff)
			}
			if len(links) > 0 {
				t.Errorf("Parse() = %v, want no link", links)
			}
		})
	}
}

func TestParseLimits(t *testing.T) {
	loops := strings.Repeat("for i in 1 2 3 4 5 6 7 8 9; do ", 12)
	_, unread := Parse("true update-alternatives\n"+loops+strings.Repeat("done;", 12), nil)
	if len(unread) != 1 || !strings.Contains(unread[0].Reason, "steps") {
		t.Errorf("Parse() of twelve nested loops left %v unread, want one entry about steps", unread)
	}
	value := "a='" + strings.Repeat("x ", 20000) + "'\n"
	for _, script := range []string{
		"update-alternatives " + strings.Repeat("$a ", 200000),
		"for i in " + strings.Repeat("$a ", 200000) + "; do update-alternatives --install /x x /$i 1; done",
	} {
		if _, unread = Parse(value+script, nil); len(unread) != 1 {
			t.Errorf("Parse() of %.30q…, which expands to eight gigabytes, left %v unread, want one", script, unread)
		}
	}
	_, unread = Parse("update-alternatives"+strings.Repeat(" ", maxScript), nil)
	if len(unread) != 1 {
		t.Errorf("Parse() of a huge script left %v unread, want one", unread)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("D=/usr\nfor x in a b; do update-alternatives --install $D/$x $x ${D:-/}/lib/$x 1 --slave /m m /n; done")
	f.Add("case \"$1\" in configure) update-alternatives --install '/a' \"b$x\" /`c` 3;; esac <<E\nE\n")
	f.Add("update-alternatives\nif a; then for; do done; fi }")
	f.Fuzz(func(t *testing.T, script string) {
		links, _ := Parse(script, nil)
		for _, l := range links {
			if !strings.HasPrefix(l.Path, "/") || !strings.HasPrefix(l.Target, "/") {
				t.Errorf("Parse() returned a relative link %+v", l)
			}
		}
		again, _ := Parse(script, nil)
		if diff := cmp.Diff(links, again); diff != "" {
			t.Errorf("Parse() twice differs:\n%s", diff)
		}
	})
}

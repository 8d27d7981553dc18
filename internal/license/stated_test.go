package license

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStated(t *testing.T) {
	const prose = "\nThis is free.\n\nCopyright (C) 2001 Somebody\n"
	for _, tc := range []struct {
		name, text string
		want       License
	}{
		{"machine-readable", one("Expat"), License{Expression: "MIT"}},
		{"prose", prose, License{"LicenseRef-libstdc-plus-plus-copyright", []Reference{{
			"LicenseRef-libstdc-plus-plus-copyright", "copyright file of libstdc++", strings.TrimSpace(prose),
		}}}},
		{"without a text", one("public-domain"), License{"LicenseRef-public-domain", []Reference{{
			"LicenseRef-public-domain", "public-domain", strings.TrimSpace(one("public-domain")),
		}}}},
		{"empty", "", License{"LicenseRef-libstdc-plus-plus-copyright", []Reference{{
			"LicenseRef-libstdc-plus-plus-copyright", "copyright file of libstdc++", "The copyright file of libstdc++ is empty.",
		}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var read License
			if c, err := Read(tc.text); err == nil {
				read, _ = c.Upstream()
			}
			got := Stated("libstdc++", tc.text, read)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Stated() (-want +got):\n%s", diff)
			}
			if err := Valid(got.Expression); err != nil {
				t.Error(err)
			}
		})
	}
	for _, name := range []string{"a", "", "++", "ü"} {
		if err := Valid(Unstated(name).Expression); err != nil {
			t.Errorf("Unstated(%q): %v", name, err)
		}
	}
}

func TestRenamed(t *testing.T) {
	l := License{"(MIT OR LicenseRef-a) AND LicenseRef-ab AND GPL-2.0-only WITH Bison-exception-2.2 AND LicenseRef-a", []Reference{{ID: "LicenseRef-a", Text: "1"}}}
	got := l.Renamed(func(r Reference) string { return r.ID + "-" + r.Text })
	want := License{"(MIT OR LicenseRef-a-1) AND LicenseRef-ab- AND GPL-2.0-only WITH Bison-exception-2.2 AND LicenseRef-a-1", []Reference{{ID: "LicenseRef-a-1", Text: "1"}, {ID: "LicenseRef-ab-"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Renamed() (-want +got):\n%s", diff)
	}
}

func TestNotices(t *testing.T) {
	const many = "Format: x\n\nFiles: *\nCopyright: 2001 A\n  2002  B\n .\nLicense: Expat\n\nFiles: x/*\nCopyright: 2002 B\n 2003 C\nLicense: ISC\n\nFiles: debian/*\nCopyright: D\nLicense: Expat\n"
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"machine-readable", many, []string{"2001 A", "2002 B", "2003 C"}},
		{"prose", "Copyright 1999, 2000 A\n  (c) 2001 B\n  Copyright © C\nCopyright 2001,\n  2002 D,\n\nThe copyright holders may not sue.\nCopyright 1999, 2000 A\nAll (c) rights.\n", []string{"Copyright 1999, 2000 A", "(c) 2001 B", "Copyright © C", "Copyright 2001, 2002 D,"}},
		{"none", "free", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := ProseNotices(tc.text)
			if c, err := Read(tc.text); err == nil {
				got = c.Notices()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("the notices (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNoticesLimits checks an input for which a quadratic algorithm would take minutes.
func TestNoticesLimits(t *testing.T) {
	got := ProseNotices("Copyright 2001,\n" + strings.Repeat(",\n", 1<<19))
	if len(got) != 1 || len(got[0]) != len("Copyright 2001,")+2<<19 {
		t.Errorf("%d notices", len(got))
	}
}

// TestValidErrors checks invalid expressions.
func TestValidErrors(t *testing.T) {
	for _, text := range []string{"", "(", "MIT AND (", "(MIT", "MIT)", "()", "MIT WITH", "MIT MIT", "+"} {
		if err := Valid(text); err == nil {
			t.Errorf("Valid(%q) = nil", text)
		}
	}
}

package license

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"
	"github.com/google/go-cmp/cmp"
)

// one returns a copyright file with one Files paragraph.
func one(license string) string {
	return "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nCopyright: 2026 Someone\nLicense: " + license + "\n"
}

// TestSynopsis checks first lines of License fields in Debian packages.
func TestSynopsis(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"GPL-2+", "GPL-2.0-or-later"},
		{"GPL-2.0+", "GPL-2.0-or-later"},
		{"GPLv3+", "GPL-3.0-or-later"},
		{"GPL-3", "GPL-3.0-only"},
		{"GPL-2-only", "GPL-2.0-only"},
		{"GPL", "GPL-1.0-or-later"},
		{"LGPL", "LGPL-2.0-or-later"},
		{"LGPL-2.1+", "LGPL-2.1-or-later"},
		{"LGPLv2.1", "LGPL-2.1-only"},
		{"AGPL-3", "AGPL-3.0-only"},
		{"GPL-7+", "LicenseRef-GPL-7-plus"},
		{"GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"},
		{"GFDL-1.3+-no-invariant", "GFDL-1.3-no-invariants-or-later"},
		{"GFDL-1.2", "GFDL-1.2-only"},
		{"PostgreSQL", "PostgreSQL"},
		{"postgresql", "PostgreSQL"},
		{"Expat", "MIT"},
		{"MIT/X11", "MIT"},
		{"BSD-3-clause", "BSD-3-Clause"},
		{"BSD-3-clause-PADL", "LicenseRef-BSD-3-clause-PADL"},
		{"Apache-2", "Apache-2.0"},
		{"Artistic", "Artistic-1.0-Perl"},
		{"zlib", "Zlib"},
		{"MPL-2", "MPL-2.0"},
		{"MPL-1.1+", "MPL-1.1+"},
		{"OPL-1+", "LicenseRef-OPL-1-plus"}, // the Open Publication License; OPL-1.0 is another
		{"zlib/libpng", "Zlib"},
		{"SIL-1.1", "OFL-1.1"},
		{"UFL-1.0", "Ubuntu-font-1.0"},
		{"ISC-License", "ISC"},
		{"OpenLDAP-2.8", "OLDAP-2.8"},
		{"CC0", "CC0-1.0"},
		{"CC0 license", "CC0-1.0"},
		{"public-domain", "LicenseRef-public-domain"},
		{"PD", "LicenseRef-public-domain"},
		{"FSF_All permissive", "LicenseRef-FSF-All-permissive"},
		{"perl", "Artistic-1.0-Perl OR GPL-1.0-or-later"},
		{"GPL-2+ with Autoconf exception", "LicenseRef-GPL-2-plus-with-Autoconf-exception"}, // five have that name
		{"GPL-2+ with Autoconf-data exception", "GPL-2.0-or-later WITH Autoconf-exception-generic"},
		{"GPL-3+ with autoconf-data exception", "GPL-3.0-or-later WITH Autoconf-exception-generic-3.0"},
		{"GPL-3+ with Autoconf generic exception", "GPL-3.0-or-later WITH Autoconf-exception-generic-3.0"},
		{"GPL-3+ with Autoconf Macro's Exception", "GPL-3.0-or-later WITH Autoconf-exception-macro"},
		{"GPL-3+ with Autoconf-2.0~Archive exception", "GPL-3.0-or-later WITH Autoconf-exception-macro"},
		{"GPL-3.0-or-later-WITH-Autoconf-exception-macro", "GPL-3.0-or-later WITH Autoconf-exception-macro"},
		{"GPL-3+ with Bison-2.2 exception", "GPL-3.0-or-later WITH Bison-exception-2.2"},
		{"GPL-2+ with Bison exception", "LicenseRef-GPL-2-plus-with-Bison-exception"},
		{"GPL-3+ with GCC exception", "GPL-3.0-or-later WITH GCC-exception-3.1"},
		{"GPL-3+ with GCC-Runtime-3.1 exception", "GPL-3.0-or-later WITH GCC-exception-3.1"},
		{"GPL-2+ with GCC exception", "LicenseRef-GPL-2-plus-with-GCC-exception"},
		{"GPL-2 with Classpath exception", "GPL-2.0-only WITH Classpath-exception-2.0"},
		{"GPL-3+-WITH-BISON-EXCEPTION", "GPL-3.0-or-later WITH Bison-exception-2.2"},
		{"GPL-2+-libtool-exception", "GPL-2.0-or-later WITH Libtool-exception"},
		{"Apache-2.0 with LLVM exception", "Apache-2.0 WITH LLVM-exception"},
		{"GPL-2 with Linux-syscall-note exception", "GPL-2.0-only WITH Linux-syscall-note"},
		{"GPL-2 with Linux-syscall-note", "GPL-2.0-only WITH Linux-syscall-note"},
		{"Expat with advertising restriction", "LicenseRef-Expat-with-advertising-restriction"},
		{"GPL-2+ with OpenSSL exception", "LicenseRef-GPL-2-plus-with-OpenSSL-exception"},
		{"GPL-1+ or Artistic", "GPL-1.0-or-later OR Artistic-1.0-Perl"},
		{"GPL-2+ and BSD-3-clause and GPL-2+", "GPL-2.0-or-later AND BSD-3-Clause"},
		{"GPL-2+ or Artistic and Expat", "GPL-2.0-or-later OR Artistic-1.0-Perl AND MIT"},
		{"GPL-1+ or Artistic, and BSD-3-clause", "(GPL-1.0-or-later OR Artistic-1.0-Perl) AND BSD-3-Clause"},
		{"REGCOMP, and GPL-1+ or Artistic", "LicenseRef-REGCOMP AND (GPL-1.0-or-later OR Artistic-1.0-Perl)"},
		{"Expat and ISC, or Apache-2.0", "MIT AND ISC OR Apache-2.0"},
		{"Expat, ISC", "MIT AND ISC"},
		{"Expat, ISC, or Apache-2.0", "MIT OR ISC OR Apache-2.0"},
		{"Expat, ISC, and Apache-2.0", "MIT AND ISC AND Apache-2.0"},
		{"Expat, or ISC, zlib, and Apache-2.0", "(MIT OR ISC) AND Zlib AND Apache-2.0"},
		{"GPL-2+ with distribution exception, Expat and ISC", "LicenseRef-GPL-2-plus-with-distribution-exception AND MIT AND ISC"},
		{"ISC and/or LGPL-2.1+", "ISC AND LGPL-2.1-or-later"},
		{"libpng OR Apache-2.0 OR BSD-3-clause", "Libpng OR Apache-2.0 OR BSD-3-Clause"},
		{"(GPL-2 or Expat) and ISC", "(GPL-2.0-only OR MIT) AND ISC"},
		{"((Expat))", "MIT"},
	} {
		t.Run(tc.in, func(t *testing.T) {
			c, err := Read(one(tc.in))
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Upstream()
			if err != nil || got.Expression != tc.want {
				t.Errorf("Upstream() = %q, %v; want %q", got.Expression, err, tc.want)
			}
		})
	}
}

// many is a copyright file with several kinds of paragraphs.
const many = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: geo

Files: *
Copyright: 2001 A
License: GPL-2+

Files: src/*.c
 ./src/sub/?.h
Copyright: 2002 B
License: Expat or Apache-2.0

Files: doc/*
Copyright: 2003 C
License: custom

Files: old/*
License: ISC

Files: old/*
License:
 Do what you like
 .
 with this.

Files: debian/* ./debian/patches/x
Copyright: 2004 D
License: GPL-3+

License: Custom
 Permission is granted.
 .
 No warranty.
`

func TestScopes(t *testing.T) {
	c, err := Read(many)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Upstream()
	if err != nil {
		t.Fatal(err)
	}
	want := License{
		Expression: "GPL-2.0-or-later AND (MIT OR Apache-2.0) AND LicenseRef-custom AND LicenseRef-unnamed-a177fa004ce003c7",
		References: []Reference{
			{ID: "LicenseRef-custom", Name: "custom", Text: "Permission is granted.\n\nNo warranty."},
			{ID: "LicenseRef-unnamed-a177fa004ce003c7", Text: "Do what you like\n\nwith this."},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Upstream() (-want +got):\n%s", diff)
	}
}

// TestTextInPlaceOfAName checks a License field with a text instead of a name.
func TestTextInPlaceOfAName(t *testing.T) {
	c, err := Read(one("Permission to use, copy, modify and distribute\n this software is granted."))
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Upstream()
	if err != nil {
		t.Fatal(err)
	}
	want := License{"LicenseRef-unnamed-f15f1576e83a8b19", []Reference{{ID: "LicenseRef-unnamed-f15f1576e83a8b19", Text: "Permission to use, copy, modify and distribute\nthis software is granted."}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Upstream() (-want +got):\n%s", diff)
	}
}

func TestReadErrors(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"prose", "This package was debianized by A.\n\nCopyright:\n\n    GPL\n", ErrNotMachineReadable.Error()},
		{"empty", "", ErrNotMachineReadable.Error()},
		{"no header", "Upstream-Name: x\nLicense: GPL\n", ErrNotMachineReadable.Error()},
		{"syntax error", one("GPL") + "\nComment: x\n\nno field\n", `reading a copyright file: line 9: "no field" is not a field: it has no colon`},
		{"two licences", one("GPL") + "License: ISC\n", `reading a copyright file: line 6: field License appears twice`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Read(tc.text)
			if err == nil || err.Error() != tc.want {
				t.Errorf("Read() error = %v, want %s", err, tc.want)
			}
		})
	}
	if _, err := Read("x"); !errors.Is(err, ErrNotMachineReadable) {
		t.Errorf("Read() error = %v, want ErrNotMachineReadable", err)
	}
}

func TestUpstreamWithoutFiles(t *testing.T) {
	header := "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
	for _, tc := range []struct{ name, text, want, wantErr string }{
		{"header's licence", header + "License: Expat\n", "MIT", ""},
		{"packaging only", header + "License: Expat\n\nFiles: debian/*\nLicense: GPL-3\n", "MIT", ""},
		{"no paragraph", header, "", "the copyright file has no Files paragraph for upstream's files"},
		{"too long", one(strings.Repeat("A or B and ", 300) + "C"), "LicenseRef-A OR LicenseRef-B AND LicenseRef-A OR LicenseRef-B AND LicenseRef-C", ""},
		{"paragraph without licence", header + "\nFiles: a b\nCopyright: x\n", "", "the paragraph of a b has no License field"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := Read(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Upstream()
			if got.Expression != tc.want || (err == nil) != (tc.wantErr == "") || err != nil && err.Error() != tc.wantErr {
				t.Errorf("Upstream() = %q, %v; want %q, %q", got.Expression, err, tc.want, tc.wantErr)
			}
		})
	}
}

func TestJoin(t *testing.T) {
	got := Join(
		License{Expression: "PostgreSQL"},
		License{},
		License{Expression: "MIT OR LicenseRef-b", References: []Reference{{ID: "LicenseRef-b"}}},
		License{Expression: "MIT AND LicenseRef-a AND PostgreSQL", References: []Reference{{ID: "LicenseRef-a"}}},
		License{Expression: "(MIT OR LicenseRef-b) AND ISC", References: []Reference{{ID: "LicenseRef-b"}}},
	)
	want := License{"PostgreSQL AND (MIT OR LicenseRef-b) AND MIT AND LicenseRef-a AND ISC", []Reference{{ID: "LicenseRef-a"}, {ID: "LicenseRef-b"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Join() (-want +got):\n%s", diff)
	}
	if got := Join(); got.Expression != "" {
		t.Errorf("Join() of nothing = %q", got.Expression)
	}
}

// TestUpstreamLimits checks inputs for which a quadratic algorithm would take hours.
func TestUpstreamLimits(t *testing.T) {
	const long = 1_000_000
	var names strings.Builder
	for i := 0; names.Len() < long; i++ {
		fmt.Fprintf(&names, "n%d, ", i)
	}
	for _, tc := range []struct{ name, text, want string }{
		{"brackets", one("a" + strings.Repeat(")", long)), "LicenseRef-unnamed-"},
		{"commas", one(names.String()), "LicenseRef-unnamed-"},
		{"slashes", one("Expat") + "\nFiles: " + strings.Repeat("a/", long/2-10) + " b\nLicense: ISC\n", "MIT AND ISC"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := Read(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := c.Upstream(); err != nil || !strings.HasPrefix(got.Expression, tc.want) {
				t.Errorf("Upstream() = %.80q, %v; want %s…", got.Expression, err, tc.want)
			}
		})
	}
}

// TestLoose checks syntax that the format does not allow and that existing files use:
// comments, which Debian Policy 5.1 allows in debian/control only, and duplicate fields.
func TestLoose(t *testing.T) {
	const text = "# by hand\nFormat: x\nFiles-Excluded:\n# not free\n  a.pdf\nComment: one\nComment: two\n more\n\n# Libraries\n\nFiles: *\nLicense: custom\n Do what\n# in between\n you like.\n\nComment: alone\n"
	c, err := Read(text)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Upstream()
	want := License{"LicenseRef-custom", []Reference{{ID: "LicenseRef-custom", Name: "custom", Text: "Do what\nyou like."}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Upstream() error = %v (-want +got):\n%s", err, diff)
	}
}

// TestTextsOfOneName checks that a reference has all texts of its name, and of names
// with the same ID.
func TestTextsOfOneName(t *testing.T) {
	c, err := Read("Format: x\n\nFiles: a\nLicense: public-domain or Expat\n No claim.\n\nFiles: b\nLicense: PD\n Given\n away.\n\nFiles: c d\nLicense: public-domain'\n No claim.\n\nFiles: e\nLicense: public-domain\n")
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Upstream()
	want := License{"(LicenseRef-public-domain OR MIT) AND LicenseRef-public-domain", []Reference{{ID: "LicenseRef-public-domain", Name: "public-domain", Text: "No claim.\n\nGiven\naway."}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Upstream() error = %v (-want +got):\n%s", err, diff)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(many)
	f.Add(one("GPL-1+ or Artistic, and (Expat or ISC with Font exception) AND ,\n text"))
	f.Add(one("GPL, Artistic-1+, or MPL-1.1+ and/or GPL-2.0-with-classpath-exception") + "Comment: a\n# b\n\nLicense: GPL\n " + grant2)
	f.Add("Format: x\n\nFiles: \\* [a] **\nLicense: ((((a or, b)and +\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Read(text)
		if err != nil {
			return
		}
		l, err := c.Upstream()
		if err != nil {
			if strings.Contains(err.Error(), "SPDX") {
				t.Errorf("Upstream() of %q: %v", text, err)
			}
			return
		}
		if err := Valid(l.Expression); err != nil {
			t.Errorf("Upstream() of %q: %v", text, err)
		}
		expressionWord.ReplaceAllStringFunc(l.Expression, func(word string) string {
			if old, _ := spdxlicenses.IsDeprecatedLicense(word); old {
				t.Errorf("Upstream() of %q: %s is deprecated", text, word)
			}
			return word
		})
		for _, r := range l.References {
			if !strings.Contains(l.Expression, r.ID) {
				t.Errorf("reference %s is not in %q", r.ID, l.Expression)
			}
		}
	})
}

package base

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/elf"
)

// A forky in small. What stands for a reason says it in its Depends.
const packages = `Package: apt
Version: 3.1
Architecture: amd64
Priority: important
Depends: libapt-pkg7.0

Package: bash
Version: 5.3
Architecture: amd64
Priority: required
Essential: yes
Pre-Depends: libc6

Package: ca-certificates
Version: 20260601
Architecture: all

Package: dash
Version: 0.5.12-12
Architecture: amd64
Priority: required
Recommends: recommended

Package: gnupg
Version: 2.4
Architecture: all

Package: libapt-pkg7.0
Version: 3.1
Architecture: amd64

Package: libc6
Version: 2.43-7
Architecture: amd64
Priority: optional

Package: libldap-common
Version: 2.6
Architecture: all

Package: libllvm21
Version: 21
Architecture: amd64

Package: libsasl2-modules
Version: 2.1
Architecture: amd64

Package: nobody-asked
Version: 1
Architecture: amd64
Priority: important

Package: perl-base
Version: 5.40
Architecture: amd64
Priority: required

Package: postgresql-18
Version: 18.6-1~deb14u1
Architecture: amd64
Depends: postgresql-common
Recommends: postgresql-18-jit

Package: postgresql-18-jit
Version: 18.6-1
Architecture: amd64
Depends: libllvm21

Package: postgresql-17
Version: 17.9-1
Architecture: amd64

Package: postgresql-common
Version: 290
Architecture: all
Depends: postgresql-client-common

Package: postgresql-client-common
Version: 290
Architecture: all

Package: recommended
Version: 1
Architecture: amd64
`

func load(t *testing.T, text string) *apt.Index {
	t.Helper()
	ix, err := apt.Load(t.Context(), nil, []apt.File{{
		Archive: "debian", Arch: "amd64",
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil },
	}}, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

func minimal(t *testing.T, text string) Base {
	t.Helper()
	b, err := MinimalProfile(load(t, text), 18)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMinimalProfile(t *testing.T) {
	b := minimal(t, packages)
	var got []string
	for _, p := range b.Packages {
		got = append(got, p.Name)
	}
	want := []string{
		"apt", "bash", "ca-certificates", "dash", "gnupg", "libapt-pkg7.0", "libc6", "libldap-common",
		"libsasl2-modules", "perl-base", "postgresql-18", "postgresql-client-common", "postgresql-common",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("packages (-got +want):\n%s", diff)
	}
	if b.Name != "cnpg-minimal" || b.Postgres != "18.6" {
		t.Errorf("the base is %s with PostgreSQL %s, want cnpg-minimal with 18.6", b.Name, b.Postgres)
	}
}

func TestMinimalProfileSaysWhatIsMissing(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"the server", strings.ReplaceAll(packages, "Package: postgresql-18\n", "Package: postgresql-16\n"), "computing the base cnpg-minimal: "},
		{"apt", strings.ReplaceAll(packages, "Package: apt\n", "Package: other\n"), "computing the base cnpg-minimal: the minimal system: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := MinimalProfile(load(t, tc.text), 18)
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("got %v, want %s…", err, tc.want)
			}
		})
	}
}

func TestPackage(t *testing.T) {
	b := minimal(t, packages)
	if p, ok := b.Package("libc6"); !ok || p.Version != "2.43-7" {
		t.Errorf("libc6: got %q, %v; want 2.43-7", p.Version, ok)
	}
	for _, name := range []string{"", "nobody-asked", "zzz"} {
		if p, ok := b.Package(name); ok {
			t.Errorf("%q: got %q, want none", name, p.Name)
		}
	}
}

func TestInstalled(t *testing.T) {
	list := make([]apt.Package, 1, 8)
	list[0] = apt.Package{Name: "libc6", Version: "2.43-7"}
	libc := elf.Provider{SONAME: "libc.so.6"}
	for _, tt := range []struct {
		name      string
		base      Base
		packages  []string
		libraries []elf.Provider
	}{
		{"a profile has to be learnt", Base{Packages: list}, []string{"libc6"}, nil},
		{"an image is known", Base{Image: "sha256:1", Packages: list, Libraries: []elf.Provider{libc}}, []string{"libc6", "unpackaged"}, []elf.Provider{libc}},
		{"an image without libraries is known too", Base{Image: "sha256:1", Packages: list}, []string{"libc6", "unpackaged"}, []elf.Provider{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			packages, libraries := tt.base.Installed()
			var names []string
			for _, p := range packages {
				names = append(names, p.Name)
			}
			if diff := cmp.Diff(tt.packages, names); diff != "" {
				t.Errorf("packages (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.libraries, libraries); diff != "" {
				t.Errorf("libraries (-want +got):\n%s", diff)
			}
		})
	}
	if spare := list[:2]; spare[1].Name != "" {
		t.Errorf("%s was written into the base's own list", spare[1].Name)
	}
}

func TestChecksum(t *testing.T) {
	b := minimal(t, packages)
	if got := minimal(t, packages).Checksum(); got != b.Checksum() {
		t.Errorf("twice: got %s, then %s", b.Checksum(), got)
	}
	if got := minimal(t, strings.ReplaceAll(packages, "2.43-7", "2.43-8")).Checksum(); got == b.Checksum() {
		t.Error("another libc6 has the same checksum")
	}
	one := Base{Packages: []apt.Package{{Name: "a", Version: "1", Arch: "all", SHA256: "00"}}}
	// printf 'a 1 all 00\n' | sha256sum
	if got, want := one.Checksum(), "a505ebf1917cf02f083e58f26eaadef0b9e4f777adfa4819dee715154056ffe6"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

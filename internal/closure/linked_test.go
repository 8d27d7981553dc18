package closure

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/debinfo"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/lock"
)

// As libmysqlclient.so is in Debian: a link in one package to a link in
// another one to a library in a third.
func TestLinked(t *testing.T) {
	const dir = "usr/lib/x86_64-linux-gnu/"
	link := func(from, to string) filetree.Entry {
		return filetree.Entry{Path: from, Kind: filetree.Symlink, Mode: 0o777, Link: to}
	}
	entries := [][]filetree.Entry{
		{link(dir+"libmysqlclient.so", "libmariadb.so"), link(dir+"libgone.so", "libnowhere.so"), link("opt/libopt.so", "/usr/lib/x86_64-linux-gnu/libmariadb.so.3")},
		{link(dir+"libmariadb.so", "libmariadb.so.3"), link("usr/lib/libmysqlclient.so", "old/libmysqlclient.so.1")},
		{{Path: dir + "libmariadb.so.3", Mode: 0o644}, {Path: "usr/lib/old/libmysqlclient.so.1", Mode: 0o644}, {Path: dir + "libtext.so", Mode: 0o644}},
	}
	names := []apt.Package{pkg("libmariadb-dev-compat", "mariadb", ""), pkg("libmariadb-dev", "mariadb", ""), pkg("libmariadb3", "mariadb", "")}
	all := make([]*debinfo.Info, len(entries))
	for i := range entries {
		tree, err := filetree.New(entries[i])
		if err != nil {
			t.Fatal(err)
		}
		all[i] = &debinfo.Info{Tree: tree}
	}
	object := elf.Object{Arch: "amd64", Type: "dyn", SONAME: "libmariadb.so.3"}
	old := elf.Object{Arch: "amd64", Type: "dyn", SONAME: "libmysqlclient.so.1"}
	all[2].Objects = map[string]elf.Object{dir + "libmariadb.so.3": object, "usr/lib/old/libmysqlclient.so.1": old}

	library := elf.Provider{Package: "libmariadb3", Path: dir + "libmariadb.so.3", SONAME: "libmariadb.so.3", Object: object}
	for _, tc := range []struct {
		name string
		want elf.Provider
	}{
		{"libmysqlclient.so", library},
		{"libmariadb.so", library},
		{"libmariadb.so.3", library},
		{"libgone.so", elf.Provider{}},
		{"libtext.so", elf.Provider{}},
		{"libopt.so", elf.Provider{}},
		{"libnever.so", elf.Provider{}},
	} {
		got, ok := Linked(tc.name, names, all)
		if diff := cmp.Diff(got, tc.want); diff != "" || ok != (tc.want.Package != "") {
			t.Errorf("Linked(%q) = %v (-got +want):\n%s", tc.name, ok, diff)
		}
	}

	data := LinkedData("libmysqlclient.so", library)
	if want := (Data{Package: "libmariadb3", From: dir + "libmariadb.so.3", To: "system/libmysqlclient.so"}); data != want {
		t.Errorf("LinkedData() = %+v, want %+v", data, want)
	}
	rest := Unlinked([]string{"libmysqlclient.so", "libodbc.so.2"}, []lock.DataFolder{data})
	if diff := cmp.Diff(rest, []string{"libodbc.so.2"}); diff != "" {
		t.Errorf("Unlinked() (-got +want):\n%s", diff)
	}
}

func TestReason(t *testing.T) {
	for _, tt := range []struct{ to, want string }{
		{"system/libmysqlclient.so", "library that the recipe bundles, under the name that it is opened by"},
		{"share/proj", "a bundled library reads it at run time"},
		{"share/system/x", "a bundled library reads it at run time"},
	} {
		if got := Reason(Data{Package: "p", From: "usr/x", To: tt.to}); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.to, got, tt.want)
		}
	}
}

package filetree

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func mustNew(t *testing.T, entries ...Entry) Tree {
	t.Helper()
	tree, err := New(entries)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestNewRefuses(t *testing.T) {
	for _, tc := range []struct {
		name    string
		entries []Entry
		want    string
	}{
		{"absolute", []Entry{{Path: "/etc/passwd"}}, `invalid path "/etc/passwd"`},
		{"escaping", []Entry{{Path: "../x"}}, `invalid path "../x"`},
		{"root", []Entry{{Path: "."}}, `invalid path "."`},
		{"twice", []Entry{{Path: "a"}, {Path: "b"}, {Path: "a"}}, `duplicate path "a"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := New(tc.entries)
			if err == nil || err.Error() != tc.want {
				t.Errorf("New() error = %v, want %q", err, tc.want)
			}
		})
	}
}

func TestResolve(t *testing.T) {
	tree := mustNew(t,
		Entry{Path: "usr/lib/libx.so.1.2", Kind: File},
		Entry{Path: "usr/lib/libx.so.1", Kind: Symlink, Link: "libx.so.1.2"},
		Entry{Path: "lib", Kind: Symlink, Link: "usr/lib"},
		Entry{Path: "etc/alternatives/x", Kind: Symlink, Link: "/usr/lib/libx.so.1"},
		Entry{Path: "up", Kind: Symlink, Link: "../../../usr/lib/libx.so.1"},
		Entry{Path: "loop", Kind: Symlink, Link: "loop"},
		Entry{Path: "gone", Kind: Symlink, Link: "nowhere"},
	)
	for _, tc := range []struct{ name, path, want string }{
		{"file", "usr/lib/libx.so.1.2", "usr/lib/libx.so.1.2"},
		{"relative", "usr/lib/libx.so.1", "usr/lib/libx.so.1.2"},
		{"through a directory link", "lib/libx.so.1", "usr/lib/libx.so.1.2"},
		{"absolute", "etc/alternatives/x", "usr/lib/libx.so.1.2"},
		{"dot dot stays inside", "up", "usr/lib/libx.so.1.2"},
		{"loop", "loop", ""},
		{"dangling", "gone", ""},
		{"absent", "usr/lib/liby.so", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, ok := tree.Resolve(tc.path)
			if ok != (tc.want != "") || e.Path != tc.want {
				t.Errorf("Resolve(%q) = %q, %v; want %q", tc.path, e.Path, ok, tc.want)
			}
		})
	}
}

func TestDump(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tree := mustNew(t,
		Entry{Path: "lib/x.so", Kind: File, Mode: 0o644, ModTime: at, Size: 3, SHA256: "0123456789abcdef"},
		Entry{Path: "lib", Kind: Dir, Mode: 0o755, ModTime: at},
		Entry{Path: "lib/y.so", Kind: Symlink, Mode: 0o777, ModTime: at, Link: "x.so"},
	)
	want := strings.TrimPrefix(`
d 0755 2026-03-01T12:00:00Z 0 - lib
f 0644 2026-03-01T12:00:00Z 3 0123456789ab lib/x.so
l 0777 2026-03-01T12:00:00Z 0 - lib/y.so -> x.so
`, "\n")
	if diff := cmp.Diff(want, tree.Dump()); diff != "" {
		t.Errorf("Dump() (-want +got):\n%s", diff)
	}
	if got := tree.Newest(); !got.Equal(at) {
		t.Errorf("Newest() = %v, want %v", got, at)
	}
	if got := tree.Under("lib").Len(); got != 2 {
		t.Errorf("Under(lib).Len() = %d, want 2", got)
	}
}

func TestReadAll(t *testing.T) {
	e := Entry{Path: "a", Kind: File, Size: 3, Content: Bytes([]byte("abc"))}
	if b, err := e.ReadAll(3); err != nil || string(b) != "abc" {
		t.Errorf("ReadAll(3) = %q, %v", b, err)
	}
	if _, err := e.ReadAll(2); err == nil {
		t.Error("ReadAll(2) of three bytes: no error")
	}
	lying := Entry{Path: "a", Kind: File, Size: 1, Content: Bytes([]byte("abc"))}
	if _, err := lying.ReadAll(2); err == nil {
		t.Error("ReadAll(2) of an entry that understates its size: no error")
	}
}

func TestHolding(t *testing.T) {
	before := Entry{Path: "a", Mode: 0o600, Size: 9, SHA256: "x"}
	e := before.Holding([]byte("abc"))
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-4 examples
	if e.Path != "a" || e.Mode != 0o600 || e.Size != 3 || e.SHA256 != want {
		t.Errorf("Holding() = %+v", e)
	}
	if b, err := e.ReadAll(3); err != nil || string(b) != "abc" {
		t.Errorf("ReadAll() = %q, %v", b, err)
	}
	if before.Content != nil || before.Size != 9 {
		t.Errorf("Holding changed what it was called on: %+v", before)
	}
}

package testmirror

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

func TestRoot(t *testing.T) {
	for _, tc := range []struct{ name, file, text, want string }{
		{
			"deb822", "sources.list.d/debian.sources",
			"Types: deb\n# URIs: http://comment.example/debian\nURIs:\n http://security.example/debian-security\n http://a.example/debian/\nSuites: x\n",
			"http://a.example/debian",
		},
		{
			"one line", "sources.list",
			"# deb http://no.example/debian x main\ndeb-src http://src.example/debian x\ndeb [arch=amd64] http://b.example/debian x main\n",
			"http://b.example/debian",
		},
		{"another archive", "sources.list.d/x.list", "deb https://c.example/apt x main\n", ""},
		{"another field", "sources.list.d/x.sources", "Types: deb\nX-Was: http://d.example/debian\n", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, tc.file)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(tc.text), 0o644); err != nil {
				t.Fatal(err)
			}
			if got := root(dir); got != tc.want {
				t.Errorf("root() = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestGetDownloadsOnce(t *testing.T) {
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests++
		_, _ = io.WriteString(w, "abc")
	}))
	defer server.Close()
	t.Setenv("PGEXT_TEST_MIRROR", server.URL+"/debian/")
	t.Setenv("PGEXT_TEST_CACHE", t.TempDir())
	const sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	for range 2 {
		got, err := os.ReadFile(Get(t, "pool/x.deb", sum))
		if err != nil || string(got) != "abc" {
			t.Errorf("Get() = %q, %v", got, err)
		}
	}
	if requests != 1 {
		t.Errorf("%d requests, want 1", requests)
	}
	if err := fetch(t.Context(), server.URL, filepath.Join(t.TempDir(), "x"), sum[1:]); err == nil {
		t.Error("another digest is no error")
	}
}

func TestAll(t *testing.T) {
	all := All(t, "forky", "amd64")
	if len(all) < 30000 {
		t.Errorf("forky has %d packages, want a whole archive", len(all))
	}
	for _, p := range all {
		if p.Name == "" || p.Filename == "" || len(p.SHA256) != 64 || p.Size == 0 {
			t.Fatalf("incomplete: %+v", p)
		}
	}
}

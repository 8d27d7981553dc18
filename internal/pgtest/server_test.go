package pgtest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/metadata"
)

func TestCommand(t *testing.T) {
	m := metadata.Server{
		ExtensionControlPath: "$system:/extensions/a/share", DynamicLibraryPath: "$libdir:/extensions/a/lib",
		LDLibraryPath: []string{"/extensions/a/system", "/extensions/b/lib"}, Path: []string{"/extensions/a/bin"},
		Env:                    []metadata.EnvVar{{Name: "PROJ_DATA", Value: "/extensions/a/share/proj"}},
		SharedPreloadLibraries: []string{"pgaudit", "a"},
		Parameters:             map[string]string{"wal_level": "replica", "a.level": "very high"},
		OutputPlugins:          []string{"decoder"},
	}
	in := Input{Postgres: 18, Version: "18.6", Preload: []string{"a", "more"}}
	args, env := in.command(m)
	for _, want := range []string{
		"a.level=very high", "wal_level=replica", "shared_preload_libraries=pgaudit,a,more",
		"extension_control_path=$system:/extensions/a/share", "dynamic_library_path=$libdir:/extensions/a/lib",
		"output_plugin_libraries=pgoutput,test_decoding,decoder",
	} {
		if !strings.Contains(strings.Join(args, "\n")+"\n", "-c\n"+want+"\n") {
			t.Errorf("%s is not among %q", want, args)
		}
	}
	want := []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/extensions/a/bin",
		"HOME=/var/lib/postgresql", "LANG=C.UTF-8", "TZ=Etc/UTC", "USER=postgres",
		"LD_LIBRARY_PATH=/extensions/a/system:/extensions/b/lib", "PROJ_DATA=/extensions/a/share/proj",
	}
	if diff := cmp.Diff(env, want); diff != "" {
		t.Errorf("environment (-got +want):\n%s", diff)
	}

	t.Run("a server without output_plugin_libraries", func(t *testing.T) {
		in.Version = "18.5"
		if args, _ := in.command(m); strings.Contains(strings.Join(args, "\n"), "output_plugin_libraries") {
			t.Errorf("got %q", args)
		}
	})
}

func TestImagesInOrder(t *testing.T) {
	image := func(name string, requires ...metadata.Requirement) Image {
		return Image{Metadata: metadata.Metadata{Name: name, Extensions: []metadata.Extension{{Name: name}}, Requires: requires}}
	}
	in := Input{Image: image("routing", metadata.Requirement{Extension: "geo"}), Others: []Image{image("other"), image("geo")}}
	var got []string
	for _, i := range in.images() {
		got = append(got, i.Metadata.Name)
	}
	if diff := cmp.Diff(got, []string{"geo", "routing", "other"}); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

func TestCatalogOrder(t *testing.T) {
	c := catalog{requires: map[string][]string{"a": {"b", "c"}, "b": {"c"}, "c": {"a"}, "x": nil}}
	for name, want := range map[string][]string{"a": {"c", "b", "a"}, "x": {"x"}, "unknown": {"unknown"}} {
		if diff := cmp.Diff(c.order(name), want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", name, diff)
		}
	}
}

// TestLogAccepts: the last message counts, however the log is split into writes.
func TestLogAccepts(t *testing.T) {
	const up, down = "LOG:  " + accepting + "\n", "LOG:  " + crashing + "\n"
	for _, tc := range []struct {
		name, log  string
		want       bool
		recovering bool
	}{
		{"nothing", "", false, false},
		{"started", up, true, false},
		{"crashed", down, false, true},
		{"recovered", down + up, true, false},
		{"crashed after its start", up + down, false, true},
		{"crashed again", down + up + down, false, true},
		{"recovered again", down + up + down + up, true, false},
		{"long ago", up + strings.Repeat("x", 3*keptLog), true, false},
		{"late", strings.Repeat("x", 3*keptLog) + up, true, false},
	} {
		for _, piece := range []int{1 << 30, 4096, 7, 1} {
			if piece < 4096 && len(tc.log) > keptLog {
				continue
			}
			l := newServerLog()
			for log := tc.log; log != ""; log = log[min(piece, len(log)):] {
				write(t, l, log[:min(piece, len(log))])
			}
			if got := l.accepts(0); got != tc.want {
				t.Errorf("%s, in pieces of %d: got %v, want %v", tc.name, piece, got, tc.want)
			}
			if _, got := l.crashed(0); got != tc.recovering {
				t.Errorf("%s, in pieces of %d: recovering %v, want %v", tc.name, piece, got, tc.recovering)
			}
			if l.accepts(l.mark()) {
				t.Errorf("%s: a message before the mark counts", tc.name)
			}
		}
	}
}

func write(t *testing.T, l *serverLog, text string) {
	t.Helper()
	if n, err := l.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("got %d, %v", n, err)
	}
}

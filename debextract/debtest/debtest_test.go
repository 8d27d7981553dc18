package debtest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/decompress"
	"github.com/pgext/pgext/internal/oracle"
)

func example(f decompress.Format) Deb {
	return Deb{
		Scripts:     map[string]string{"postinst": "#!/bin/sh\n", "conffiles": "/etc/x\n"},
		Compression: f,
		Files: []File{
			{Path: "usr/lib/x.so", Content: "abc"},
			{Path: "usr/lib/y.so", HardLink: "usr/lib/x.so"},
			{Path: "usr/lib/z.so", Link: "x.so"},
			{Path: "etc/x/", Mode: 0o700},
			{Path: "usr/" + strings.Repeat("long/", 60) + "name", Content: "z"},
		},
	}
}

var all = []decompress.Format{decompress.None, decompress.Gzip, decompress.XZ, decompress.Zstd}

func TestBuildTwice(t *testing.T) {
	for _, f := range all {
		if !bytes.Equal(Build(example(f)), Build(example(f))) {
			t.Errorf("%v: twice is not the same", f)
		}
	}
}

func TestDpkgDebReadsIt(t *testing.T) {
	program := oracle.Need(t, "dpkg-deb")
	for _, f := range all {
		file := filepath.Join(t.TempDir(), "x.deb")
		if err := os.WriteFile(file, Build(example(f)), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(program, "-c", file).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v: %s", f, err, out)
		}
		var names []string
		for line := range strings.Lines(string(out)) {
			if !strings.Contains(line, "long") {
				names = append(names, strings.Join(strings.Fields(line)[5:], " "))
			}
		}
		want := []string{
			"./", "./usr/", "./usr/lib/", "./usr/lib/x.so", "./usr/lib/y.so link to ./usr/lib/x.so",
			"./usr/lib/z.so -> x.so", "./etc/", "./etc/x/",
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("%v (-want +got):\n%s", f, diff)
		}
		if out, err := exec.Command(program, "-f", file, "Package").Output(); err != nil || string(out) != "test\n" {
			t.Errorf("%v: package %q, %v", f, out, err)
		}
	}
}

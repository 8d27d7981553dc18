package elf_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/elf/elftest"
	"github.com/pgext/pgext/internal/oracle"
)

func TestSymbols(t *testing.T) {
	module := elftest.Spec{
		Imports: []string{"dlopen", "RegisterBackgroundWorker"}, Exports: []string{"_PG_init", "_PG_output_plugin_init"},
		Versions: map[string][]string{"libc.so.6": {"GLIBC_2.34"}},
	}
	for _, tc := range []struct {
		name string
		spec elftest.Spec
		ask  []string
		want map[string]elf.Linkage
	}{
		{"a file without symbols", elftest.Spec{}, []string{"_PG_init", ""}, map[string]elf.Linkage{}},
		{"both kinds", module, []string{"_PG_output_plugin_init", "dlopen", "dlclose"}, map[string]elf.Linkage{
			"_PG_output_plugin_init": elf.Exported, "dlopen": elf.Imported,
		}},
		{"nothing is asked for", module, nil, map[string]elf.Linkage{}},
		{"a beginning is another name", module, []string{"_PG_output"}, map[string]elf.Linkage{}},
		{"an object file has no dynamic symbols", elftest.Spec{Type: "rel"}, []string{"x"}, map[string]elf.Linkage{}},
		{"a name that is longer than the longest", elftest.Spec{Exports: []string{strings.Repeat("x", 300)}}, []string{strings.Repeat("x", 300)}, map[string]elf.Linkage{}},
	} {
		for _, arch := range []string{"amd64", "armhf", "powerpc"} {
			t.Run(tc.name+" "+arch, func(t *testing.T) {
				spec := tc.spec
				spec.Arch, spec.Stripped = arch, true
				b := elftest.Build(spec)
				got, err := elf.Symbols(bytes.NewReader(b), int64(len(b)), tc.ask...)
				if err != nil {
					t.Fatalf("Symbols: %v", err)
				}
				if diff := cmp.Diff(got, tc.want); diff != "" {
					t.Errorf("Symbols() (-got +want):\n%s", diff)
				}
			})
		}
	}
}

func TestSymbolsRefuses(t *testing.T) {
	if _, err := elf.Symbols(strings.NewReader("#!/bin/sh"), 9, "x"); !errors.Is(err, elf.ErrNotELF) {
		t.Errorf("Symbols(a script): %v, want ErrNotELF", err)
	}
	whole := elftest.Build(elftest.Spec{Exports: []string{"a", "b", "c"}, Stripped: true})
	for n := 64; n < len(whole); n += 24 {
		_, err := elf.Symbols(bytes.NewReader(whole[:n]), int64(n), "a")
		var format *elf.FormatError
		if err != nil && !errors.As(err, &format) {
			t.Errorf("Symbols(the first %d bytes): %v, want a *FormatError", n, err)
		}
	}
	claims := bytes.Clone(whole) // a hash table for more symbols than there are
	at := bytes.Index(claims, []byte{1, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0})
	if at < 0 {
		t.Fatal("the fixture has no hash table")
	}
	claims[at+4] = 200
	if _, err := elf.Symbols(bytes.NewReader(claims), int64(len(claims)), "a"); err == nil {
		t.Error("Symbols takes a hash table at its word, beyond the end of the file")
	}
	claims[at+7] = 200
	if _, err := elf.Symbols(bytes.NewReader(claims), int64(len(claims)), "a"); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("Symbols with billions of symbols: %v, want a limit", err)
	}
}

// readelf lists the same symbols, of files for this machine and another.
func TestSymbolsAgreeWithReadelf(t *testing.T) {
	readelf := oracle.Need(t, "readelf")
	line := regexp.MustCompile(`(?m)^ *\d+: .* (?:GLOBAL|WEAK|UNIQUE) +\w+ +(?:\[.*\] +)?(\w+) +([^@\s]+)`)
	files := slices.Concat(installed(t)[:50], foreign(t)[:20])
	compared := 0
	for _, name := range files {
		out, err := exec.CommandContext(t.Context(), readelf, "--wide", "--dyn-syms", name).Output()
		if err != nil {
			continue // a file with features of another machine
		}
		want := map[string]elf.Linkage{}
		var ask []string
		for _, m := range line.FindAllStringSubmatch(string(out), -1) {
			if len(m[2]) > 256 { // the longest name that is looked for
				continue
			}
			linkage := elf.Exported
			if m[1] == "UND" {
				linkage = elf.Imported
			}
			want[m[2]] = max(want[m[2]], linkage)
			ask = append(ask, m[2])
			compared++
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := elf.Symbols(bytes.NewReader(b), int64(len(b)), ask...)
		if err != nil {
			t.Errorf("Symbols(%s): %v", name, err)
		} else if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("Symbols(%s) (-got +readelf):\n%s", name, diff)
		}
	}
	if compared < 1000 {
		t.Errorf("compared %d symbols, want more", compared)
	}
}

func FuzzSymbols(f *testing.F) {
	f.Add([]byte("\x7fELF"))
	for _, arch := range []string{"amd64", "armhf", "powerpc"} {
		f.Add(elftest.Build(elftest.Spec{Arch: arch, Exports: []string{"a", "_PG_init"}, Imports: []string{"b"}}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := elf.Symbols(bytes.NewReader(b), int64(len(b)), "a", "b", "_PG_init")
		if len(got) > 3 || err != nil && got != nil {
			t.Errorf("Symbols() = %v, %v", got, err)
		}
	})
}

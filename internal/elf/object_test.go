package elf

import (
	"bytes"
	"debug/elf"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/elf/elftest"
)

func read(b []byte) (Object, error) { return Read(bytes.NewReader(b), int64(len(b))) }

// everything is a file that has all this package looks at.
var everything = elftest.Spec{
	SONAME: "libx.so.1", Needed: []string{"libc.so.6", "liby.so.2", "libc.so.6"},
	Rpath: []string{"/opt/x"}, Runpath: []string{"/a", "", "$ORIGIN"}, Interp: "/lib64/ld-linux-x86-64.so.2",
	Versions: map[string][]string{"libc.so.6": {"GLIBC_2.38", "GLIBC_2.2.5"}, "liby.so.2": {"Y_1"}},
	Weak:     map[string][]string{"liby.so.2": {"Y_2"}},
	Defines:  []string{"X_1", "X_2"},
}

func TestRead(t *testing.T) {
	stripped := everything
	stripped.Stripped = true
	full := Object{
		Arch: "amd64", Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB, Machine: elf.EM_X86_64, Type: "dyn",
		SONAME: "libx.so.1", Needed: []string{"libc.so.6", "liby.so.2", "libc.so.6"},
		Rpath: []string{"/opt/x"}, Runpath: []string{"/a", "", "$ORIGIN"}, Interp: "/lib64/ld-linux-x86-64.so.2",
		Versions: []Need{
			{Library: "libc.so.6", Versions: []string{"GLIBC_2.38", "GLIBC_2.2.5"}},
			{Library: "liby.so.2", Versions: []string{"Y_1"}, Weak: []string{"Y_2"}},
		},
		Defines: []string{"libx.so.1", "X_1", "X_2"},
	}
	for _, tc := range []struct {
		name string
		spec elftest.Spec
		want Object
	}{
		{"everything", everything, full},
		{"without section headers", stripped, full},
		{
			"nothing",
			elftest.Spec{},
			Object{Arch: "amd64", Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB, Machine: elf.EM_X86_64, Type: "dyn"},
		},
		{
			"big endian program",
			elftest.Spec{Arch: "s390x", Type: "exec", Needed: []string{"libc.so.6"}},
			Object{Arch: "s390x", Class: elf.ELFCLASS64, Data: elf.ELFDATA2MSB, Machine: elf.EM_S390, Type: "exec", Needed: []string{"libc.so.6"}},
		},
		{
			"relocatable",
			elftest.Spec{Type: "rel"},
			Object{Arch: "amd64", Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB, Machine: elf.EM_X86_64, Type: "rel"},
		},
		{
			"32 bits",
			elftest.Spec{Arch: "armhf", SONAME: "liba.so", Versions: map[string][]string{"libc.so.6": {"GLIBC_2.4"}}},
			Object{
				Arch: "armhf", Class: elf.ELFCLASS32, Data: elf.ELFDATA2LSB, Machine: elf.EM_ARM, Type: "dyn", SONAME: "liba.so",
				Versions: []Need{{Library: "libc.so.6", Versions: []string{"GLIBC_2.4"}}},
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := read(elftest.Build(tc.spec))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Read() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadArchitectures(t *testing.T) {
	for _, arch := range []string{
		"amd64", "arm64", "armel", "armhf", "i386", "loong64", "mips64el", "mipsel", "powerpc", "ppc64", "ppc64el", "riscv64", "s390x", "x32",
	} {
		got, err := read(elftest.Build(elftest.Spec{Arch: arch, SONAME: "lib" + arch, Defines: []string{"V"}}))
		if err != nil || got.Arch != arch || got.SONAME != "lib"+arch {
			t.Errorf("%s: Read() = %q, SONAME %q, %v", arch, got.Arch, got.SONAME, err)
		}
	}
}

func TestArchByFlags(t *testing.T) {
	arm := header{machine: elf.EM_ARM, class: elf.ELFCLASS32, data: elf.ELFDATA2LSB}
	mips := header{machine: elf.EM_MIPS, class: elf.ELFCLASS32, data: elf.ELFDATA2MSB}
	for _, tc := range []struct {
		name  string
		h     header
		flags uint32
		want  string
	}{
		{"EABI 5 without a float mark", arm, 0x05000000, "armhf"},
		{"EABI 4", arm, 0x04000000, ""},
		{"o32", mips, 0x70001000, "mips"},
		{"n32", mips, 0x60000020, "mipsn32"},
		{"release 6", mips, 0x90000000, "mipsr6"},
		{"unknown machine", header{machine: 9999, class: elf.ELFCLASS64, data: elf.ELFDATA2LSB}, 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.h.flags = tc.flags
			if got := tc.h.arch(); got != tc.want {
				t.Errorf("arch() = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestReadForeign(t *testing.T) {
	for _, tc := range []struct{ name, content string }{
		{"empty", ""},
		{"short", "\x7fEL"},
		{"script", "#!/bin/sh\nexit 0\n"},
		{"archive", "!<arch>\n" + strings.Repeat("x", 80)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := read([]byte(tc.content)); !errors.Is(err, ErrNotELF) {
				t.Errorf("Read() error = %v, want ErrNotELF", err)
			}
		})
	}
}

// brokenDisk fails in the middle of a file.
type brokenDisk struct{ io.ReaderAt }

var errDisk = errors.New("disk on fire")

func (d brokenDisk) ReadAt(p []byte, off int64) (int, error) {
	if off > 4096 {
		return 0, errDisk
	}
	return d.ReaderAt.ReadAt(p, off)
}

func TestReadPassesErrorsOn(t *testing.T) {
	b := elftest.Build(elftest.Spec{SONAME: strings.Repeat("n", 4000), Needed: []string{strings.Repeat("m", 4000)}})
	_, err := Read(brokenDisk{bytes.NewReader(b)}, int64(len(b)))
	if !errors.Is(err, errDisk) {
		t.Errorf("Read() error = %v, want %v", err, errDisk)
	}
}

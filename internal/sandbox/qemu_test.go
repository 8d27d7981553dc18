package sandbox

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/pgext/pgext/internal/elf/elftest"
)

// TestFindEmulator: only an emulator without a dynamic loader is used, and its
// magic number matches the executables of its machine only.
func TestFindEmulator(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	program := func(name, interpreter string) {
		t.Helper()
		data := elftest.Build(elftest.Spec{Arch: "amd64", Type: "exec", Interp: interpreter})
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program("qemu-s390x-static", "/lib64/ld-linux-x86-64.so.2")
	program("qemu-s390x", "")
	program("qemu-riscv64", "/lib64/ld-linux-x86-64.so.2")

	at, ok := findQEMU("s390x")
	if want := filepath.Join(dir, "qemu-s390x"); !ok || at != want {
		t.Errorf("findQEMU(s390x) = %s, %v, want %s", at, ok, want)
	}
	if at, ok := findQEMU("riscv64"); ok {
		t.Errorf("findQEMU(riscv64) = %s, which needs a dynamic loader", at)
	}
	e := machines["s390x"].emulator(at)
	for _, tc := range []struct {
		spec elftest.Spec
		want bool
	}{
		{elftest.Spec{Arch: "s390x", Type: "exec"}, true},
		{elftest.Spec{Arch: "s390x", Type: "dyn"}, true},
		{elftest.Spec{Arch: "s390x", Type: "rel"}, false},
		{elftest.Spec{Arch: "ppc64el", Type: "exec"}, false},
		{elftest.Spec{Arch: "amd64", Type: "exec"}, false},
		{elftest.Spec{Arch: "arm64", Type: "exec"}, false},
	} {
		head := elftest.Build(tc.spec)[:len(e.Magic)]
		for i := range head {
			head[i] &= e.Mask[i]
		}
		if got := bytes.Equal(head, e.Magic); got != tc.want {
			t.Errorf("%s of type %s: %v\n% x\n% x", tc.spec.Arch, tc.spec.Type, got, head, e.Magic)
		}
	}

	own := map[string]string{"amd64": "amd64", "arm64": "arm64"}[runtime.GOARCH]
	if e, why := FindEmulator(own); own != "" && (e != nil || why != "") {
		t.Errorf("its own machine: %+v, %q", e, why)
	}
	for arch, want := range map[string]string{
		"riscv64": "this machine is " + runtime.GOARCH + ", and has no emulator of riscv64 (qemu-user-static)",
		"loong64": "this machine is " + runtime.GOARCH + ", and no emulator of loong64 is known",
		"vax":     "this machine is " + runtime.GOARCH + ", and no emulator of vax is known",
	} {
		if registered("qemu-" + arch) {
			continue
		}
		if e, why := FindEmulator(arch); e != nil || why != want {
			t.Errorf("%s: %q, want %q", arch, why, want)
		}
	}
}

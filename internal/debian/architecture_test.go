package debian

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/pgext/pgext/internal/oracle"
)

func TestLookupArchitecture(t *testing.T) {
	for _, want := range []Architecture{
		{"amd64", "amd64", "", "x86_64-linux-gnu"},
		{"arm64", "arm64", "", "aarch64-linux-gnu"},
		{"armhf", "arm", "v7", "arm-linux-gnueabihf"},
	} {
		if got, ok := LookupArchitecture(want.Name); !ok || got != want {
			t.Errorf("LookupArchitecture(%q) = %+v, %v; want %+v", want.Name, got, ok, want)
		}
	}
	for _, name := range []string{"", "all", "x86_64", "AMD64"} {
		if got, ok := LookupArchitecture(name); ok {
			t.Errorf("LookupArchitecture(%q) = %+v, want none", name, got)
		}
	}
}

func TestTuplesAgreeWithDpkgArchitecture(t *testing.T) {
	program := oracle.Need(t, "dpkg-architecture")
	for _, a := range Architectures() {
		if a.Name == "loong64" {
			continue // dpkg knows it since 1.22.1 only
		}
		out, err := exec.Command(program, "-a", a.Name, "-q", "DEB_HOST_MULTIARCH").Output()
		if err != nil {
			t.Errorf("dpkg-architecture -a %s: %v", a.Name, err)
			continue
		}
		if want := strings.TrimSpace(string(out)); a.Tuple != want {
			t.Errorf("%s: tuple %q, dpkg-architecture says %q", a.Name, a.Tuple, want)
		}
	}
}

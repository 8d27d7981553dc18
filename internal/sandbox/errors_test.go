package sandbox

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
)

func TestUnavailable(t *testing.T) {
	for _, tc := range []struct {
		name, path, value string
		want, hint        string
	}{
		{
			"limit", "user/max_user_namespaces", "0\n",
			"making a sandbox: user.max_user_namespaces is 0: operation not permitted",
			"allow it with: sudo sysctl -w user.max_user_namespaces=10000 (on a GitHub runner, as a step before pgext), or run pgext as root",
		},
		{
			"Debian's switch", "kernel/unprivileged_userns_clone", "0\n",
			"making a sandbox: kernel.unprivileged_userns_clone is 0: operation not permitted",
			"allow it with: sudo sysctl -w kernel.unprivileged_userns_clone=1 (on a GitHub runner, as a step before pgext), or run pgext as root",
		},
		{
			"AppArmor", "kernel/apparmor_restrict_unprivileged_userns", "1\n",
			"making a sandbox: kernel.apparmor_restrict_unprivileged_userns is 1: operation not permitted",
			"allow it with: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (on a GitHub runner, as a step before pgext), or run pgext as root",
		},
		{
			"something else", "kernel/unprivileged_userns_clone", "1\n",
			"making a sandbox: operation not permitted",
			"user namespaces are not allowed here; run pgext as root, or, in a container, ",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sys := fstest.MapFS{tc.path: {Data: []byte(tc.value)}}
			err := unavailable(sys, syscall.EPERM)
			if got := err.Error(); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if got := err.Hint(); !strings.HasPrefix(got, tc.hint) {
				t.Errorf("hint: got %q, want %q", got, tc.hint)
			}
			if !errors.Is(err, syscall.EPERM) {
				t.Error("the kernel's error is lost")
			}
		})
	}
}

package main

import (
	"bytes"
	"errors"
	"testing"
)

// What strangers call their files does nothing to a terminal.
func TestVisible(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"text", "größe\n\tof $libdir\n", "größe\n\tof $libdir\n"},
		{"escape", "lib/\x1b[2J\x1b]0;x\a.so", "lib/\ufffd[2J\ufffd]0;x\ufffd.so"},
		{"carriage return", "error\rfine", "error\ufffdfine"},
		{"eight bits", "a\x9b2Jb\u009b", "a\ufffd2Jb\ufffd"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := visible(tc.text); got != tc.want {
				t.Errorf("visible(%q) = %q, want %q", tc.text, got, tc.want)
			}
			var stderr bytes.Buffer
			a := &app{stdout: &stderr, stderr: &stderr}
			a.report(errors.New("x" + tc.text))
			if bytes.ContainsAny(stderr.Bytes(), "\x1b\r\a") {
				t.Errorf("report() wrote %q", stderr.String())
			}
		})
	}
}

package base

import (
	"testing"

	"github.com/pgext/pgext/internal/cache/cachetest"
)

// FuzzFromImage: whatever the package database, the lists of files and the
// loader's configuration say, what is read once is recalled the same.
func FuzzFromImage(f *testing.F) {
	f.Add(status, "/usr/lib/x86_64-linux-gnu/libc.so.6\n", "include *.conf\n/opt/lib\n")
	f.Add("Package: x\n\n\nPackage: y\nVersion: 1\nArchitecture: all\n", "/..\n//\n.\n", "include /etc/ld.so.conf\n")
	f.Add("", "", "")
	f.Fuzz(func(t *testing.T, database, list, config string) {
		c := cachetest.Open(t)
		o := operand(t, operandImage(t, nil,
			[2]string{"var/lib/dpkg/status", database}, [2]string{"var/lib/dpkg/info/libc6.list", list},
			[2]string{"etc/ld.so.conf", config}, [2]string{"usr/lib/x86_64-linux-gnu/libc.so.6", "elf libc.so.6"},
			[2]string{"usr/lib/postgresql/18/bin/postgres", "program"},
		))
		first, err := FromImage(t.Context(), o, c)
		if err != nil {
			return
		}
		again, known, err := Recall(o, c)
		if err != nil || !known || first.Checksum() != again.Checksum() || len(first.Libraries) != len(again.Libraries) {
			t.Errorf("Recall() = %v, %v, %d libraries; was %d", known, err, len(again.Libraries), len(first.Libraries))
		}
	})
}

package pgtest

import (
	"fmt"
	"io/fs"
	"os"
)

// Missing returns the first program that a test of a PostgreSQL major runs and
// that root, a root file system on disk, does not have where Debian has it; ""
// when all are there. A link counts, wherever it leads.
func Missing(root string, postgres int) (program string, err error) {
	dir, err := os.OpenRoot(root)
	if err != nil {
		return "", err
	}
	defer dir.Close() //nolint:errcheck // nothing is written
	bin := fmt.Sprintf("usr/lib/postgresql/%d/bin/", postgres)
	for _, program := range []string{bin + "postgres", bin + "initdb", bin + "psql", "usr/bin/tar"} {
		info, err := dir.Lstat(program)
		if err != nil || info.Mode().Type() != fs.ModeSymlink && info.Mode()&0o111 == 0 {
			return program, nil
		}
	}
	return "", nil
}

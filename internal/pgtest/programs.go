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
		if !hasProgram(dir, program) {
			return program, nil
		}
	}
	return "", nil
}

// hasProgram tells whether root has a program, or a link, at a path.
func hasProgram(root *os.Root, path string) bool {
	info, err := root.Lstat(path)
	return err == nil && (info.Mode().Type() == fs.ModeSymlink || info.Mode().IsRegular() && info.Mode()&0o111 != 0)
}

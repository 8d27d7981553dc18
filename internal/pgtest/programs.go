package pgtest

import (
	"fmt"
	"io/fs"
	"os"
)

// Missing returns the first program that a test needs and that the root file system
// in the folder root does not have at Debian's path; "" if it has all. A symbolic
// link counts as a program, whatever its target is.
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

// hasProgram reports whether root has an executable file or a link at path.
func hasProgram(root *os.Root, path string) bool {
	info, err := root.Lstat(path)
	return err == nil && (info.Mode().Type() == fs.ModeSymlink || info.Mode().IsRegular() && info.Mode()&0o111 != 0)
}

package layout

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/pgext/pgext/internal/filetree"
)

// maxShebang is the number of bytes that the kernel reads to find the interpreter
// of a script (BINPRM_BUF_SIZE since Linux 5.1).
const maxShebang = 256

// runnable drops the programs that cannot run in the base.
func (a *arrangement) runnable(files []placement) ([]placement, error) {
	kept := make([]placement, 0, len(files))
	for _, p := range files {
		if strings.HasPrefix(p.to, "bin/") {
			reason, err := a.cannotRun(p)
			if err != nil {
				return nil, err
			}
			if reason != "" {
				a.omitProgram(p, reason)
				continue
			}
		}
		kept = append(kept, p)
	}
	return kept, nil
}

// omitProgram drops a program and reports the reason.
func (a *arrangement) omitProgram(p placement, reason string) {
	a.dropped.add(p.pkg.Name, p.source.Path, "program: "+reason)
	a.find("PGX021", p.source.Path, "run the program in another image, over a connection to the server", "%s: %s", p.pkg.Name, reason)
}

// cannotRun returns the reason why a program cannot run in the base, "" if it can.
func (a *arrangement) cannotRun(p placement) (string, error) {
	if owner := a.packageOf(p.source.Origin.Package); owner != nil {
		if _, ok := owner.Objects[p.source.Origin.Path]; ok {
			return "", nil
		}
	}
	head, err := readHead(p.source, maxShebang)
	if err != nil {
		return "", fmt.Errorf("arranging %s: package %s: %w", a.in.Name, p.pkg.Name, err)
	}
	if bytes.HasPrefix(head, []byte("\x7fELF")) {
		return "", nil
	}
	rest, ok := bytes.CutPrefix(head, []byte("#!"))
	if !ok {
		return "neither an ELF file nor a script with #!", nil
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	interpreter := strings.TrimSpace(string(line))
	if a.in.Interpreter != nil && a.in.Interpreter(interpreter) {
		a.interpreters = append(a.interpreters, interpreter)
		return "", nil
	}
	return fmt.Sprintf("interpreter %s missing in the base", interpreter), nil
}

// readHead returns the first n bytes of a file, or all if it is shorter.
func readHead(e filetree.Entry, n int64) ([]byte, error) {
	if e.Content == nil {
		return nil, fmt.Errorf("reading %s: no content", e.Path)
	}
	r, err := e.Content.Open()
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", e.Path, err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, n))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", e.Path, err)
	}
	return b, nil
}

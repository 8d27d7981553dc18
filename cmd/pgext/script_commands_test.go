package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pgext/pgext/internal/oracle"
	"github.com/pgext/pgext/sign/signtest"
)

var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"archive":         cmdArchive,
	"tamper":          cmdTamper,
	"requests":        cmdRequests,
	"registry":        cmdRegistry,
	"vendor":          cmdVendor,
	"live":            cmdLive,
	"spoil":           cmdSpoil,
	"operand":         cmdOperand,
	"module":          cmdModule,
	"await":           cmdAwait,
	"exits":           cmdExits,
	"interrupts":      cmdInterrupts,
	"json":            cmdJSON,
	"remember":        cmdRemember,
	"untouched":       cmdUntouched,
	"nothing-written": cmdNothingWritten,
	"keys":            cmdKeys,
	"sigstore":        cmdSigstore,
	"cosign":          cmdCosign,
	"secret-free":     cmdSecretFree,
	"attached":        cmdAttached,
}

type stateKey struct{}

// scriptState is what the commands of one script share.
type scriptState struct {
	tb         testing.TB
	archives   map[string]*served
	remembered map[string]string
	registry   *scriptRegistry
	sigstore   *signtest.Sigstore
}

func stateOf(ts *testscript.TestScript) *scriptState { return ts.Value(stateKey{}).(*scriptState) }

// scriptCondition knows [confine]: DIR can be confined here.
func scriptCondition(cond string) (bool, error) {
	if cond != "confine" {
		return false, fmt.Errorf("unknown condition %q", cond)
	}
	return confinable(), nil
}

// cmdExits runs a command and wants an exact exit code.
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND …")
	}
	if args[1] == "confine" && !confinable() {
		oracle.Missing(stateOf(ts).tb, "mount-namespace", "not allowed here")
	}
	wantExit(ts, args[0], ts.Exec(args[1], args[2:]...))
}

func wantExit(ts *testscript.TestScript, want string, err error) {
	got := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(got) != want {
		ts.Fatalf("got exit code %d, want %s", got, want)
	}
}

// cmdInterrupts runs a command, sends it SIGINT when it has received half of a
// stalled file, and wants exit code 130.
func cmdInterrupts(ts *testscript.TestScript, neg bool, args []string) {
	a := stateOf(ts).archives["ARCHIVE"]
	if a == nil || neg || len(args) < 2 {
		ts.Fatalf("usage, after archive: interrupts PATTERN COMMAND …")
	}
	cmdTamper(ts, false, []string{"stall", args[0]})
	a.mu.Lock()
	asked := slices.Collect(maps.Values(a.stalled))
	a.mu.Unlock()
	pidFile := filepath.Join(ts.Getenv("WORK"), ".tmp", "pid")
	done := make(chan struct{})
	defer close(done)
	failed := make(chan error, len(asked))
	for _, c := range asked {
		go func() {
			select {
			case <-c:
				failed <- interrupt(pidFile)
			case <-done:
			}
		}()
	}
	// The shell writes its process id and becomes the command.
	err := ts.Exec("sh", append([]string{"-c", `echo $$ >"$0"; exec "$@"`, pidFile}, args[1:]...)...)
	select {
	case err := <-failed:
		ts.Check(err)
	default:
		ts.Fatalf("the command ended before it asked for %s", args[0])
	}
	ts.Check(os.Remove(pidFile))
	cmdTamper(ts, false, []string{"flow"})
	wantExit(ts, "130", err)
}

func interrupt(pidFile string) error {
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return err
	}
	return syscall.Kill(pid, syscall.SIGINT)
}

// cmdJSON looks at one field of a JSON file: numbers in the field's path are
// indexes, and "len" at its end is the length of a list. A value that is no string is
// compared in its compact form.
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: [!] json FILE FIELD [VALUE]")
	}
	var value any
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0])), &value); err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
	value, err := field(value, args[1])
	if err != nil && neg {
		return
	}
	ts.Check(err)
	got, ok := value.(string)
	if !ok {
		text, err := json.Marshal(value)
		ts.Check(err)
		got = string(text)
	}
	if len(args) == 2 && neg || len(args) == 3 && (got == args[2]) == neg {
		ts.Fatalf("%s is %s", args[1], got)
	}
}

func field(value any, at string) (any, error) {
	for key := range strings.SplitSeq(at, ".") {
		switch v := value.(type) {
		case map[string]any:
			inner, ok := v[key]
			if !ok {
				return nil, fmt.Errorf("%s: there is no %s among %q", at, key, slices.Sorted(maps.Keys(v)))
			}
			value = inner
		case []any:
			if key == "len" {
				return float64(len(v)), nil
			}
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(v) {
				return nil, fmt.Errorf("%s: %s is no index of a list of %d", at, key, len(v))
			}
			value = v[i]
		default:
			return nil, fmt.Errorf("%s: %v has no fields", at, value)
		}
	}
	return value, nil
}

// cmdRemember notes which files there are below the paths, and their inodes
// and times.
func cmdRemember(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		stateOf(ts).remembered[name] = inventory(ts, name)
	}
}

// cmdUntouched checks that since then no file was written, made or removed.
func cmdUntouched(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		before, ok := stateOf(ts).remembered[name]
		if !ok {
			ts.Fatalf("%s was not remembered", name)
		}
		if now := inventory(ts, name); (now == before) == neg {
			ts.Fatalf("%s: before:\n%s\nnow:\n%s", name, before, now)
		}
	}
}

func inventory(ts *testscript.TestScript, name string) string {
	var out strings.Builder
	walk(ts, ts.MkAbs(name), func(file string, info fs.FileInfo) {
		if info.IsDir() {
			return
		}
		inode := info.Sys().(*syscall.Stat_t).Ino
		fmt.Fprintf(&out, "%s inode %d, %d bytes, %s\n", file, inode, info.Size(), info.ModTime().Format(time.RFC3339Nano))
	})
	return out.String()
}

// cmdNothingWritten checks that below $WORK there is no lock, no image and no
// temporary file: a failed run leaves the cache, and nothing else.
func cmdNothingWritten(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: nothing-written")
	}
	work := ts.Getenv("WORK")
	walk(ts, work, func(file string, info fs.FileInfo) {
		name := filepath.Base(file)
		relative, err := filepath.Rel(work, file)
		ts.Check(err)
		inCache := strings.HasPrefix(relative, "cache/")
		switch {
		case inCache && filepath.Base(filepath.Dir(file)) == "tmp", strings.HasPrefix(name, ".pgext-"):
			ts.Fatalf("%s was left behind", relative)
		case !inCache && (filepath.Ext(name) == ".lock" || name == "oci" || name == "dist"):
			ts.Fatalf("%s was written", relative)
		}
	})
}

func walk(ts *testscript.TestScript, root string, visit func(file string, info fs.FileInfo)) {
	ts.Check(filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			visit(file, info)
		}
		return err
	}))
}

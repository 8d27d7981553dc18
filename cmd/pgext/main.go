package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/pgext/pgext/internal/sandbox"
)

// softMemory is what the garbage collector works harder to stay below, in
// bytes. It only matters while indexes are parsed; GOMEMLIMIT replaces it.
const softMemory = 224 << 20

func main() {
	sandbox.Init()
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run executes one command line and returns its exit code. The first
// interrupt cancels the context, so that nothing half-written stays behind;
// the second ends the process as usual.
func run(args []string, stdout, stderr io.Writer) int {
	return (&app{stdout: stdout, stderr: stderr, getenv: os.LookupEnv}).run(args)
}

func (a *app) run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	root := a.rootCommand()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	var usage *usageError
	switch {
	case errors.Is(err, errServed):
		err = nil
	case err != nil && ctx.Err() != nil:
		err = interruptedError{}
	case errors.As(err, &usage):
		usage.command = cmd.CommandPath()
		a.global.json = a.global.json || a.asksForJSON(args)
	}
	return a.report(err)
}

// asksForJSON reports whether a command line that was refused, maybe before its
// flags and variables were read, wants the error as a document.
func (a *app) asksForJSON(args []string) bool {
	value, _ := a.getenv("PGEXT_JSON")
	if i := slices.Index(args, "--"); i >= 0 {
		args = args[:i]
	}
	for _, arg := range args {
		switch typed, ok := strings.CutPrefix(arg, "--json="); {
		case ok:
			value = typed
		case arg == "--json":
			value = "true"
		}
	}
	wanted, _ := strconv.ParseBool(value) // what is neither true nor false is not true
	return wanted
}

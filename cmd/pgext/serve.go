package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgext/pgext/internal/registry"
)

// shutdownTime is how long requests under way may take after an interrupt.
const shutdownTime = 3 * time.Second

func (a *app) serveCommand() *cobra.Command {
	var listen string
	var memory bool
	cmd := &cobra.Command{
		Use:   "serve [DIST]",
		Short: "Serve built images as a local registry",
		Long: `Serve built images as a local read-only registry, for kind or for tests:
DIST/<image>/oci is the repository <image>. Images that are built while it runs
are served immediately. With --memory it is an empty, writable registry in
memory.

The first line of standard output is the address, HOST:PORT; with --json a
document with the address.`,
		Example: `  pgext serve dist --listen 127.0.0.1:5000
  pgext serve --memory --listen 127.0.0.1:0`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			handler, done, err := serveHandler(args, memory)
			if err != nil {
				return err
			}
			defer done()
			return a.serve(cmd.Context(), listen, handler)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:5000", "address; port 0 picks a free one")
	cmd.Flags().BoolVar(&memory, "memory", false, "take pushes, and keep them in memory")
	return cmd
}

// serveHandler returns the registry that the arguments ask for.
func serveHandler(args []string, memory bool) (handler http.Handler, done func(), err error) {
	switch {
	case memory && len(args) > 0:
		return nil, nil, usageErrorf("--memory serves no folder, and %s is named", args[0])
	case memory:
		return registry.Memory(), func() {}, nil
	case len(args) == 0:
		args = []string{"dist"}
	}
	server, err := registry.NewServer(args[0])
	if err != nil {
		return nil, nil, err
	}
	return server, func() { _ = server.Close() }, nil // read side
}

type serveDocument struct {
	Schema  int    `json:"schema"`
	Address string `json:"address"`
}

// printAddress prints one line: who waits for it reads on while nothing ends
// the stream.
func (a *app) printAddress(address string) error {
	if a.global.json {
		return json.NewEncoder(a.stdout).Encode(serveDocument{1, address})
	}
	_, err := fmt.Fprintln(a.stdout, address)
	return err
}

// serve answers requests until it is interrupted, which is how it ends well.
func (a *app) serve(ctx context.Context, address string, handler http.Handler) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return &listenError{err}
	}
	if err := a.printAddress(listener.Addr().String()); err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	if err := server.Shutdown(deadline); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("serving: %w", err)
	}
	return errServed
}

// listenError reports that no request can be taken at an address.
type listenError struct{ err error }

func (e *listenError) Error() string { return "serving: " + e.err.Error() }
func (e *listenError) Unwrap() error { return e.err }

// Hint returns what an address is.
func (*listenError) Hint() string {
	return "--listen HOST:PORT needs an unused address of this machine; port 0 selects a free port"
}

// errServed tells run that the interrupt was the expected end.
var errServed = errors.New("served")

//go:build linux

package sandbox_test

import (
	"context"
	"log"
	"os"

	"github.com/pgext/pgext/internal/sandbox"
)

// main must call Init first, since the first process of a sandbox is the same
// program.
func ExampleOpen() {
	sandbox.Init()

	ctx := context.Background()
	s, err := sandbox.Open(ctx, sandbox.Spec{
		Root:  "/tmp/operand",
		User:  26,
		Tmpfs: []sandbox.Tmpfs{{Path: "/tmp", Mode: 0o777 | os.ModeSticky}, {Path: "/extensions"}},
		Binds: []sandbox.Bind{{Source: "/tmp/pgvector", Target: "/extensions/pgvector"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	if err := s.Run(ctx, sandbox.Command{Args: []string{"/bin/ls", "/extensions/pgvector"}, Stdout: os.Stdout}); err != nil {
		log.Fatal(err)
	}
}

package pgtest_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/pgtest"
)

// A test on a server needs the root file system of an operand and an unpacked
// image, which package rootfs makes.
func ExampleRun() {
	c, err := cache.Open(os.Getenv("PGEXT_CACHE_DIR"))
	if err != nil {
		log.Fatal(err)
	}
	in := pgtest.Input{
		Root: "/tmp/operand", Postgres: 18, Version: "18.6",
		Image: pgtest.Image{
			Dir: "/tmp/pgvector",
			Metadata: metadata.Metadata{
				Name: "pgvector", Postgres: 18, Arch: "amd64", Create: []string{"vector"},
				Extensions: []metadata.Extension{{Name: "vector", Version: "0.8.1"}},
			},
		},
		Script: "SELECT '[1,2]'::vector;",
	}
	result, err := pgtest.Run(context.Background(), in, pgtest.Options{
		Cache:  c,
		Report: func(c pgtest.Check) { fmt.Println(c.Status, c.Name) },
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range result.Advice {
		fmt.Println(a.Text, a.Recipe)
	}
}

func ExampleByFiles() {
	result := pgtest.ByFiles(pgtest.Reading{
		Findings: []finding.Finding{finding.New("PGX001", "lib/x.so", "needs libgone.so.1", "bundle it")},
		Why:      "this machine runs no arm64 programs",
	})
	for _, c := range result.Checks {
		fmt.Printf("%s %s %q\n", c.Status, c.Name, c.Detail)
	}
	fmt.Println("tested on a server:", !result.Skipped())
	// Output:
	// pass layers ""
	// pass files ""
	// pass objects ""
	// pass extensions ""
	// pass label ""
	// fail libraries "PGX001 error: lib/x.so: needs libgone.so.1"
	// skip run "this machine runs no arm64 programs"
	// tested on a server: false
}

// Command fakepg is the programs of a root file system in which pgtest's tests
// run: postgres, psql, initdb, pg_isready, tar, sh and diff, by the name it is
// started with. It imitates a PostgreSQL server with the deviations that
// behaviour.Path describes.
package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pgext/pgext/internal/pgtest/testdata/fakepg/behaviour"
)

func main() {
	var b behaviour.Behaviour
	data, err := os.ReadFile(behaviour.Path)
	if err == nil {
		err = json.Unmarshal(data, &b)
	}
	if err != nil {
		fail(err)
	}
	switch name := filepath.Base(os.Args[0]); name {
	case "initdb":
		if b.NoInitdb {
			fail(fmt.Errorf("initdb: error: no space"))
		}
		save(state{Databases: map[string]database{"postgres": {}}})
	case "postgres":
		postgres(b)
	case "psql":
		os.Exit(psql(b, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	case "pg_isready":
		if _, err := os.Stat(pidFile); err != nil {
			os.Exit(2)
		}
	case "tar":
		tar(os.Args[1:])
	case "sh":
		shell(b, os.Args[1:])
	case "diff":
		diff(os.Args[1:])
	default:
		fail(fmt.Errorf("no program %s", name))
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// stateFile is in the data directory, so it moves with the cluster.
const stateFile = "/var/lib/postgresql/data/state.json"

// state is the content of all databases.
type state struct{ Databases map[string]database }

// database has the versions of the extensions in it, by name.
type database map[string]string

func load() (s state) {
	data, err := os.ReadFile(stateFile)
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil {
		fail(err)
	}
	return s
}

func save(s state) {
	data, err := json.Marshal(s)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(stateFile), fs.ModePerm)
	}
	if err == nil {
		err = os.WriteFile(stateFile, data, 0o600)
	}
	if err != nil {
		fail(err)
	}
}

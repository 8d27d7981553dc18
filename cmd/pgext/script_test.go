package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pgext/pgext/internal/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Init()
	testscript.Main(m, map[string]func(){
		"pgext": func() {
			a := &app{stdout: os.Stdout, stderr: os.Stderr, getenv: os.LookupEnv, patience: 10 * time.Millisecond}
			os.Exit(a.run(os.Args[1:]))
		},
		"confine": confine,
	})
}

// TestScript runs testdata/script/*.txtar. Each begins with the promise it
// keeps. Beside testscript's own commands there are:
//
//	archive [flags]            serve a signed archive; see script_archive_test.go
//	tamper WAY …               make the archive misbehave
//	requests N PATTERN         it was asked for exactly N times
//	registry [flags]           serve a registry; see script_registry_test.go
//	await FILE VARIABLE        the first line that FILE gets
//	exits N COMMAND …          run, and want exactly this exit code
//	interrupts PATTERN CMD …   run, interrupt when PATTERN is asked for; want 130
//	confine DIR HOW CMD …      run where DIR is read-only or has a size (a program)
//	json FILE FIELD [VALUE]    the field, such as targets.0.arch, has that value
//	remember / untouched FILE… no file was written in between
//	vendor FILE DIR TAG        make an image as others would; see script_image_test.go
//	live                       the cache of tests that run a real server
//	spoil FROM TO WAY PATH …   make an image that is broken; see script_spoil_test.go
//	module FILE PACKAGE NAME   a real module, from a package of forky
//	operand DIR TAG            an operand image, after live; see script_operand_test.go
//	keys                       cosign.key, other.key and their public halves
//	sigstore [flags]           a sigstore deployment; see script_sigstore_test.go
//	cosign ARGUMENT …          run the stock program
//	secret-free PATH…          no secret is in them; see script_sigstore_test.go
//	attached WAY …             what is attached to an image; see script_attached_test.go
//	nothing-written            no lock, no image, no temporary file
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Setup:               setupScript,
		Condition:           scriptCondition,
		Cmds:                scriptCommands,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("PGEXT_UPDATE_SCRIPTS") != "",
	})
}

// setupScript gives a script a home and a cache of its own.
func setupScript(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, "home")
	if err := os.Mkdir(home, 0o755); err != nil {
		return err
	}
	env.Setenv("HOME", home)
	env.Setenv("PGEXT_CACHE_DIR", filepath.Join(env.WorkDir, "cache"))
	env.Setenv("LC_ALL", "C")
	env.Setenv("TZ", "UTC")
	env.Values[stateKey{}] = newScriptState(env)
	return nil
}

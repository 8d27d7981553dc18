package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// app has the state that all verbs share: the streams and the global flags.
type app struct {
	stdout, stderr io.Writer
	getenv         func(string) (string, bool)
	// patience is the wait before a registry or a signing service is asked a
	// second time; 0 means that of their rooms.
	patience time.Duration
	global   globalFlags
}

// globalFlags mean the same for every verb.
type globalFlags struct {
	cacheDir string
	jobs     int
	offline  bool
	json     bool
	verbose  bool
}

func (g *globalFlags) bind(fs *pflag.FlagSet) {
	fs.StringVar(&g.cacheDir, "cache-dir", "", "folder for what was downloaded or learnt (default: pgext in the user's cache folder)")
	fs.IntVar(&g.jobs, "jobs", 0, "how many things are done at once (default: one a CPU)")
	fs.BoolVar(&g.offline, "offline", false, "use only what is in the cache")
	fs.BoolVar(&g.json, "json", false, "print one JSON document on stdout")
	fs.BoolVarP(&g.verbose, "verbose", "v", false, "log progress to stderr")
}

// complete refuses what no command can use, and fills in the defaults that
// depend on the machine.
func (g *globalFlags) complete(jobsGiven bool) error {
	if !jobsGiven {
		g.jobs = runtime.NumCPU()
	}
	if g.jobs < 1 {
		return usageErrorf("--jobs %d: at least 1 is needed", g.jobs)
	}
	return nil
}

func (a *app) rootCommand() *cobra.Command {
	var version bool
	root := &cobra.Command{
		Use:   "pgext",
		Short: "Turn a PostgreSQL extension into a bare OCI image",
		Long: `pgext turns a PostgreSQL extension into a bare OCI image that Kubernetes
mounts read-only beside PostgreSQL 18.

Every flag is also an environment variable: --cache-dir is PGEXT_CACHE_DIR.`,
		SilenceErrors:              true,
		SilenceUsage:               true,
		Args:                       knownCommand,
		SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version {
				return a.printVersion()
			}
			return cmd.Help()
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.fromEnvironment(cmd); err != nil {
				return err
			}
			return a.global.complete(cmd.Flags().Changed("jobs"))
		},
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{text: plain(err.Error()), command: cmd.CommandPath()}
	})
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(a.helpCommand(root))
	wrapHelp(root)
	root.Flags().BoolVar(&version, "version", false, "print the version, as pgext version does")
	a.global.bind(root.PersistentFlags())
	root.AddCommand(a.verbs()...)
	return root
}

// verbs are all there are.
func (a *app) verbs() []*cobra.Command {
	return []*cobra.Command{
		a.initCommand(),
		a.buildCommand(),
		a.lockCommand(),
		a.testCommand(),
		a.lintCommand(),
		a.inspectCommand(),
		a.diffCommand(),
		a.verifyCommand(),
		a.rebuildCommand(),
		a.explainCommand(),
		a.pushCommand(),
		a.signCommand(),
		a.copyCommand(),
		a.serveCommand(),
		a.schemaCommand(),
		a.completionCommand(),
		a.versionCommand(),
	}
}

// knownCommand refuses what is no verb, with the nearest one.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("unknown command %q", args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		text += fmt.Sprintf(" (did you mean %q?)", near[0])
	}
	return &usageError{text: text, command: cmd.CommandPath()}
}

// jargon is how package strconv speaks of a value it cannot read.
var jargon = regexp.MustCompile(`strconv\.(Atoi|ParseInt|ParseBool): parsing ("[^"]*"): (invalid syntax|value out of range)`)

// plain says it as people do.
func plain(text string) string {
	return jargon.ReplaceAllStringFunc(text, func(s string) string {
		m := jargon.FindStringSubmatch(s)
		if m[1] == "ParseBool" {
			return m[2] + " is neither true nor false"
		}
		return m[2] + " is not a whole number"
	})
}

// fromEnvironment gives every flag that was not typed the value of its
// variable PGEXT_<FLAG>. A repeatable flag takes several, separated by spaces.
func (a *app) fromEnvironment(cmd *cobra.Command) error {
	var errs []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "help" || f.Name == "version" {
			return
		}
		name := "PGEXT_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := a.getenv(name)
		if !ok || value == "" {
			return
		}
		values := []string{value}
		if f.Value.Type() == "stringArray" {
			values = strings.Fields(value)
		}
		for _, v := range values {
			if err := cmd.Flags().Set(f.Name, v); err != nil {
				errs = append(errs, fmt.Errorf("%s=%s: %s", name, v, plain(errors.Unwrap(err).Error())))
			}
		}
	})
	if err := errors.Join(errs...); err != nil {
		return &usageError{text: err.Error(), command: cmd.CommandPath()}
	}
	return nil
}

// logger writes to stderr with --verbose, and nowhere without.
func (a *app) logger() *slog.Logger {
	if !a.global.verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(groups []string, attr slog.Attr) slog.Attr {
			if len(groups) == 0 && attr.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return attr
		},
	}))
}

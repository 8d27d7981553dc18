package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/pgext/pgext/internal/provenance"
)

// version is set by the linker; see the Makefile.
var version string

// versionString returns the linked version, else the module's own.
func versionString() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "dev"
}

// maker is this program as provenance names it.
func maker() provenance.Program {
	info, _ := debug.ReadBuildInfo()
	return provenance.ProgramOf(versionString(), info)
}

type versionDocument struct {
	Schema   int    `json:"schema"`
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArguments,
		RunE:  func(*cobra.Command, []string) error { return a.printVersion() },
	}
}

func (a *app) printVersion() error {
	v := versionDocument{1, versionString(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
	return a.print(v, func() string { return fmt.Sprintf("pgext %s %s %s\n", v.Version, v.Go, v.Platform) })
}

// programIdentity tells this program from another one: what an older pgext
// remembers of its builds does not count.
func programIdentity() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s %d %d", versionString(), info.Size(), info.ModTime().UnixNano())
}

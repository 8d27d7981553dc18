package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print the completion script of a shell",
		Long: `Print the completion script of a shell. For the running bash:

  source <(pgext completion bash)`,
		Args:                  exactly(1, "a shell: bash, zsh, fish or powershell"),
		ValidArgs:             []string{"bash", "zsh", "fish", "powershell"},
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			var script strings.Builder
			if err := writeCompletion(&script, cmd.Root(), args[0]); err != nil {
				return err
			}
			if a.global.json {
				return a.printJSON(completionDocument{1, args[0], script.String()})
			}
			_, err := io.WriteString(a.stdout, script.String())
			return err
		},
	}
}

type completionDocument struct {
	Schema int    `json:"schema"`
	Shell  string `json:"shell"`
	Script string `json:"script"`
}

// writeCompletion writes the script of a shell.
func writeCompletion(w io.Writer, root *cobra.Command, shell string) error {
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(w, true)
	case "zsh":
		return root.GenZshCompletion(w)
	case "fish":
		return root.GenFishCompletion(w, true)
	case "powershell":
		return root.GenPowerShellCompletionWithDesc(w)
	}
	return usageErrorf("no completion for %q; there is bash, zsh, fish and powershell", shell)
}

// exactly refuses any other number of arguments than n, saying what they are.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return &usageError{text: "need " + what, command: cmd.CommandPath()}
		}
		return nil
	}
}

// noArguments refuses any.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return &usageError{text: fmt.Sprintf("%s takes no argument, and %q is one", cmd.CommandPath(), args[0]), command: cmd.CommandPath()}
	}
	return nil
}

// atLeastOne refuses an empty argument list, saying what belongs there.
func atLeastOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return &usageError{text: "need " + what, command: cmd.CommandPath()}
		}
		return nil
	}
}

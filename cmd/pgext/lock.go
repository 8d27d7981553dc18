package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgext/pgext/builder"
)

type lockDocument struct {
	Schema int            `json:"schema"`
	Locks  []lockedRecipe `json:"locks"`
}

type lockedRecipe struct {
	Recipe  string   `json:"recipe"`
	Lock    string   `json:"lock"`
	Changed bool     `json:"changed"`
	Changes []string `json:"changes"`
}

type lockFlags struct {
	selectionFlags
	resolvingFlags
}

func (a *app) lockCommand() *cobra.Command {
	var f lockFlags
	cmd := &cobra.Command{
		Use:   "lock RECIPE...",
		Short: "Resolve recipes again and write their locks",
		Long: `Resolve recipes again and write their locks: pgext.lock next to recipe.yaml,
x.lock next to x.yaml. Only the selected targets of a lock change. Standard
output lists the changes.`,
		Example: "  pgext lock recipes/pgvector --distro forky --arch amd64",
		Args:    atLeastOne("a recipe: a file, a folder with recipe.yaml, or a folder of such folders"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runLock(cmd.Context(), args, f)
		},
	}
	f.selectionFlags.bind(cmd.Flags())
	f.resolvingFlags.bind(cmd.Flags())
	return cmd
}

// runLock locks the recipes one after the other; what was locked before one
// that fails stays.
func (a *app) runLock(ctx context.Context, args []string, f lockFlags) error {
	s, recipes, err := a.openRecipes(args, f.resolvingFlags, imageFlags{})
	if err != nil {
		return err
	}
	b := builder.New(s)
	doc := lockDocument{Schema: 1, Locks: []lockedRecipe{}}
	for _, r := range recipes {
		p, err := b.Plan(ctx, r, f.selection(), builder.Update)
		if err != nil {
			return err
		}
		if err := p.WriteLock(ctx); err != nil {
			return err
		}
		d := lockedRecipe{Recipe: p.Recipe.Path, Lock: p.LockPath, Changed: p.Changed, Changes: []string{}}
		for _, c := range p.Changes() {
			d.Changes = append(d.Changes, c.String())
		}
		doc.Locks = append(doc.Locks, d)
	}
	return a.printLocks(doc)
}

func (a *app) printLocks(doc lockDocument) error {
	return a.print(doc, func() string {
		var out strings.Builder
		for _, l := range doc.Locks {
			state := "unchanged"
			if l.Changed {
				state = "written"
			}
			fmt.Fprintf(&out, "%s: %s\n", l.Lock, state)
			for _, c := range l.Changes {
				fmt.Fprintf(&out, "  %s\n", c)
			}
		}
		return out.String()
	})
}

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/lock"
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

func (a *app) lockCommand() *cobra.Command {
	var sel selectionFlags
	var res resolvingFlags
	cmd := &cobra.Command{
		Use:   "lock RECIPE...",
		Short: "Resolve recipes afresh and write their locks",
		Long: `Resolve recipes afresh and write their locks: pgext.lock beside recipe.yaml,
x.lock beside x.yaml. Only the selected targets of a lock change. Standard
output says what did.`,
		Example: "  pgext lock recipes/pgvector --distro forky --arch amd64",
		Args:    atLeastOne("a recipe: a file, a folder with recipe.yaml, or a folder of such folders"),
		RunE: func(cmd *cobra.Command, args []string) error {
			recipes, err := loadRecipes(args)
			if err != nil {
				return err
			}
			if err := res.checkMirrors(recipes); err != nil {
				return err
			}
			b, err := a.newBuilder(res, imageFlags{})
			if err != nil {
				return err
			}
			doc := lockDocument{Schema: 1, Locks: []lockedRecipe{}}
			for _, r := range recipes {
				p, err := b.Plan(cmd.Context(), r, sel.selection(), builder.Update)
				if err != nil {
					return err
				}
				before, _, _ := lock.Load(p.LockPath) // an unreadable one is replaced
				if err := p.WriteLock(cmd.Context()); err != nil {
					return err
				}
				doc.Locks = append(doc.Locks, newLockedRecipe(p, before))
			}
			return a.printLocks(doc)
		},
	}
	sel.bind(cmd.Flags())
	res.bind(cmd.Flags())
	return cmd
}

func newLockedRecipe(p *builder.Plan, before lock.Lock) lockedRecipe {
	d := lockedRecipe{Recipe: p.Recipe.Path, Lock: p.LockPath, Changed: p.Changed, Changes: []string{}}
	for _, c := range lock.Diff(before, p.Lock) {
		d.Changes = append(d.Changes, c.String())
	}
	return d
}

func (a *app) printLocks(doc lockDocument) error {
	if a.global.json {
		return a.printJSON(doc)
	}
	for _, l := range doc.Locks {
		state := "unchanged"
		if l.Changed {
			state = "written"
		}
		if _, err := fmt.Fprintf(a.stdout, "%s: %s\n", l.Lock, state); err != nil {
			return err
		}
		for _, c := range l.Changes {
			if _, err := fmt.Fprintf(a.stdout, "  %s\n", c); err != nil {
				return err
			}
		}
	}
	return nil
}

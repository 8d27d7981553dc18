package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/recipe"
)

type lintDocument struct {
	Schema  int             `json:"schema"`
	Recipes []lintedSubject `json:"recipes"`
}

type lintedSubject struct {
	Recipe   string            `json:"recipe"`
	Findings []finding.Finding `json:"findings"`
}

func (a *app) lintCommand() *cobra.Command {
	var sel selectionFlags
	var res resolvingFlags
	var strict bool
	cmd := &cobra.Command{
		Use:   "lint RECIPE...",
		Short: "Say what a person should know about the images of recipes",
		Long: `Say what a person should know about the images of recipes, without making
them: what would stop the build, what cannot work, what was left out. Errors
exit with 3, with --strict warnings too.`,
		Example: "  pgext lint recipes/pgvector --distro forky",
		Args:    atLeastOne("a recipe: a file, a folder with recipe.yaml, or a folder of such folders"),
		RunE: func(cmd *cobra.Command, args []string) error {
			recipes, err := loadRecipes(args)
			if err != nil {
				return err
			}
			b, err := a.newBuilder(res, imageFlags{})
			if err != nil {
				return err
			}
			doc := lintDocument{Schema: 1, Recipes: []lintedSubject{}}
			for _, r := range recipes {
				findings, err := judge(cmd.Context(), b, r, sel.selection())
				if err != nil {
					return err
				}
				doc.Recipes = append(doc.Recipes, lintedSubject{r.Path, append([]finding.Finding{}, findings...)})
			}
			return a.printLint(doc, strict)
		},
	}
	sel.bind(cmd.Flags())
	res.bind(cmd.Flags())
	cmd.Flags().BoolVar(&strict, "strict", false, "warnings fail too")
	return cmd
}

// judge returns the findings about a recipe, those that stop its resolution
// included.
func judge(ctx context.Context, b *builder.Builder, r *recipe.Recipe, sel recipe.Selection) ([]finding.Finding, error) {
	p, err := b.Plan(ctx, r, sel, builder.Keep)
	var findings []finding.Finding
	if err == nil {
		findings, err = b.Judge(ctx, p)
	}
	var stopped *builder.FindingsError
	if errors.As(err, &stopped) {
		return stopped.Findings, nil
	}
	return findings, err
}

func (a *app) printLint(doc lintDocument, strict bool) error {
	fails := finding.Error
	if strict {
		fails = finding.Warning
	}
	failed := false
	for _, r := range doc.Recipes {
		if worst, any := finding.Worst(r.Findings); any && worst >= fails {
			failed = true
		}
		if a.global.json {
			continue
		}
		for _, f := range r.Findings {
			if _, err := fmt.Fprintf(a.stdout, "%s: %s\n", r.Recipe, f); err != nil {
				return err
			}
			if f.Hint != "" {
				fmt.Fprintf(a.stdout, "  hint: %s\n", f.Hint)
			}
		}
	}
	if a.global.json {
		a.printJSON(doc)
	}
	if failed {
		return printedError{exitFindings}
	}
	return nil
}

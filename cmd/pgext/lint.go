package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/inspect"
	"github.com/pgext/pgext/internal/judge"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/session"
)

type lintDocument struct {
	Schema  int             `json:"schema"`
	Recipes []lintedSubject `json:"recipes"`
	Images  []lintedImage   `json:"images"`
	// Failures are about recipes and images that could not be judged.
	Failures []failure `json:"failures"`
}

type lintedSubject struct {
	Recipe   string            `json:"recipe"`
	Findings []finding.Finding `json:"findings"`
}

type lintedImage struct {
	Image    string            `json:"image"`
	Digest   string            `json:"digest"`
	Findings []finding.Finding `json:"findings"`
}

type lintFlags struct {
	selectionFlags
	resolvingFlags
	base   string
	strict bool
}

func (a *app) lintCommand() *cobra.Command {
	var f lintFlags
	cmd := &cobra.Command{
		Use:   "lint RECIPE|IMAGE...",
		Short: "Check images and recipes for problems",
		Long: `Check recipes, without building images, and finished images of any tool: problems
that would stop the build or the use of the image, parts that cannot work, parts
that were left out. Errors exit with 3, with --strict warnings too. If a recipe or
image cannot be resolved or fetched, the others are checked nevertheless; the exit
code is that of the failure.

With --base the libraries that a finished image needs are looked for in what
the operand image holds: cnpg-minimal, which is computed from the archives of
the distribution that the image's labels or --distro name, or image:REF.`,
		Example: `  pgext lint recipes/pgvector --distro forky
  pgext lint registry.example.com/extensions/pgvector:0.8.1-18-trixie --base cnpg-minimal`,
		Args: atLeastOne("a recipe or an image: a file, a folder with recipe.yaml, a folder of such folders, HOST/NAME[:TAG], oci:PATH[:TAG]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkBase(f.base); err != nil {
				return err
			}
			doc, err := a.lint(cmd.Context(), args, f)
			if err != nil {
				return err
			}
			return a.printLint(doc, f.strict)
		},
	}
	f.selectionFlags.bind(cmd.Flags())
	f.resolvingFlags.bind(cmd.Flags())
	cmd.Flags().StringVar(&f.base, "base", "", "judge finished images against this base: cnpg-minimal or image:REF")
	cmd.Flags().BoolVar(&f.strict, "strict", false, "warnings fail too")
	return cmd
}

func checkBase(base string) error {
	if base != "" && base != recipe.BaseMinimal && !strings.HasPrefix(base, recipe.BaseImagePrefix) {
		return usageErrorf("--base %q: there is %s and %sREF", base, recipe.BaseMinimal, recipe.BaseImagePrefix)
	}
	return nil
}

// lint judges recipes and images, each kind in the order of the arguments.
func (a *app) lint(ctx context.Context, args []string, f lintFlags) (lintDocument, error) {
	doc := lintDocument{Schema: 1, Recipes: []lintedSubject{}, Images: []lintedImage{}, Failures: []failure{}}
	var images, paths []string
	for _, arg := range args {
		if isImage(arg) {
			images = append(images, arg)
		} else {
			paths = append(paths, arg)
		}
	}
	s, recipes, err := a.openRecipes(paths, f.resolvingFlags, imageFlags{})
	if err != nil {
		return doc, err
	}
	for _, r := range recipes {
		if err := ctx.Err(); err != nil {
			return doc, err
		}
		findings, err := judge.LintRecipe(ctx, builder.New(s), r, f.selection())
		if err != nil {
			doc.Failures = append(doc.Failures, newFailure(r.Path, err))
			continue
		}
		doc.Recipes = append(doc.Recipes, lintedSubject{r.Path, list(findings)})
	}
	for _, ref := range images {
		if err := ctx.Err(); err != nil {
			return doc, err
		}
		judged, err := a.lintImage(ctx, s, ref, f)
		if err != nil {
			doc.Failures = append(doc.Failures, newFailure(ref, err))
			continue
		}
		doc.Images = append(doc.Images, judged)
	}
	return doc, ctx.Err()
}

func (a *app) lintImage(ctx context.Context, ses *session.Session, ref string, f lintFlags) (lintedImage, error) {
	s, err := a.survey(ctx, ref)
	if err != nil {
		return lintedImage{}, err
	}
	if s, err = f.meant(ref, s); err != nil {
		return lintedImage{}, err
	}
	findings, err := judge.LintImage(ctx, ses, s, f.base)
	if err != nil {
		return lintedImage{}, fmt.Errorf("judging %s: %w", ref, err)
	}
	return lintedImage{ref, s.Digest, findings}, nil
}

// meant is the survey with the distribution and the major that flags name in the
// place of what the image's labels say.
func (f lintFlags) meant(ref string, s inspect.Result) (inspect.Result, error) {
	s.Images = slices.Clone(s.Images)
	for i := range s.Images {
		at := &s.Images[i]
		if len(f.distros) == 1 {
			at.Distro = f.distros[0]
		}
		if len(f.majors) == 1 {
			at.Postgres = f.majors[0]
		}
		if at.Distro == "" && len(at.Roots) > 0 && f.base == recipe.BaseMinimal {
			return s, noDistroError{ref, f.base}
		}
	}
	return s, nil
}

// noDistroError reports that the archives of no distribution are known for an image.
type noDistroError struct{ ref, base string }

func (e noDistroError) Error() string {
	return fmt.Sprintf("--base %s: %s has no label with its distribution", e.base, e.ref)
}

// Hint returns who else can.
func (noDistroError) Hint() string { return "name it with --distro" }

func (a *app) printLint(doc lintDocument, strict bool) error {
	fails := finding.Error
	if strict {
		fails = finding.Warning
	}
	failed := false
	var b strings.Builder
	report := func(subject string, findings []finding.Finding) {
		if worst, any := finding.Worst(findings); any && worst >= fails {
			failed = true
		}
		describeFindings(&b, subject+": ", findings)
	}
	for _, r := range doc.Recipes {
		report(r.Recipe, r.Findings)
	}
	for _, i := range doc.Images {
		report(i.Image, i.Findings)
	}
	if err := a.print(doc, b.String); err != nil {
		return err
	}
	a.printFailures(doc.Failures)
	switch {
	case len(doc.Failures) > 0:
		return printedError{doc.Failures[0].ExitCode}
	case failed:
		return printedError{exitFindings}
	}
	return nil
}

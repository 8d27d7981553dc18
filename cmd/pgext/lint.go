package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/survey"
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
		Short: "Say what a person should know about images, finished or not",
		Long: `Say what a person should know about the images of recipes, without making
them, or about finished images, whoever made them: what would stop the build or
keep the image from being used, what cannot work, what was left out. Errors
exit with 3, with --strict warnings too. What cannot be judged, because it cannot
be resolved or fetched, keeps no other from it; the exit code is then its own.

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
	b, recipes, err := a.openRecipes(paths, f.resolvingFlags, imageFlags{})
	if err != nil {
		return doc, err
	}
	for _, r := range recipes {
		if err := ctx.Err(); err != nil {
			return doc, err
		}
		findings, err := judge(ctx, b, r, f.selection())
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
		judged, err := a.lintImage(ctx, b, ref, f)
		if err != nil {
			doc.Failures = append(doc.Failures, newFailure(ref, err))
			continue
		}
		doc.Images = append(doc.Images, judged)
	}
	return doc, ctx.Err()
}

func (a *app) lintImage(ctx context.Context, b *builder.Builder, ref string, f lintFlags) (lintedImage, error) {
	s, err := a.survey(ctx, ref)
	if err != nil {
		return lintedImage{}, err
	}
	findings, err := judgeImage(ctx, b, ref, s, f)
	return lintedImage{ref, s.Digest, findings}, err
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

// judgeImage returns the findings about an image. Against a base, what the
// image expects of it is judged instead of listed.
func judgeImage(ctx context.Context, b *builder.Builder, ref string, s survey.Survey, f lintFlags) ([]finding.Finding, error) {
	findings := s.All()
	if f.base == "" {
		return findings, nil
	}
	findings = slices.DeleteFunc(findings, func(f finding.Finding) bool { return f.Code == "PGX053" })
	for _, i := range s.Images {
		if len(i.Roots) == 0 {
			continue
		}
		against, err := operandFor(ref, i, f)
		if err != nil {
			return nil, err
		}
		more, err := b.JudgeFinished(ctx, against)
		if err != nil {
			return nil, fmt.Errorf("judging %s: %w", ref, err)
		}
		findings = append(findings, more...)
	}
	return finding.Sort(findings), nil
}

// operandFor says what an image is judged against: the flags, else its labels.
func operandFor(ref string, i survey.Image, f lintFlags) (builder.Finished, error) {
	against := builder.Finished{
		Distro: i.Distro, Postgres: i.Postgres, Arch: i.Arch, Base: f.base, Roots: i.Roots, Own: i.Own,
	}
	if len(f.distros) == 1 {
		against.Distro = f.distros[0]
	}
	if len(f.majors) == 1 {
		against.Postgres = f.majors[0]
	}
	if against.Distro == "" && f.base == recipe.BaseMinimal {
		return against, usageErrorf("--base %s: %s does not say which distribution it is for; name it with --distro", f.base, ref)
	}
	return against, nil
}

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
	a.tellFailures(doc.Failures)
	switch {
	case len(doc.Failures) > 0:
		return printedError{doc.Failures[0].ExitCode}
	case failed:
		return printedError{exitFindings}
	}
	return nil
}

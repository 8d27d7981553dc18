package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/location"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/publish"
	"github.com/pgext/pgext/sign"
)

type buildFlags struct {
	selectionFlags
	resolvingFlags
	imageFlags
	signingFlags
	output string
	push   string
	locked bool
	update bool
	dryRun bool
	strict bool
}

func (a *app) buildCommand() *cobra.Command {
	var f buildFlags
	cmd := &cobra.Command{
		Use:   "build RECIPE...",
		Short: "Build images from recipes",
		Long: `Build images from recipes: resolve what the lock lacks, fetch and verify the
packages, lay their files out, write OCI images.

RECIPE is a file, a folder with recipe.yaml, or a folder of such folders. The
images are in DIR/<image>/oci, an OCI layout, with SBOM and provenance attached;
beside it the same as files, and a report that accounts for every file. --push
publishes, --key or --keyless signs all of it. Standard output ends with a line for every tag:

  <image>:<tag>@sha256:<digest of the index>`,
		Example: `  pgext build recipes/pgvector --distro forky
  pgext build recipes --push registry.example.com/extensions --key cosign.key
  pgext build recipe.yaml --locked --offline`,
		Args: atLeastOne("a recipe: a file, a folder with recipe.yaml, or a folder of such folders"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runBuild(cmd.Context(), args, f)
		},
	}
	fs := cmd.Flags()
	f.selectionFlags.bind(fs)
	f.resolvingFlags.bind(fs)
	f.imageFlags.bind(fs)
	f.signingFlags.bind(fs)
	fs.StringVar(&f.output, "output", "dist", "folder for the images")
	fs.StringVar(&f.push, "push", "", "push each image to REPO/<image>")
	fs.BoolVar(&f.locked, "locked", false, "fail instead of writing a lock")
	fs.BoolVar(&f.update, "update", false, "resolve afresh what is locked")
	fs.BoolVar(&f.dryRun, "dry-run", false, "print what would be built; write nothing")
	fs.BoolVar(&f.strict, "strict", false, "warnings fail the build too")
	return cmd
}

// check refuses, before anything is read, what cannot be carried out.
func (f buildFlags) check() error {
	switch {
	case f.locked && f.update:
		return usageErrorf("--locked and --update are mutually exclusive")
	case f.output == "":
		return usageErrorf("--output is empty: it needs a folder")
	case f.push == "" && f.wanted() && f.format != string(sign.FormatBundle):
		return usageErrorf("--signature-format %s: such signatures are in a registry: it needs --push", f.format)
	case f.push != "":
		if err := oci.CheckRepository(f.push); err != nil {
			return err
		}
	}
	return f.signingFlags.check()
}

func (f buildFlags) mode() builder.Mode {
	switch {
	case f.locked:
		return builder.Locked
	case f.update:
		return builder.Update
	}
	return builder.Keep
}

// runBuild plans all recipes before it builds any, and pushes when all are
// built.
func (a *app) runBuild(ctx context.Context, args []string, f buildFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	s, recipes, err := a.openRecipes(args, f.resolvingFlags, f.imageFlags)
	if err != nil {
		return err
	}
	b := builder.New(s)
	plan := b.Plan
	if f.dryRun {
		plan = b.DryRun
	}
	plans := make([]*builder.Plan, len(recipes))
	for i, r := range recipes {
		if plans[i], err = plan(ctx, r, f.selection(), f.mode()); err != nil {
			return err
		}
	}
	if f.dryRun {
		return a.printPlans(plans)
	}
	return a.build(ctx, b, plans, f)
}

// build carries out what was planned.
func (a *app) build(ctx context.Context, b *builder.Builder, plans []*builder.Plan, f buildFlags) error {
	signer, err := a.attestor(ctx, f.signingFlags)
	if err != nil {
		return err
	}
	var images []builder.Image
	for _, p := range plans {
		if err := p.WriteLock(ctx); err != nil {
			return err
		}
		built, err := b.Build(ctx, p, f.output)
		if err != nil {
			return err
		}
		images = append(images, built...)
	}
	for _, i := range images {
		a.printFindings(i)
	}
	if err := strictly(f.strict, images); err != nil {
		return err
	}
	if err := a.publish(ctx, images, f.push, signer); err != nil {
		return err
	}
	return a.printImages(images, f.push)
}

// publish pushes what was built, where a repository is named; else it signs it
// where it is. A nil signer signs nothing.
func (a *app) publish(ctx context.Context, images []builder.Image, repo string, signer publish.Signer) error {
	if repo == "" && signer == nil {
		return nil
	}
	var stored []location.Stored
	for _, i := range images {
		stored = append(stored, storedImage(i))
	}
	if repo != "" {
		_, err := a.push(ctx, stored, repo, signer)
		return err
	}
	for _, s := range stored {
		if _, err := publish.Sign(ctx, a.registryClient(), s.Ref(), signer); err != nil {
			return err
		}
	}
	return nil
}

// strictly fails when warnings count and there are some.
func strictly(strict bool, images []builder.Image) error {
	for _, i := range images {
		if worst, any := finding.Worst(i.Findings); strict && any && worst >= finding.Warning {
			return printedError{exitFindings}
		}
	}
	return nil
}

// printFindings tells people what they should know about an image. Notes are
// told with --verbose.
func (a *app) printFindings(i builder.Image) {
	told := slices.DeleteFunc(slices.Clone(i.Findings), func(f finding.Finding) bool {
		return f.Severity == finding.Note && !a.global.verbose
	})
	var b strings.Builder
	describeFindings(&b, i.Name+": ", told)
	a.printLines("", b.String())
}

type buildDocument struct {
	Schema int             `json:"schema"`
	Images []imageDocument `json:"images"`
}

type imageDocument struct {
	Image      string            `json:"image"`
	Repository string            `json:"repository,omitempty"`
	Distro     string            `json:"distro"`
	Postgres   int               `json:"postgres"`
	Archs      []string          `json:"archs"`
	Tags       []string          `json:"tags"`
	Digest     string            `json:"digest"`
	Path       string            `json:"path"`
	Unchanged  bool              `json:"unchanged"`
	Findings   []finding.Finding `json:"findings"`
}

// printImages ends standard output: a line for every tag, or the document.
func (a *app) printImages(images []builder.Image, repo string) error {
	doc := buildDocument{Schema: 1, Images: []imageDocument{}}
	for _, i := range images {
		d := imageDocument{
			Image: i.Name, Distro: i.Distro, Postgres: i.Postgres, Archs: i.Archs, Tags: i.Tags[:],
			Digest: i.Digest, Path: i.Path, Unchanged: i.Unchanged, Findings: list(i.Findings),
		}
		if repo != "" {
			d.Repository = repository(repo, i.Name)
		}
		doc.Images = append(doc.Images, d)
	}
	return a.print(doc, func() string {
		var out strings.Builder
		for _, i := range doc.Images {
			for _, tag := range i.Tags {
				fmt.Fprintf(&out, "%s:%s@%s\n", cmp.Or(i.Repository, i.Image), tag, i.Digest)
			}
		}
		return out.String()
	})
}

// storedImage returns a built image as publish takes it.
func storedImage(i builder.Image) location.Stored {
	return location.Stored{Name: i.Name, Path: i.Path, Digest: i.Digest, Tags: i.Tags[:]}
}

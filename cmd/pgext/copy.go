package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgext/pgext/internal/location"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/publish"
	"github.com/pgext/pgext/internal/registry"
)

type copyFlags struct {
	tags []string
	all  bool
}

func (a *app) copyCommand() *cobra.Command {
	var f copyFlags
	cmd := &cobra.Command{
		Use:   "copy SRC DST",
		Short: "Copy an image with everything attached to it",
		Long: `Copy an image, as it is, with everything attached to it: SBOM, provenance,
signatures, what is attached to these, and the tags where older tools look for
signatures. SRC and DST are HOST/NAME[:TAG] or oci:PATH[:TAG]; a layout on disk
carries an image to where there is no network. SRC may have a digest.

DST gets the tag of SRC unless it has one of its own or --tag names some. Tags
move last, after everything has arrived and was read back; a tag with a time in
it never moves. Standard output has a line for every tag.`,
		Example: `  pgext copy ghcr.io/example/pgvector:0.8.1-18-trixie registry.example.com/pgvector
  pgext copy --all-tags ghcr.io/example/pgvector oci:usb/pgvector
  pgext copy --all-tags oci:usb/pgvector registry.example.com/pgvector`,
		Args: exactly(2, "a source and a destination: HOST/NAME[:TAG] or oci:PATH[:TAG]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := a.parseImage("copying", args[0])
			if err != nil {
				return err
			}
			if from, err = location.Only(from); err != nil {
				return err
			}
			to, err := a.parseImage("copying", args[1])
			if err != nil {
				return err
			}
			if err := f.check(from, to); err != nil {
				return err
			}
			return a.copy(cmd.Context(), from, to, f)
		},
	}
	cmd.Flags().StringSliceVar(&f.tags, "tag", nil, "tag at DST, instead of that of SRC")
	cmd.Flags().BoolVar(&f.all, "all-tags", false, "copy every image of SRC that has a tag")
	return cmd
}

// check returns an error for arguments that exclude each other.
func (f copyFlags) check(from, to oci.Ref) error {
	if f.all && (from != from.Location() || to.Tag != "" || len(f.tags) > 0) {
		return usageErrorf("--all-tags copies every tag under its own name: name no tag and no digest")
	}
	if to.Digest != "" {
		return usageErrorf("DST must have no digest: the copy has that of SRC")
	}
	for _, tag := range f.tags {
		if !oci.IsTag(tag) {
			return usageErrorf("--tag %q: not a valid tag", tag)
		}
	}
	return nil
}

// copy copies one image, or all.
func (a *app) copy(ctx context.Context, from, to oci.Ref, f copyFlags) error {
	client := a.registryClient()
	if f.all {
		all, err := location.TagsIn(ctx, client, from)
		if err != nil {
			return err
		}
		return a.copyImages(ctx, client, from, to, all)
	}
	one, err := f.one(from, to)
	if err != nil {
		return err
	}
	return a.copyImages(ctx, client, from, to, []location.Stored{one})
}

// one returns the image to copy with its new tags.
func (f copyFlags) one(from, to oci.Ref) (location.Stored, error) {
	i := location.Stored{Digest: from.Identifier()}
	switch {
	case from.Tag != "":
		i.Tags = []string{from.Tag}
	case from.Layout == "" && from.Digest == "":
		i.Tags = []string{i.Digest}
	case i.Digest == "":
		all, err := location.Images("", from.Layout)
		if err != nil {
			return location.Stored{}, err
		}
		if len(all) == 1 {
			i = all[0]
		}
	}
	if to.Tag != "" || len(f.tags) > 0 {
		i.Tags = f.tags
		if to.Tag != "" {
			i.Tags = append([]string{to.Tag}, f.tags...)
		}
	}
	if len(i.Tags) == 0 && to.Layout != "" && i.Digest != "" {
		return location.Stored{}, usageErrorf("a copy of %s in a layout needs a tag: name one with --tag", from.Location())
	}
	return i, nil
}

type copiedDocument struct {
	Schema int           `json:"schema"`
	Images []copiedImage `json:"images"`
}

type copiedImage struct {
	Source      string   `json:"source"`
	Destination string   `json:"destination"`
	Tags        []string `json:"tags"`
	Digest      string   `json:"digest"`
	Referrers   int      `json:"referrers"`
	Evidence    int      `json:"evidence"`
	// Missing are listed as referrers by the source, and not there.
	Missing []string `json:"missing"`
}

// sourceOf returns the reference of an image to copy.
func sourceOf(from oci.Ref, i location.Stored) oci.Ref {
	if i.Digest == "" {
		return from.Location()
	}
	return from.With(i.Digest)
}

func (a *app) copyImages(ctx context.Context, client *registry.Client, from, to oci.Ref, all []location.Stored) error {
	doc := copiedDocument{Schema: 1, Images: []copiedImage{}}
	var text strings.Builder
	for _, i := range all {
		c, err := publish.Copy(ctx, client, sourceOf(from, i), to.Location(), i.Tags)
		if err != nil {
			return err
		}
		for _, h := range c.Missing {
			a.printLines("", fmt.Sprintf("%s: referrer %s is listed but not found", from.Location(), h))
		}
		doc.Images = append(doc.Images, copiedImage{
			from.Location().String(), to.Location().String(), list(i.Tags), c.Digest, c.Referrers, c.Evidence, list(c.Missing),
		})
		for _, tag := range i.Tags {
			fmt.Fprintf(&text, "%s:%s@%s\n", to.Location(), tag, c.Digest)
		}
		if len(i.Tags) == 0 {
			fmt.Fprintf(&text, "%s@%s\n", to.Location(), c.Digest)
		}
	}
	return a.print(doc, text.String)
}

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/registry"
)

func (a *app) pushCommand() *cobra.Command {
	var f signingFlags
	cmd := &cobra.Command{
		Use:   "push [DIST|IMAGE]... REPO",
		Short: "Publish what was built",
		Long: `Publish what was built: every image of DIST (default dist) to REPO/<image>, under
all its tags, with its SBOM, provenance and signatures. IMAGE is one image of
it: dist/pgvector, or oci:PATH:TAG.

Tags move last, after everything has arrived and was read back, so that a
failure leaves them as they were; running the command again finishes the work.
What is there already is not sent. Standard output has a line for every tag.`,
		Example: `  pgext push registry.example.com/extensions
  pgext push --key cosign.key dist/pgvector dist/postgis registry.example.com/extensions`,
		Args: atLeastOne("a repository: HOST[:PORT]/PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			sources, repo := args[:len(args)-1], args[len(args)-1]
			if err := registry.CheckRepository(repo); err != nil {
				return err
			}
			if len(sources) == 0 {
				sources = []string{"dist"}
			}
			var all []builder.Stored
			for _, arg := range sources {
				images, err := storedImages(arg)
				if err != nil {
					return err
				}
				all = append(all, images...)
			}
			if a.global.offline {
				return fmt.Errorf("pushing to %s: %w", repo, &fetch.OfflineError{Name: repo})
			}
			signer, err := a.attestor(cmd.Context(), f)
			if err != nil {
				return err
			}
			published, err := a.push(cmd.Context(), all, repo, signer)
			if err != nil {
				return err
			}
			return a.printPublished(published)
		},
	}
	f.bind(cmd.Flags())
	return cmd
}

// repository is where an image goes below REPO.
func repository(repo, name string) string {
	return strings.TrimSuffix(repo, "/") + "/" + name
}

func (a *app) registryClient() *registry.Client {
	return registry.New(registry.Options{
		Jobs: a.global.jobs, UserAgent: "pgext/" + versionString(), Log: a.logger(), Backoff: a.patience,
	})
}

// push publishes images below repo, one after the other; the blobs of one go up
// in parallel.
func (a *app) push(ctx context.Context, images []builder.Stored, repo string, signer builder.Attester) ([]builder.Published, error) {
	client := a.registryClient()
	var out []builder.Published
	for _, i := range images {
		p, err := builder.Publish(ctx, i, repository(repo, i.Name), client, signer)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// storedImages returns the images that an argument names: all of a folder of
// layouts, all of a layout, or one.
func storedImages(arg string) ([]builder.Stored, error) {
	ref, ok := image.ParseRef(arg)
	if !ok {
		return nil, &noLayoutError{arg}
	}
	if !image.Exists(ref.Dir) {
		all, err := builder.Dist(ref.Dir)
		if err == nil && len(all) == 0 {
			err = &noLayoutError{arg}
		}
		return all, err
	}
	dir, err := filepath.Abs(ref.Dir)
	if err != nil {
		return nil, err
	}
	if filepath.Base(dir) == "oci" {
		dir = filepath.Dir(dir)
	}
	all, err := builder.Images(filepath.Base(dir), ref.Dir)
	if err != nil || ref.Name == "" {
		return all, err
	}
	for _, i := range all {
		if i.Digest == ref.Name {
			return []builder.Stored{i}, nil
		}
		if slices.Contains(i.Tags, ref.Name) {
			i.Tags = []string{ref.Name}
			return []builder.Stored{i}, nil
		}
	}
	_, err = image.At(ref.Dir).Find(ref.Name)
	return nil, err
}

// noLayoutError is about a folder without images.
type noLayoutError struct{ path string }

func (e *noLayoutError) Error() string { return e.path + ": there is no image in it" }

// Hint says where images come from.
func (*noLayoutError) Hint() string { return "pgext build puts images into dist" }

type publishedDocument struct {
	Schema int              `json:"schema"`
	Images []publishedImage `json:"images"`
}

type publishedImage struct {
	Repository string   `json:"repository"`
	Tags       []string `json:"tags"`
	Digest     string   `json:"digest"`
	// Referrers and Evidence are how many manifests came along: attached to
	// it, and under tags for older tools.
	Referrers int `json:"referrers"`
	Evidence  int `json:"evidence"`
}

func (a *app) printPublished(all []builder.Published) error {
	doc := publishedDocument{Schema: 1, Images: []publishedImage{}}
	for _, p := range all {
		doc.Images = append(doc.Images, publishedImage{p.Repository, list(p.Tags), p.Digest, p.Referrers, p.Evidence})
	}
	return a.print(doc, func() string {
		var out strings.Builder
		for _, p := range all {
			for _, tag := range p.Tags {
				fmt.Fprintf(&out, "%s:%s@%s\n", p.Repository, tag, p.Digest)
			}
		}
		return out.String()
	})
}

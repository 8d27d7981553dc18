package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/location"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/publish"
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
			return a.runPush(cmd.Context(), args[:len(args)-1], args[len(args)-1], f)
		},
	}
	f.bind(cmd.Flags())
	return cmd
}

// runPush publishes the images of the sources below repo.
func (a *app) runPush(ctx context.Context, sources []string, repo string, f signingFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	if err := oci.CheckRepository(repo); err != nil {
		return err
	}
	if len(sources) == 0 {
		sources = []string{"dist"}
	}
	var all []location.Stored
	for _, arg := range sources {
		ref, err := oci.ParseRef(arg)
		if err != nil {
			return err
		}
		if ref.Layout == "" {
			return usageErrorf("push publishes from disk, and %s is in a registry: use pgext copy", arg)
		}
		images, err := location.All(ref)
		if err != nil {
			return err
		}
		all = append(all, images...)
	}
	if a.global.offline {
		return fmt.Errorf("pushing to %s: %w", repo, &fetch.OfflineError{Name: repo})
	}
	signer, err := a.attestor(ctx, f)
	if err != nil {
		return err
	}
	published, err := a.push(ctx, all, repo, signer)
	if err != nil {
		return err
	}
	return a.printPublished(published)
}

// push publishes images below repo, one after the other; the blobs of one go up
// in parallel.
func (a *app) push(ctx context.Context, images []location.Stored, repo string, signer publish.Signer) ([]publish.Published, error) {
	client := a.registryClient()
	var out []publish.Published
	for _, i := range images {
		p, err := publish.Publish(ctx, i, repository(repo, i.Name), client, signer)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

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

func (a *app) printPublished(all []publish.Published) error {
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

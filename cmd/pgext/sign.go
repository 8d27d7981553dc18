package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgext/pgext/internal/publish"
	"github.com/pgext/pgext/sign"
)

func (a *app) signCommand() *cobra.Command {
	var f signingFlags
	cmd := &cobra.Command{
		Use:   "sign IMAGE...",
		Short: "Sign images where they are",
		Long: `Sign images where they are: the index, the manifest of every architecture, and
what is attached to these: SBOM and provenance become signed attestations. The
stock cosign verifies all of it. Tags stay as they are; what the same signer has
signed before is not signed again. A document that is about something else, or
of which there are two, is not signed.

IMAGE is HOST/NAME[:TAG][@DIGEST], oci:PATH[:TAG], or the path of a layout, in
which signatures are referrers that pgext push takes along. pgext build --key
and pgext push --key sign as they publish.`,
		Example: `  pgext sign --key cosign.key registry.example.com/extensions/pgvector:0.8.1-18-trixie
  pgext sign --keyless registry.example.com/extensions/pgvector@sha256:...`,
		Args: atLeastOne("an image: HOST/NAME[:TAG], oci:PATH[:TAG], or a path"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			if !f.wanted() {
				return usageErrorf("need --key or --keyless")
			}
			return a.sign(cmd.Context(), args, f)
		},
	}
	f.bind(cmd.Flags())
	return cmd
}

type signedDocument struct {
	Schema int           `json:"schema"`
	Images []signedImage `json:"images"`
}

type signedImage struct {
	Image  string `json:"image"`
	Digest string `json:"digest"`
	// Referrers and Evidence are how many manifests were added: attached to
	// the image, and under tags for older tools.
	Referrers int `json:"referrers"`
	Evidence  int `json:"evidence"`
}

func (a *app) sign(ctx context.Context, refs []string, f signingFlags) error {
	client := a.registryClient()
	attestor, err := a.attestor(ctx, f)
	if err != nil {
		return err
	}
	doc := signedDocument{Schema: 1, Images: []signedImage{}}
	for _, ref := range refs {
		at, err := a.parseImage("reading", ref)
		if err != nil {
			return err
		}
		if at.Layout != "" && f.format != string(sign.FormatBundle) {
			return usageErrorf("--signature-format %s: such signatures are in a registry, and %s is a layout", f.format, ref)
		}
		made, err := publish.Sign(ctx, client, at, attestor)
		if err != nil {
			return err
		}
		for _, what := range made.Bare {
			a.printLines("", fmt.Sprintf("%s: %s, so no attestation was made", ref, what))
		}
		doc.Images = append(doc.Images, signedImage{made.Repository, made.Digest, made.Referrers, made.Evidence})
	}
	return a.print(doc, func() string {
		var out strings.Builder
		for _, i := range doc.Images {
			fmt.Fprintf(&out, "%s@%s\n", i.Image, i.Digest)
		}
		return out.String()
	})
}

package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/judge"
	"github.com/pgext/pgext/internal/oci"
)

type rebuildFlags struct {
	mirrorFlags
	filesDir string
}

func (a *app) rebuildCommand() *cobra.Command {
	var f rebuildFlags
	cmd := &cobra.Command{
		Use:   "rebuild IMAGE...",
		Short: "Build images again from their own provenance",
		Long: `Build images again from their own provenance, which holds recipe, lock and
options, and compare: the digest of every manifest, and of the index. Packages
come from the cache, from mirrors or from where an archive keeps what it had.
Nothing is written, and nothing is resolved: no Release is read.

IMAGE is HOST/NAME[:TAG][@DIGEST], oci:PATH[:TAG], or the path of a layout, of a
tar archive with one, or of a folder with one image.
A digest that differs exits with 3, packages that are gone with 12, provenance
that is missing or not about the image with 13.`,
		Example: `  pgext rebuild registry.example.com/extensions/pgvector:0.8.1-18-trixie
  pgext rebuild dist/pgvector`,
		Args: atLeastOne("an image: HOST/NAME[:TAG], oci:PATH[:TAG], or a path"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.rebuild(cmd.Context(), args, f)
		},
	}
	f.bind(cmd.Flags())
	cmd.Flags().StringVar(&f.filesDir, "files-dir", "", "folder with the files that the recipe names by path")
	return cmd
}

type rebuiltDocument struct {
	Schema int            `json:"schema"`
	Images []rebuiltImage `json:"images"`
}

type rebuiltImage struct {
	Image string `json:"image"`
	// Digest is the image's, Rebuilt what its provenance came to.
	Digest  string        `json:"digest"`
	Rebuilt string        `json:"rebuilt"`
	Same    bool          `json:"same"`
	Archs   []rebuiltArch `json:"archs"`
}

type rebuiltArch struct {
	Arch    string `json:"arch"`
	Digest  string `json:"digest"`
	Rebuilt string `json:"rebuilt"`
	Same    bool   `json:"same"`
}

func (a *app) rebuild(ctx context.Context, refs []string, f rebuildFlags) error {
	s, err := a.newSession(resolvingFlags{mirrorFlags: f.mirrorFlags}, imageFlags{})
	if err != nil {
		return err
	}
	parsed := make([]oci.Ref, len(refs))
	for i, ref := range refs {
		if parsed[i], err = a.parseImage("reading", ref); err != nil {
			return err
		}
	}
	doc := rebuiltDocument{Schema: 1, Images: []rebuiltImage{}}
	same := true
	for i, ref := range refs {
		r, err := judge.Rebuild(ctx, builder.New(s), a.registryClient(), parsed[i], f.filesDir)
		if err != nil {
			return fmt.Errorf("%s: %w", ref, err)
		}
		image := newRebuiltImage(ref, r)
		same = same && image.Same
		doc.Images = append(doc.Images, image)
	}
	if err := a.print(doc, doc.describe); err != nil {
		return err
	}
	if same {
		return nil
	}
	for _, i := range doc.Images {
		if !i.Same {
			a.printLines("pgext: ", i.Image+": what its provenance leads to is another image")
		}
	}
	fmt.Fprintln(a.stderr, "hint: do not use the image: its provenance leads to another one; pgext verify lists all failed checks")
	return printedError{exitFindings}
}

func newRebuiltImage(ref string, r judge.Comparison) rebuiltImage {
	out := rebuiltImage{Image: ref, Digest: r.Digest, Rebuilt: r.Rebuilt.Digest, Same: r.Same()}
	for _, i := range r.Rebuilt.Images {
		out.Archs = append(out.Archs, rebuiltArch{i.Arch, i.Claimed, i.Digest, i.Claimed == i.Digest})
	}
	return out
}

// describe is a line for each image; where digests differ, one for each
// architecture too.
func (d rebuiltDocument) describe() string {
	var b strings.Builder
	for _, i := range d.Images {
		if i.Same {
			fmt.Fprintf(&b, "same  %s %s\n", i.Image, i.Digest)
			continue
		}
		fmt.Fprintf(&b, "other %s %s, rebuilt %s\n", i.Image, i.Digest, i.Rebuilt)
		for _, arch := range i.Archs {
			word := "same "
			if !arch.Same {
				word = "other"
			}
			fmt.Fprintf(&b, "  %s %s %s, rebuilt %s\n", word, arch.Arch, arch.Digest, arch.Rebuilt)
		}
	}
	return b.String()
}

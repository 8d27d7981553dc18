package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spf13/cobra"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/metadata"
)

type inspectDocument struct {
	Schema int               `json:"schema"`
	Image  string            `json:"image"`
	Digest string            `json:"digest"`
	Images []inspectedBranch `json:"images"`
}

// inspectedBranch is one architecture of an image.
type inspectedBranch struct {
	Platform string          `json:"platform"`
	Digest   string          `json:"digest"`
	Size     int64           `json:"size"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
	Files    []inspectedFile `json:"files"`
	metadata metadata.Metadata
	tree     filetree.Tree
}

type inspectedFile struct {
	Path   string `json:"path"`
	Mode   string `json:"mode"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256,omitempty"`
	Link   string `json:"link,omitempty"`
}

func (a *app) inspectCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "inspect IMAGE",
		Short: "Say what is in an image",
		Long: `Say what is in an image: its extensions, what a consumer must set, and every
file with its size.

IMAGE is HOST/NAME[:TAG][@DIGEST], oci:PATH[:TAG], or the path of a layout.`,
		Example: `  pgext inspect dist/pgvector
  pgext inspect registry.example.com/extensions/pgvector:0.8.1-18-trixie`,
		Args: exactly(1, "an image: HOST/NAME[:TAG], oci:PATH[:TAG], or a path"),
		RunE: func(cmd *cobra.Command, args []string) error {
			artifact, err := a.openImage(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			doc := inspectDocument{Schema: 1, Image: args[0], Digest: artifact.Digest.String()}
			for _, img := range artifact.Images {
				branch, err := inspectBranch(cmd.Context(), img)
				if err != nil {
					return fmt.Errorf("inspecting %s: %w", args[0], err)
				}
				doc.Images = append(doc.Images, branch)
			}
			if a.global.json {
				a.printJSON(doc)
				return nil
			}
			a.printInspected(doc)
			return nil
		},
	}
}

// openImage finds IMAGE in a layout or in a registry.
func (a *app) openImage(ctx context.Context, ref string) (image.Artifact, error) {
	if local, ok := image.ParseRef(ref); ok {
		return image.At(local.Dir).Open(local.Name)
	}
	r, err := a.registryClient().Resolve(ctx, ref)
	if err != nil {
		return image.Artifact{}, err
	}
	if r.Index != nil {
		return image.FromIndex(r.Index)
	}
	return image.FromImage(r.Image)
}

func inspectBranch(ctx context.Context, img v1.Image) (inspectedBranch, error) {
	flat, err := image.Flatten(ctx, img, image.FlattenOptions{})
	if err != nil {
		return inspectedBranch{}, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return inspectedBranch{}, err
	}
	digest, err := img.Digest()
	if err != nil {
		return inspectedBranch{}, err
	}
	b := inspectedBranch{Platform: config.Platform().String(), Digest: digest.String(), tree: flat.Tree, Files: []inspectedFile{}}
	if label, ok := config.Config.Labels[metadata.Label]; ok {
		if b.metadata, err = metadata.Decode([]byte(label)); err != nil {
			return inspectedBranch{}, err
		}
		b.Metadata = json.RawMessage(label)
	}
	layers, err := img.Layers()
	if err != nil {
		return inspectedBranch{}, err
	}
	for _, l := range layers {
		size, err := l.Size()
		if err != nil {
			return inspectedBranch{}, err
		}
		b.Size += size
	}
	for e := range flat.Tree.All() {
		b.Files = append(b.Files, inspectedFile{e.Path, fmt.Sprintf("%04o", e.Mode.Perm()), e.Size, e.SHA256, e.Link})
	}
	return b, nil
}

func (a *app) printInspected(doc inspectDocument) {
	fmt.Fprintf(a.stdout, "%s\n%s\n", doc.Image, doc.Digest)
	for _, b := range doc.Images {
		fmt.Fprintf(a.stdout, "\n%s  %s\n", b.Platform, b.Digest)
		m := b.metadata
		for _, e := range m.Extensions {
			fmt.Fprintf(a.stdout, "  extension %s %s\n", e.Name, e.Version)
		}
		for _, s := range []struct {
			what string
			list []string
		}{
			{"create", m.Create}, {"ld_library_path", m.LDLibraryPath},
			{"shared_preload_libraries", m.SharedPreloadLibraries},
		} {
			if len(s.list) > 0 {
				fmt.Fprintf(a.stdout, "  %s %s\n", s.what, strings.Join(s.list, ", "))
			}
		}
		fmt.Fprintf(a.stdout, "  %d bytes compressed, %d bytes in %d entries\n", b.Size, b.tree.Size(), b.tree.Len())
		for e := range b.tree.All() {
			if e.Kind == filetree.Dir {
				continue
			}
			line := fmt.Sprintf("  %10d  %s", e.Size, e.Path)
			if e.Kind == filetree.Symlink {
				line += " -> " + e.Link
			}
			fmt.Fprintln(a.stdout, line)
		}
	}
}

package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/inspect"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/layout"
)

type inspectDocument struct {
	Schema   int               `json:"schema"`
	Image    string            `json:"image"`
	Digest   string            `json:"digest"`
	Images   []inspectedBranch `json:"images"`
	Findings []finding.Finding `json:"findings"`
}

// inspectedBranch is one architecture of an image.
type inspectedBranch struct {
	Platform string `json:"platform"`
	Digest   string `json:"digest"`
	// Size is of the compressed layers, Unpacked of the files, in bytes.
	Size       int64                `json:"size"`
	Unpacked   int64                `json:"unpacked"`
	Metadata   json.RawMessage      `json:"metadata,omitempty"`
	Extensions []metadata.Extension `json:"extensions"`
	Modules    []string             `json:"modules"`
	Layers     []inspect.Layer      `json:"layers"`
	Packages   []layout.Installed   `json:"packages"`
	Libraries  []inspect.Library    `json:"libraries"`
	Needs      []inspect.Need       `json:"needs"`
	Files      []inspectedFile      `json:"files"`
}

type inspectedFile struct {
	Path string `json:"path"`
	inspect.FileState
	Package string `json:"package,omitempty"`
}

func (a *app) inspectCommand() *cobra.Command {
	var order string
	cmd := &cobra.Command{
		Use:   "inspect IMAGE",
		Short: "Show the contents of an image",
		Long: `Show the contents of any image: its extensions, the settings that a consumer
needs, its layers, the packages its libraries came from, what it expects of the
operand image, every file with its size, and what a person should know.

IMAGE is HOST/NAME[:TAG][@DIGEST], oci:PATH[:TAG], or the path of a layout, of a
tar archive with one, or of a folder with one image.`,
		Example: `  pgext inspect dist/pgvector
  pgext inspect dist/postgis --sort size
  pgext inspect registry.example.com/extensions/pgvector:0.8.1-18-trixie`,
		Args: exactly(1, "an image: HOST/NAME[:TAG], oci:PATH[:TAG], or a path"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if order != "path" && order != "size" {
				return usageErrorf("--sort %q: there is path and size", order)
			}
			s, err := a.survey(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.print(inspected(args[0], s), func() string { return describeSurvey(args[0], s, order == "size") })
		},
	}
	cmd.Flags().StringVar(&order, "sort", "path", "order of the files: path, or size with the largest first")
	return cmd
}

// survey looks at everything in IMAGE.
func (a *app) survey(ctx context.Context, ref string) (s inspect.Result, err error) {
	artifact, err := a.openImage(ctx, ref)
	if err != nil {
		return inspect.Result{}, err
	}
	c, err := a.openCache()
	if err != nil {
		return inspect.Result{}, err
	}
	if s, err = inspect.Inspect(ctx, artifact, c); err != nil {
		return inspect.Result{}, fmt.Errorf("reading %s: %w", ref, err)
	}
	return s, nil
}

func inspected(ref string, s inspect.Result) inspectDocument {
	doc := inspectDocument{
		Schema: 1, Image: ref, Digest: s.Digest,
		Images: []inspectedBranch{}, Findings: s.All(),
	}
	for _, i := range s.Images {
		b := inspectedBranch{
			Platform: i.Platform, Digest: i.Digest, Size: i.Compressed(), Unpacked: i.Tree.Size(), Metadata: i.Label,
			Extensions: list(i.Extensions), Modules: list(i.Modules), Layers: list(i.Layers),
			Packages: list(i.Packages), Libraries: list(i.Libraries), Needs: list(i.Needs), Files: []inspectedFile{},
		}
		for e := range i.Tree.All() {
			b.Files = append(b.Files, inspectedFile{e.Path, inspect.StateOf(e), i.Owner[e.Path]})
		}
		doc.Images = append(doc.Images, b)
	}
	return doc
}

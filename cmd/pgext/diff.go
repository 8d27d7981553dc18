package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgext/pgext/internal/inspect"
)

type diffDocument struct {
	Schema int         `json:"schema"`
	A      diffSubject `json:"a"`
	B      diffSubject `json:"b"`
	inspect.Difference
}

type diffSubject struct {
	Image  string `json:"image"`
	Digest string `json:"digest"`
}

func (a *app) diffCommand() *cobra.Command {
	var exitCode bool
	cmd := &cobra.Command{
		Use:   "diff IMAGE IMAGE",
		Short: "Compare two images",
		Long: `Compare two images. The output lists for each architecture: versions of
extensions and packages, metadata, labels and annotations, what is expected of
the operand image, files, layers. Times of files do not count.

IMAGE is HOST/NAME[:TAG][@DIGEST], oci:PATH[:TAG], or the path of a layout, of a
tar archive with one, or of a folder with one image.`,
		Example: "  pgext diff registry.example.com/extensions/pgvector:0.8.1-18-trixie dist/pgvector",
		Args:    exactly(2, "two images: each HOST/NAME[:TAG], oci:PATH[:TAG], or a path"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var surveys [2]inspect.Result
			for i, ref := range args {
				var err error
				if surveys[i], err = a.survey(cmd.Context(), ref); err != nil {
					return err
				}
			}
			doc := diffDocument{
				Schema: 1, A: diffSubject{args[0], surveys[0].Digest}, B: diffSubject{args[1], surveys[1].Digest},
				Difference: inspect.Compare(surveys[0], surveys[1]),
			}
			if err := a.print(doc, doc.describe); err != nil {
				return err
			}
			if exitCode && !doc.Identical {
				return printedError{exitOther}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 1 when the digests differ")
	return cmd
}

// describe returns the output of diff: "" for equal images.
func (d diffDocument) describe() string {
	if d.Identical {
		return ""
	}
	var b strings.Builder
	linef(&b, "--- %s %s\n+++ %s %s\n", d.A.Image, d.A.Digest, d.B.Image, d.B.Digest)
	for _, i := range d.Images {
		linef(&b, "\n%s\n", i.Platform)
		switch {
		case i.Only != "":
			linef(&b, "  only in %s\n", map[string]string{"a": d.A.Image, "b": d.B.Image}[i.Only])
		default:
			describeDifference(&b, i)
		}
	}
	return b.String()
}

func describeDifference(b *strings.Builder, d inspect.ImageDifference) {
	for _, l := range []struct {
		what string
		list []inspect.NamedChange
	}{{"extension", d.Extensions}, {"package", d.Packages}} {
		for _, c := range l.list {
			linef(b, "  %s %s\n", l.what, versionChange(c))
		}
	}
	for _, n := range d.Needs {
		if n.A == "" {
			linef(b, "  needs %s of the base\n", n.Name)
		} else {
			linef(b, "  no longer needs %s of the base\n", n.Name)
		}
	}
	for _, f := range d.Metadata {
		linef(b, "  metadata %s: %s -> %s\n", f.Field, orNothing(string(f.A)), orNothing(string(f.B)))
	}
	for _, c := range d.Labels {
		linef(b, "  label %s: %s -> %s\n", c.Name, orNothing(c.A), orNothing(c.B))
	}
	for _, c := range d.Annotations {
		if !slices.Contains(d.Labels, c) { // most stand in both places
			linef(b, "  annotation %s: %s -> %s\n", c.Name, orNothing(c.A), orNothing(c.B))
		}
	}
	for _, f := range d.Files {
		linef(b, "  %s\n", fileChange(f))
	}
	if d.Same() {
		b.WriteString("  the same files and metadata\n")
	}
	linef(b, "  layers: %d shared, %d removed, %d added, %s -> %s\n",
		len(d.Layers.Shared), len(d.Layers.Removed), len(d.Layers.Added), byteCount(d.Size.A), byteCount(d.Size.B))
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}

func versionChange(c inspect.NamedChange) string {
	switch {
	case c.A == "":
		return fmt.Sprintf("%s %s added", c.Name, c.B)
	case c.B == "":
		return fmt.Sprintf("%s %s removed", c.Name, c.A)
	}
	return fmt.Sprintf("%s %s -> %s", c.Name, c.A, c.B)
}

// fileChange is one line: + added, - removed, ~ changed.
func fileChange(f inspect.FileChange) string {
	switch {
	case f.A == nil:
		return fmt.Sprintf("+ %s %s", f.Path, stateText(*f.B))
	case f.B == nil:
		return fmt.Sprintf("- %s %s", f.Path, stateText(*f.A))
	case f.A.Kind == f.B.Kind && f.A.Mode != f.B.Mode:
		return fmt.Sprintf("~ %s %s, mode %s -> %s", f.Path, stateChange(*f.A, *f.B), f.A.Mode, f.B.Mode)
	}
	return fmt.Sprintf("~ %s %s", f.Path, stateChange(*f.A, *f.B))
}

func stateChange(a, b inspect.FileState) string {
	before, after := stateText(a), stateText(b)
	if before == after {
		return before
	}
	return before + " -> " + after
}

// stateText is a size or a link's target.
func stateText(s inspect.FileState) string {
	switch s.Kind {
	case "folder":
		return "folder"
	case "link":
		return "link to " + s.Link
	}
	return byteCount(s.Size)
}

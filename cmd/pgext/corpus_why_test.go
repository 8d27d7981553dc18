//go:build corpus && linux

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pgext/pgext/layout"
)

// corpusFile is a file of an image, as its report has it.
type corpusFile struct {
	layout.FileReport
	pkg  string
	size int64
}

// largest returns the n biggest of the files.
func largest(files []corpusFile, n int) []corpusFile {
	out := slices.SortedFunc(slices.Values(files), func(a, b corpusFile) int {
		return cmp.Or(cmp.Compare(b.size, a.size), strings.Compare(a.To, b.To))
	})
	return out[:min(n, len(out))]
}

// largestOf says of an image's ten largest files why each is there.
func (c *corpus) largestOf(b *strings.Builder, name string) {
	i := slices.IndexFunc(c.images, func(i corpusImage) bool { return i.name == name || strings.HasPrefix(i.name, name+"-") })
	if i < 0 {
		return
	}
	first := c.images[i].archs[0]
	fmt.Fprintf(b, "\n## The ten largest files of the %s image, and why each is needed\n\n", c.images[i].name)
	b.WriteString("From its report (amd64). A library is needed by the file before it; data is read by the library before it.\n\n")
	b.WriteString("| MiB | file | package | why |\n|--:|---|---|---|\n")
	for _, f := range first.largest {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", mebibytes(f.size), f.To, f.pkg, why(first.report, f))
	}
}

// why describes how a file is reached.
func why(report layout.ReportDocument, f corpusFile) string {
	if len(f.NeededBy) == 0 {
		return ownFile(f.To)
	}
	chain := shortest(report, f.To)
	slices.Reverse(chain)
	return strings.Join(chain, " → ")
}

// ownFile describes what a file of the extension's own packages is to PostgreSQL.
func ownFile(to string) string {
	script, isScript := strings.CutSuffix(to, ".sql")
	switch _, versions, named := strings.Cut(script, "--"); {
	case strings.HasPrefix(to, "lib/"):
		return "a module of the extension"
	case isScript && named && strings.Contains(versions, "--"):
		return "an update script of the extension"
	case isScript && named:
		return "the install script of the extension"
	}
	return "a file that the extension's package has below PostgreSQL's sharedir"
}

// shortest is the shortest way from a file over those that need it to a file
// of the extension itself.
func shortest(report layout.ReportDocument, to string) []string {
	neededBy := map[string][]string{}
	for _, p := range report.Packages {
		for _, f := range p.Files {
			neededBy[f.To] = f.NeededBy
		}
	}
	ways := [][]string{{to}}
	for seen := map[string]bool{to: true}; len(ways) > 0; {
		way := ways[0]
		ways = ways[1:]
		last := way[len(way)-1]
		if len(neededBy[last]) == 0 {
			return way
		}
		for _, next := range neededBy[last] {
			if !seen[next] {
				seen[next] = true
				ways = append(ways, append(slices.Clone(way), next))
			}
		}
	}
	return []string{to}
}

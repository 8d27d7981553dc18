//go:build corpus && linux

package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/probe"
)

const corpusHead = `# The corpus: every extension package of %[1]s, PostgreSQL %[2]d

Written by ` + "`%[3]s`" + `. Every package ` + "`postgresql-%[2]d-*`" + ` of the archive is in one class: an image, a half of another image, or no extension. Every
image was built for amd64 and arm64 from the recipe that ` + "`pgext init --all`" + ` writes. Then its layers were unpacked with tar over a root file system of the base
(the packages of ` + "`cnpg-minimal`" + `, unpacked with dpkg-deb), and the dynamic loader was asked about every ELF file of the image, with the ` + "`LD_LIBRARY_PATH`" + ` of its label;
for arm64, readelf was.

All of it is the same wherever and whenever it is made from the same state of the archives: %[4]s.

%[5]s

%[6]s

## Images

Sizes are KiB as pulled, amd64 / arm64: the layer of libraries and data, then the layer of the extension. *Libraries*: number and MiB on disk of the bundled libraries of amd64.
*Data*: MiB on disk of the data that libraries read at run time. *Created*: number of the label's extensions that a real server created. *Checks*: number of checks of
` + "`pgext test`" + ` that passed; *notes*: number of checks with a note.

| image | version | libraries layer | extension layer | libraries | data | requires | created | checks | notes | findings |
|---|---|--:|--:|--:|--:|---|--:|--:|--:|---|
`

// write makes docs/corpus.md.
func (c *corpus) write(t *testing.T) {
	t.Helper()
	if c.distro != "forky" || c.postgres != 18 {
		t.Fatalf("docs/corpus.md is about forky and PostgreSQL 18, not %s and %d", c.distro, c.postgres)
	}
	if err := os.WriteFile("../../docs/corpus.md", []byte(c.page()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (c *corpus) page() string {
	var b strings.Builder
	fmt.Fprintf(&b, corpusHead, c.distro, c.postgres, "make corpus UPDATE=1", c.state(), c.totals(), c.liveTotals())
	for _, i := range c.images {
		b.WriteString(i.row())
	}
	c.others(&b)
	c.writeEvidence(&b)
	c.writeLive(&b)
	c.findings(&b)
	c.largestOf(&b, "postgis")
	return b.String()
}

// state names what was resolved against.
func (c *corpus) state() string { return c.release }

// totals describes how many packages are what.
func (c *corpus) totals() string {
	count := map[probe.Kind]int{}
	for _, class := range c.classes {
		count[class.Kind]++
	}
	var size, bundled int64
	for _, i := range c.images {
		for _, a := range i.archs {
			size += a.libraries + a.extension
		}
		bundled += int64(i.archs[0].bundled)
	}
	return fmt.Sprintf("%d packages: **%d images, %d halves, %d no extension**. The images have %d libraries (amd64) and take %d MiB for both architectures.",
		len(c.classes), count[probe.Image], count[probe.Half], count[probe.None], bundled, size>>20)
}

// row is the image's line of the table.
func (i corpusImage) row() string {
	first := i.archs[0]
	libraries, data := "", ""
	if first.bundled > 0 {
		libraries = fmt.Sprintf("%d, %s", first.bundled, mebibytes(first.bundledSize))
	}
	if first.data > 0 {
		data = mebibytes(first.data)
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", i.name, i.metadata.Version,
		i.sizes(func(a corpusArch) int64 { return a.libraries }), i.sizes(func(a corpusArch) int64 { return a.extension }),
		libraries, data, i.requires(), i.live.columns(), i.codes())
}

// sizes is the size of a layer for each architecture, in KiB.
func (i corpusImage) sizes(of func(corpusArch) int64) string {
	var out []string
	for _, a := range i.archs {
		if n := of(a); n > 0 {
			out = append(out, fmt.Sprint((n+1023)>>10))
		}
	}
	return strings.Join(out, " / ")
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f", float64(n)/(1<<20)) }

func (i corpusImage) requires() string {
	var out []string
	for _, r := range i.metadata.Requires {
		out = append(out, cmp.Or(r.Extension, "module "+r.Module))
	}
	return strings.Join(out, ", ")
}

// codes are the codes of the findings.
func (i corpusImage) codes() string {
	var out []string
	for _, f := range i.built.Findings {
		out = append(out, f.Code)
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ", ")
}

// others lists the packages that are no image.
func (c *corpus) others(b *strings.Builder) {
	b.WriteString("\n## Halves of an image, and no extensions\n\n| package | class | why |\n|---|---|---|\n")
	for _, class := range c.classes {
		switch class.Kind {
		case probe.Half:
			fmt.Fprintf(b, "| %s | half of %s | %s |\n", class.Package, class.Recipe, class.Reason)
		case probe.None:
			fmt.Fprintf(b, "| %s | no extension | %s |\n", class.Package, class.Reason)
		}
	}
}

// findings lists all but notes with their texts, those of both architectures
// once.
func (c *corpus) findings(b *strings.Builder) {
	b.WriteString("\n## Findings\n\nWarnings are about parts that cannot work in a mounted image or were left out. `pgext explain CODE` has the details; `pgext lint` lists notes as well.\n\n| image | code | where | what |\n|---|---|---|---|\n")
	for _, i := range c.images {
		seen := map[string]bool{}
		for _, f := range i.built.Findings {
			line := fmt.Sprintf("| %s | %s | %s | %s |\n", i.name, f.Code, f.Path, f.Text)
			if f.Severity > finding.Note && !seen[line] {
				b.WriteString(line)
			}
			seen[line] = true
		}
	}
}

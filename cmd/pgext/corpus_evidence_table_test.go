//go:build corpus && linux

package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/verify"
	"github.com/pgext/pgext/sbom"
)

// A licence whose name is of this form is a text as a whole: a copyright file
// for people, or the lack of one.
var (
	wholeText = regexp.MustCompile(`^LicenseRef-(.+)-copyright-[0-9a-f]{16}$`)
	unstated  = regexp.MustCompile(`^LicenseRef-(.+)-unstated-[0-9a-f]{16}$`)
)

// sums are the totals of what was told about images.
type sums struct {
	images, rebuilt, same int
	checks                map[verify.Status]int
	archs                 map[string]*archSums
	// all are of both architectures, each package once.
	all archSums
}

type archSums struct {
	bytes, files, own, links, listed int
	// packages are by their package URL, texts by their reference.
	packages map[string]sbom.Entry
	texts    map[string]string
}

func newArchSums() archSums {
	return archSums{packages: map[string]sbom.Entry{}, texts: map[string]string{}}
}

func (a *archSums) add(t told) {
	a.bytes, a.files, a.own, a.links, a.listed = a.bytes+t.bytes, a.files+t.files, a.own+t.own, a.links+t.links, a.listed+len(t.packages)
	for _, p := range t.packages {
		a.packages[p.PURL] = p
	}
	maps.Copy(a.texts, t.texts)
}

// evidenceTotals adds up what was told about all images.
func (c *corpus) evidenceTotals() sums {
	s := sums{images: len(c.images), checks: map[verify.Status]int{}, archs: map[string]*archSums{}, all: newArchSums()}
	for _, i := range c.images {
		s.rebuilt, s.same = s.rebuilt+i.proven.rebuilt, s.same+i.proven.same
		for status, n := range i.proven.checks {
			s.checks[status] += n
		}
		for _, a := range i.archs {
			if s.archs[a.arch] == nil {
				one := newArchSums()
				s.archs[a.arch] = &one
			}
			s.archs[a.arch].add(a.told)
			s.all.add(a.told)
		}
	}
	return s
}

// licences counts packages by how their licence is stated.
func (a archSums) licences() (expressions, named, whole, none int) {
	for _, p := range a.packages {
		switch {
		case wholeText.MatchString(p.License):
			whole++
		case unstated.MatchString(p.License):
			none++
		default:
			expressions++
			if strings.Contains(p.License, "LicenseRef-") {
				named++
			}
		}
	}
	return expressions, named, whole, none
}

// wholeTexts are the sources whose copyright file is for people.
func (a archSums) wholeTexts() []string {
	var out []string
	for _, p := range a.packages {
		if m := wholeText.FindStringSubmatch(p.License); m != nil {
			out = append(out, m[1])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// String is the summary that every run ends with.
func (s sums) String() string {
	expressions, named, whole, none := s.all.licences()
	return fmt.Sprintf("%d images: %d files and %d links with one owner each, %d packages listed %d times; "+
		"licences of packages: %d expressions (%d with names that SPDX lacks), %d whole texts, %d unstated, %d texts in all; "+
		"%d checks passed, %d failed, %d skipped; %d digests rebuilt; %d files the same elsewhere; %.1f MiB of documents",
		s.images, s.all.files, s.all.links, len(s.all.packages), s.all.listed, expressions, named, whole, none, len(s.all.texts),
		s.checks[verify.Pass], s.checks[verify.Fail], s.checks[verify.Skip], s.rebuilt, s.same, float64(s.all.bytes)/(1<<20))
}

// writeEvidence describes what the documents about all images came to.
func (c *corpus) writeEvidence(b *strings.Builder) {
	s := c.evidenceTotals()
	fmt.Fprintf(b, "\n## Evidence\n\nThe documents of the images ([sbom.md](sbom.md), [provenance.md](provenance.md)) were validated against SPDX 2.3 and "+
		"CycloneDX 1.7 and compared, file by file, with the output of tar; `pgext verify` without signatures: **%d checks passed, %d failed**. `pgext rebuild` rebuilt from the "+
		"provenance offline, with a cache of packages without derived records: **%d of %d digests** of manifests and indexes are equal. Then all was resolved and built "+
		"again, in another folder, through other mirrors, with another number of jobs: **%d files** of layouts and documents, byte for byte the same.\n\n",
		s.checks[verify.Pass], s.checks[verify.Fail], s.rebuilt, s.digests(c), s.same)
	b.WriteString("| | amd64 | arm64 | both, each package once |\n|---|--:|--:|--:|\n")
	columns := []archSums{s.arch("amd64"), s.arch("arm64"), s.all}
	row := func(what string, of func(archSums) int) {
		fmt.Fprintf(b, "| %s |", what)
		for _, a := range columns {
			fmt.Fprintf(b, " %d |", of(a))
		}
		b.WriteString("\n")
	}
	row("files, each with one owner", func(a archSums) int { return a.files })
	row("of these the image's own: generated or rewritten", func(a archSums) int { return a.own })
	row("symbolic links, each with one owner", func(a archSums) int { return a.links })
	row("packages in all lists", func(a archSums) int { return a.listed })
	row("different packages", func(a archSums) int { return len(a.packages) })
	row("whose licence is an expression, of a machine-readable copyright file (DEP-5)", func(a archSums) int { n, _, _, _ := a.licences(); return n })
	row("of these with names that SPDX lacks, and their texts", func(a archSums) int { _, n, _, _ := a.licences(); return n })
	row("whose licence is a copyright file for people, as a whole", func(a archSums) int { _, _, n, _ := a.licences(); return n })
	row("without a licence", func(a archSums) int { _, _, _, n := a.licences(); return n })
	row("different texts of licences", func(a archSums) int { return len(a.texts) })
	fmt.Fprintf(b, "\nCopyright files for people have these sources: %s.\n", strings.Join(s.all.wholeTexts(), ", "))
}

func (s sums) arch(name string) archSums {
	if a := s.archs[name]; a != nil {
		return *a
	}
	return newArchSums()
}

// digests is how many manifests and indexes there are.
func (s sums) digests(c *corpus) int {
	n := 0
	for _, i := range c.images {
		n += 1 + len(i.archs)
	}
	return n
}

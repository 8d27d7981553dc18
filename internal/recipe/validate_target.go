package recipe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/text"
)

// targets judges the rows of the matrix.
func (v validator) targets(r *Recipe) {
	v.notEmpty("targets", len(r.Targets))
	for i := range r.Targets {
		v.row(index("targets", i), &r.Targets[i], r.Archives)
	}
	v.overlap(r)
}

func (v validator) row(field string, row *Row, archives []Archive) {
	if v.given(field + ".distro") {
		if problem, suggestion := distroProblem(row.Distro, archives); problem != "" {
			v.wrong(field+".distro", suggestion, "%s", problem)
		}
	}
	for i, major := range row.Postgres {
		v.postgres(index(field+".postgres", i), major)
	}
	for i, arch := range row.Archs {
		v.arch(index(field+".archs", i), arch)
	}
	v.unique(field+".postgres", len(row.Postgres), func(i int) string { return fmt.Sprint(row.Postgres[i]) })
	v.unique(field+".archs", len(row.Archs), func(i int) string { return row.Archs[i] })
	v.notEmpty(field+".postgres", len(row.Postgres))
	v.notEmpty(field+".archs", len(row.Archs))
	if v.given(field + ".base") {
		v.base(field+".base", row.Base)
	}
	if row.Source != nil {
		v.source(field+".source", row.Source)
	}
}

// overlap reports rows that select the same target twice, and rows that make
// one image of different bases or sources.
func (v validator) overlap(r *Recipe) {
	type image struct {
		distro   string
		postgres int
	}
	first := map[image]int{}
	seen := map[image]map[string]bool{}
	for i, row := range r.Targets {
		row = row.complete()
		for _, major := range row.Postgres {
			key := image{row.Distro, major}
			before, known := first[key]
			if !known {
				first[key], seen[key] = i, map[string]bool{}
				before = i
			}
			if before != i && !sameMake(r.Targets[before], r.Targets[i]) {
				v.wrong(index("targets", i), "", "%s/%d is one image, but targets[%d] has another base or source for it", row.Distro, major, before)
			}
			for _, arch := range row.Archs {
				if seen[key][arch] && before != i {
					v.wrong(index("targets", i), "", "%s/%d/%s is already selected by targets[%d]", row.Distro, major, arch, before)
				}
				seen[key][arch] = true
			}
		}
	}
}

// postgres judges a PostgreSQL major.
func (v validator) postgres(field string, major int) {
	if problem := postgresProblem(major); problem != "" {
		v.wrong(field, "", "%s", problem)
	}
}

// arch judges an architecture.
func (v validator) arch(field, arch string) {
	if problem, suggestion := archProblem(arch); problem != "" {
		v.wrong(field, suggestion, "%s", problem)
	}
}

// base judges what the operand image holds.
func (v validator) base(field, base string) {
	if !v.required(field, base) || base == BaseMinimal {
		return
	}
	reference, isImage := strings.CutPrefix(base, BaseImagePrefix)
	if !isImage {
		suggestion := text.Nearest(base, []string{BaseMinimal})
		if expanded, ok := v.expand(field, base); !ok {
			return
		} else if suggestion == "" && referencePattern.matches(expanded) {
			suggestion = BaseImagePrefix + base
		}
		v.wrong(field, suggestion, "%q is neither %s nor image:REF", base, BaseMinimal)
		return
	}
	if expanded, ok := v.expand(field, reference); ok && !referencePattern.matches(expanded) {
		v.wrong(field, "", "%q is not image: and %s", base, referencePattern.is)
	}
}

// distroProblem returns what is wrong with a distribution: it has to be known,
// or every archive has to name its suite.
func distroProblem(distro string, archives []Archive) (problem, suggestion string) {
	switch {
	case slices.Contains(distros, distro):
		return "", ""
	case !distroPattern.matches(distro):
		return fmt.Sprintf("%q is not %s", distro, distroPattern.is), text.Nearest(distro, distros)
	case len(archives) > 0 && !slices.ContainsFunc(archives, func(a Archive) bool { return a.Suite == "" }):
		return "", ""
	}
	return fmt.Sprintf("unknown distribution %q; known are %s, and any other needs archives that each name a suite",
		distro, strings.Join(distros, ", ")), text.Nearest(distro, distros)
}

// archProblem returns what is wrong with an architecture.
func archProblem(arch string) (problem, suggestion string) {
	if slices.Contains(archs, arch) {
		return "", ""
	}
	suggestion = otherArchs[strings.ToLower(arch)]
	if suggestion == "" {
		suggestion = text.Nearest(arch, archs)
	}
	return fmt.Sprintf("unknown architecture %q; Debian's names are %s", arch, strings.Join(archs, ", ")), suggestion
}

// postgresProblem returns what is wrong with a PostgreSQL major.
func postgresProblem(major int) string {
	if major < minPostgres || major > maxPostgres {
		return fmt.Sprintf("%d is not a PostgreSQL major from %d to %d", major, minPostgres, maxPostgres)
	}
	return ""
}

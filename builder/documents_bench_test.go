package builder_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/session"
)

// The flags of make bench: folders of recipes that were built with the cache,
// separated by spaces.
var (
	benchRecipes = flag.String("recipes", "", "what to build: folders of recipes")
	benchCache   = flag.String("cache", "", "the cache that has their packages")
)

// spent is what a step took.
type spent struct{ wall, cpu time.Duration }

// best keeps the fastest of several runs; processor and clock on their own.
func (s *spent) best(tb testing.TB, step func() error) {
	tb.Helper()
	cpu, start := processor(tb), time.Now()
	if err := step(); err != nil {
		tb.Fatal(err)
	}
	wall, used := time.Since(start), processor(tb)-cpu
	if s.wall == 0 || wall < s.wall {
		s.wall = wall
	}
	if s.cpu == 0 || used < s.cpu {
		s.cpu = used
	}
}

func processor(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkDocuments builds recipes for amd64 with documents and without, in turn:
// locked builds with a full cache and no output, by a new builder. The difference is
// the cost of SBOM and provenance with their files and referrers.
func BenchmarkDocuments(b *testing.B) {
	for folder := range strings.FieldsSeq(*benchRecipes) {
		b.Run(filepath.Base(folder), func(b *testing.B) {
			plan := planOf(b, folder)
			var bare, whole, documents spent
			for b.Loop() {
				bare.best(b, func() error { return opened(b).Bare(b.Context(), plan, b.TempDir()) })
				whole.best(b, func() error { _, err := opened(b).Build(b.Context(), plan, b.TempDir()); return err })
				makeDocuments, err := opened(b).DocumentMaker(b.Context(), plan)
				if err != nil {
					b.Fatal(err)
				}
				documents.best(b, makeDocuments)
			}
			for name, s := range map[string]spent{"bare": bare, "whole": whole, "documents": documents} {
				b.ReportMetric(s.wall.Seconds()*1000, name+"-ms")
				b.ReportMetric(s.cpu.Seconds()*1000, name+"-cpu-ms")
			}
		})
	}
}

// opened is a builder like that of a new process.
func opened(tb testing.TB) *builder.Builder {
	tb.Helper()
	c, err := cache.Open(*benchCache)
	if err != nil {
		tb.Fatal(err)
	}
	return builder.New(session.New(session.Options{Cache: c, Fetcher: fetch.New(c, fetch.Options{Offline: true}), AllowExpired: true}))
}

// planOf is the plan for amd64, from the lock.
func planOf(tb testing.TB, folder string) *builder.Plan {
	tb.Helper()
	if _, err := os.Stat(filepath.Join(folder, "pgext.lock")); err != nil {
		tb.Fatal(err)
	}
	recipes, err := recipe.Load(folder)
	if err != nil {
		tb.Fatal(err)
	}
	selection := recipe.Selection{Distros: []string{"forky"}, Postgres: []int{18}, Archs: []string{"amd64"}}
	plan, err := opened(tb).Plan(tb.Context(), recipes[0], selection, builder.Locked)
	if err != nil {
		tb.Fatal(err)
	}
	return plan
}

package debextract

import (
	"cmp"
	"context"
	"crypto/sha256"
	"io"
	"os/exec"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/decompress"
	"github.com/pgext/pgext/internal/oracle"
	"github.com/pgext/pgext/internal/testmirror"
)

// closureOf returns the packages that root depends on, itself included, the
// first alternative of each dependency that is a package, largest first.
func closureOf(tb testing.TB, suite, root string) []testmirror.Package {
	tb.Helper()
	byName := make(map[string]testmirror.Package)
	for _, p := range testmirror.All(tb, suite, "amd64") {
		byName[p.Name] = p
	}
	seen := map[string]bool{root: true}
	queue := []string{root}
	var out []testmirror.Package
	for len(queue) > 0 {
		p := byName[queue[0]]
		queue = queue[1:]
		out = append(out, p)
		relations, err := debian.ParseRelations(p.Depends)
		if err != nil {
			tb.Fatal(err)
		}
		for _, alternatives := range relations {
			for _, r := range alternatives {
				if _, ok := byName[r.Name]; !ok {
					continue
				}
				if !seen[r.Name] {
					seen[r.Name] = true
					queue = append(queue, r.Name)
				}
				break
			}
		}
	}
	slices.SortFunc(out, func(a, b testmirror.Package) int { return cmp.Compare(b.Size, a.Size) })
	return out
}

// BenchmarkPostGIS opens every package that PostGIS needs, on all processors.
// The ratio of walk to decode is what tar and the checks of this package
// cost, that of decode to xz (dpkg-deb) what decoding in Go costs.
func BenchmarkPostGIS(b *testing.B) {
	var packages []*Package
	var files []string
	for _, p := range closureOf(b, "forky", "postgresql-18-postgis-3") {
		file := testmirror.Get(b, p.Filename, p.SHA256)
		files = append(files, file)
		packages = append(packages, openFile(b, file))
	}
	b.Logf("%d packages", len(packages))
	budget := decompress.NewBudget(160 << 20)
	for _, p := range packages {
		p.options.Budget = budget
	}
	discard := func(_ Entry, r io.Reader) error {
		_, err := io.Copy(io.Discard, r)
		return err
	}
	hash := func(_ Entry, r io.Reader) error {
		_, err := io.Copy(sha256.New(), r)
		return err
	}
	for _, bench := range []struct {
		name string
		one  func(i int) error
	}{
		{"decode", func(i int) error { return decodeOnly(packages[i]) }},
		{"walk", func(i int) error { return packages[i].Walk(context.Background(), discard) }},
		{"walk-sha256", func(i int) error { return packages[i].Walk(context.Background(), hash) }},
		{"xz", func(i int) error { return exec.Command(oracle.Need(b, "dpkg-deb"), "--fsys-tarfile", files[i]).Run() }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			peak, before := watchMemory(b), cpuSeconds(b)
			for b.Loop() {
				var group errgroup.Group
				group.SetLimit(runtime.GOMAXPROCS(0))
				for i := range packages {
					group.Go(func() error { return bench.one(i) })
				}
				if err := group.Wait(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpuSeconds(b)-before)/float64(b.N), "cpu-s/op")
			b.ReportMetric(peak()/(1<<20), "peak-MiB")
		})
	}
}

func decodeOnly(p *Package) error {
	r, err := decompress.NewReaderAt(io.NewSectionReader(p.src, p.data.offset, p.data.size), p.data.size, p.data.format,
		decompress.Options{Budget: p.options.Budget})
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(io.Discard, r)
	return err
}

// cpuSeconds returns the processor time of this process and the children it
// has waited for, which a busy machine does not distort as much as the clock.
func cpuSeconds(b *testing.B) float64 {
	b.Helper()
	var sum time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var usage syscall.Rusage
		if err := syscall.Getrusage(who, &usage); err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	return sum.Seconds()
}

// watchMemory samples what the Go runtime has from the system and has not
// given back; the function it returns ends that and returns the peak in bytes.
func watchMemory(b *testing.B) func() float64 {
	b.Helper()
	runtime.GC()
	stop := make(chan struct{})
	var watcher sync.WaitGroup
	var peak float64
	watcher.Go(func() {
		samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		for {
			metrics.Read(samples)
			peak = max(peak, float64(samples[0].Value.Uint64()-samples[1].Value.Uint64()))
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	return func() float64 {
		close(stop)
		watcher.Wait()
		return peak
	}
}

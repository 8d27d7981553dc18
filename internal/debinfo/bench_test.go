package debinfo

import (
	"bytes"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/cache/cachetest"
	"github.com/pgext/pgext/internal/decompress"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/testmirror"
)

// minimal lists the packages of a cnpg-minimal operand besides those of priority
// required.
var minimal = []string{"apt", "postgresql-common", "ca-certificates", "gnupg", "libsasl2-modules", "libldap-common", "postgresql-18"}

// closure returns files of all packages that installing name adds to a
// minimal operand of forky.
func closure(tb testing.TB, arch, name string) []string {
	tb.Helper()
	ix, err := apt.Load(tb.Context(), nil, []apt.File{{
		Archive: "debian", Suite: "forky", Component: "main", Arch: arch,
		Open: func() (io.ReadCloser, error) { return os.Open(testmirror.Packages(tb, "forky", arch)) },
	}}, arch)
	if err != nil {
		tb.Fatal(err)
	}
	names := minimal
	for _, p := range ix.ByPriority("required") {
		names = append(names, p.Name)
	}
	base, err := ix.Install(nil, names)
	if err != nil {
		tb.Fatal(err)
	}
	added, err := ix.Install(base, []string{name})
	if err != nil {
		tb.Fatal(err)
	}
	var files []string
	for _, p := range added {
		files = append(files, testmirror.Get(tb, p.Filename, p.SHA256))
	}
	return files
}

// filled returns a cache in a new folder that holds files, and the requests to scan
// all of them.
func filled(tb testing.TB, files []string) (*cache.Cache, []Request) {
	tb.Helper()
	c := cachetest.Open(tb)
	var requests []Request
	for _, name := range files {
		requests = append(requests, Request{SHA256: put(tb, c, name), Keep: library})
	}
	return c, requests
}

func put(tb testing.TB, c *cache.Cache, name string) string {
	tb.Helper()
	f, err := os.Open(name)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	sha, _ := cachetest.Put(tb, c, f)
	return sha
}

// library keeps what an image might take: shared libraries, licences.
func library(e filetree.Entry) bool {
	return strings.Contains(e.Path, ".so") || strings.HasSuffix(e.Path, "/copyright")
}

// BenchmarkPostGIS scans the packages that PostGIS adds to an operand. scan/decode is
// the processor time of the first scan as a multiple of decompression alone: the cost
// of digests, ELF headers and blobs. Warm is the cost of every later run.
func BenchmarkPostGIS(b *testing.B) {
	files := closure(b, "amd64", "postgresql-18-postgis-3")
	c, requests := filled(b, files)
	b.Run("scan", func(b *testing.B) {
		var scan, decode time.Duration
		for b.Loop() {
			b.StopTimer()
			start := cpu()
			decodeAll(b, c, requests)
			decode += cpu() - start
			fresh, requests := filled(b, files)
			resetPeak()
			start = cpu()
			b.StartTimer()
			scanAll(b, fresh, requests)
			scan += cpu() - start
		}
		b.ReportMetric(float64(len(files)), "packages")
		b.ReportMetric(scan.Seconds()/float64(b.N), "cpu-s/op")
		b.ReportMetric(scan.Seconds()/decode.Seconds(), "scan/decode")
		b.ReportMetric(peak(b), "peak-MB")
	})
	scanAll(b, c, requests)
	b.Run("warm", func(b *testing.B) {
		start := cpu()
		for b.Loop() {
			scanAll(b, c, requests)
		}
		b.ReportMetric((cpu()-start).Seconds()*1000/float64(b.N), "cpu-ms/op")
	})
}

func scanAll(b *testing.B, c *cache.Cache, requests []Request) {
	b.Helper()
	if _, err := New(c, Options{}).ScanAll(b.Context(), requests); err != nil {
		b.Fatal(err)
	}
}

// decodeAll decompresses every data member.
func decodeAll(b *testing.B, c *cache.Cache, requests []Request) {
	b.Helper()
	budget := decompress.NewBudget(Options{}.complete().Memory)
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, i := range New(c, Options{}).bySize(requests) {
		g.Go(func() error {
			f, err := c.Open(requests[i].SHA256)
			if err != nil {
				return err
			}
			defer f.Close()
			data, err := dataMember(f)
			if err != nil {
				return err
			}
			r, err := decompress.NewReaderAt(data, data.Size(), decompress.XZ, decompress.Options{Budget: budget})
			if err != nil {
				return err
			}
			defer r.Close()
			_, err = io.Copy(io.Discard, r)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
}

// dataMember returns the data.tar.xz of a package.
func dataMember(f *os.File) (*io.SectionReader, error) {
	header := make([]byte, 60)
	for at := int64(8); ; {
		if _, err := f.ReadAt(header, at); err != nil {
			return nil, err
		}
		size, err := strconv.ParseInt(strings.TrimSpace(string(header[48:58])), 10, 64)
		if err != nil {
			return nil, err
		}
		if bytes.HasPrefix(header, []byte("data.tar.xz")) {
			return io.NewSectionReader(f, at+60, size), nil
		}
		at += 60 + size + size%2
	}
}

// cpu returns the processor time of this process, which other processes on the
// machine hardly change.
func cpu() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resetPeak resets the peak of this process's memory (proc(5), clear_refs).
func resetPeak() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // only Linux has this file
}

// peak returns the peak of resident memory since resetPeak, in MB.
func peak(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, err := strconv.ParseFloat(kilobytes, 64)
	if err != nil {
		return 0
	}
	return n / 1024
}

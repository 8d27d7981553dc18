package apt_test

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/testmirror"
)

// forky returns the Packages file of forky's main component as a File.
func forky(b *testing.B) (apt.File, int64) {
	b.Helper()
	name := testmirror.Packages(b, "forky", "amd64")
	info, err := os.Stat(name)
	if err != nil {
		b.Fatal(err)
	}
	return apt.File{
		Archive: "debian", Suite: "forky", Component: "main", Arch: "amd64", SHA256: strings.Repeat("f", 64),
		Open: func() (io.ReadCloser, error) { return os.Open(name) },
	}, info.Size()
}

func loadFile(b *testing.B, c *cache.Cache, f apt.File) *apt.Index {
	b.Helper()
	ix, err := apt.Load(b.Context(), c, []apt.File{f}, "amd64")
	if err != nil {
		b.Fatal(err)
	}
	return ix
}

// BenchmarkLoad reads one whole Packages file: cold from its plain text, warm
// from the record in the cache.
func BenchmarkLoad(b *testing.B) {
	file, size := forky(b)
	c, err := cache.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Run("cold", func(b *testing.B) {
		b.SetBytes(size)
		b.ReportAllocs()
		for b.Loop() {
			loadFile(b, nil, file)
		}
	})
	loadFile(b, c, file)
	b.Run("warm", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			loadFile(b, c, file)
		}
	})
}

// BenchmarkInstall plans the base of an operand image, and PostGIS on it.
func BenchmarkInstall(b *testing.B) {
	file, _ := forky(b)
	ix := loadFile(b, nil, file)
	names := operand(ix, "18")
	base, err := ix.Install(nil, names)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("base", func(b *testing.B) {
		for b.Loop() {
			if _, err := ix.Install(nil, names); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("postgis", func(b *testing.B) {
		for b.Loop() {
			if _, err := ix.Install(base, []string{"postgresql-18-postgis-3"}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkNearest(b *testing.B) {
	file, _ := forky(b)
	ix := loadFile(b, nil, file)
	for b.Loop() {
		ix.Nearest("postgresql-18-postgiss", 5)
	}
}

package image

import (
	"bytes"
	stdgzip "compress/gzip"
	"io"
	"os"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// BenchmarkGzipEncoders measures MB/s of input, which is this test's own
// program, and the ratio of input to output (x).
func BenchmarkGzipEncoders(b *testing.B) {
	program, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	plain, err := os.ReadFile(program)
	if err != nil {
		b.Fatal(err)
	}
	for _, encoder := range []struct {
		name string
		open func(io.Writer, int) (io.WriteCloser, error)
	}{
		{"klauspost", func(w io.Writer, level int) (io.WriteCloser, error) { return gzip.NewWriterLevel(w, level) }},
		{"standard", func(w io.Writer, level int) (io.WriteCloser, error) { return stdgzip.NewWriterLevel(w, level) }},
	} {
		b.Run(encoder.name, func(b *testing.B) {
			b.SetBytes(int64(len(plain)))
			var packed bytes.Buffer
			for b.Loop() {
				packed.Reset()
				w, err := encoder.open(&packed, 6)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := w.Write(plain); err != nil {
					b.Fatal(err)
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(plain))/float64(packed.Len()), "x")
		})
	}
}

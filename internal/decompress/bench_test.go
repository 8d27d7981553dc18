package decompress

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"testing"

	"github.com/ulikunitz/xz"

	"github.com/pgext/pgext/internal/oracle"
)

// BenchmarkDecoders measures MB/s of output. The ratio of xz/… to xz-dc is
// what decoding in Go costs.
func BenchmarkDecoders(b *testing.B) {
	plain := text(32 << 20)
	for _, f := range packers {
		packed := compress(b, f, plain)
		b.Run(f.String(), func(b *testing.B) {
			b.SetBytes(int64(len(plain)))
			for b.Loop() {
				drain(b, packed, f, Options{Jobs: 1})
			}
		})
	}
	many := blocks(b, plain, 4<<20, xz.CRC64)
	for _, jobs := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("xz-blocks/jobs=%d", jobs), func(b *testing.B) {
			b.SetBytes(int64(len(plain)))
			for b.Loop() {
				drain(b, many, XZ, Options{Jobs: jobs})
			}
		})
	}
	b.Run("ulikunitz", func(b *testing.B) {
		b.SetBytes(int64(len(plain)))
		for b.Loop() {
			r, err := xz.NewReader(bytes.NewReader(many))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("xz-dc", func(b *testing.B) {
		program := oracle.Need(b, "xz")
		b.SetBytes(int64(len(plain)))
		for b.Loop() {
			cmd := exec.Command(program, "-dc", "-T1")
			cmd.Stdin = bytes.NewReader(many)
			cmd.Stdout = io.Discard
			if err := cmd.Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func drain(b *testing.B, packed []byte, f Format, o Options) {
	b.Helper()
	r, err := NewReaderAt(bytes.NewReader(packed), int64(len(packed)), f, o)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	if _, err := io.Copy(io.Discard, r); err != nil {
		b.Fatal(err)
	}
}

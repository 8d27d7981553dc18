package sign_test

import (
	"testing"

	"github.com/pgext/pgext/sign"
)

// BenchmarkSignBuild signs what a build of two architectures publishes, with
// a new signer each time: an index, two manifests, six statements. Nearly all
// of it is the password's one scrypt, which "open" shows alone.
func BenchmarkSignBuild(b *testing.B) {
	file := standardKey(b)
	batch := newPlace(b).everything()
	for _, format := range []sign.Format{sign.FormatBundle, sign.FormatBoth} {
		b.Run(string(format), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := open(b, sign.Options{Key: file, Password: password, Format: format}).SignAll(b.Context(), batch)
				must(b, err)
			}
		})
	}
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := open(b, sign.Options{Key: file, Password: password}).PublicKey(b.Context())
			must(b, err)
		}
	})
}

package sign_test

import (
	"testing"

	"github.com/pgext/pgext/sign"
)

// BenchmarkSignBuild signs the content of a build of two architectures (an index, two
// manifests, six statements) with a new signer each time. Most of the time is scrypt
// for the password; "opened" measures the rest.
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
	b.Run("opened", func(b *testing.B) {
		signer := open(b, sign.Options{Key: file, Password: password, Format: sign.FormatBoth})
		for b.Loop() {
			_, err := signer.SignAll(b.Context(), batch)
			must(b, err)
		}
	})
}

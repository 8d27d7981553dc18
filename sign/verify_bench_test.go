package sign_test

import (
	"crypto"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/pgext/pgext/sign"
)

// BenchmarkVerify verifies an attestation of 2 MB: the files of a large image.
func BenchmarkVerify(b *testing.B) {
	m := newMaker(b)
	files := make([]map[string]string, 10000)
	for i := range files {
		files[i] = map[string]string{
			"fileName": fmt.Sprintf("./share/proj/data-%05d.tif", i), "SPDXID": fmt.Sprintf("SPDXRef-File-%05d", i),
			"sha256": fmt.Sprintf("%064x", i), "origin": "proj-data",
		}
	}
	predicate, err := json.Marshal(map[string]any{"files": files})
	must(b, err)
	text := fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"x","digest":{"sha256":%q}}],"predicateType":%q,"predicate":%s}`, subjectA.Digest.Hex, spdx, predicate)
	evidence := attached(b, subjectA, m.bundleOf(b, []byte(text)))
	trust := newTrust(b, sign.TrustOptions{Keys: []crypto.PublicKey{&m.key.PublicKey}})
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if v := trust.Verify(subjectA.Digest, evidence); len(v.Attestations) != 1 {
			b.Fatal(v.Rejected)
		}
	}
}

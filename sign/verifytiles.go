package sign

import (
	"bytes"
	"crypto"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	rekorpb "github.com/sigstore/rekor-tiles/v2/pkg/generated/protobuf"
	"google.golang.org/protobuf/encoding/protojson"
)

// checkLogEntries returns an error for an entry of a log of version 2 whose hash is
// not that of the signed bytes. The library compares the signature and the key only,
// but a signer can construct an ECDSA key with one signature for two contents.
func (c *candidate) checkLogEntries() error {
	entries, err := c.bundle.TlogEntries()
	if err != nil {
		return reject(LogMismatch, "log entry: %w", err)
	}
	for _, e := range entries {
		var body rekorpb.Entry
		if protojson.Unmarshal(e.TransparencyLogEntry().GetCanonicalizedBody(), &body) != nil {
			continue // an entry of version 1; the library uses the same test
		}
		if err := c.checkLogEntry(body.GetSpec()); err != nil {
			return err
		}
	}
	return nil
}

// checkLogEntry compares the hash in an entry. hashedrekord 0.0.2 has the hash of the
// bytes that the signature covers; dsse 0.0.2, which only early signers wrote, has
// that of the statement.
func (c *candidate) checkLogEntry(entry *rekorpb.Spec) error {
	envelope, err := c.bundle.Envelope()
	if err != nil {
		return reject(LogMismatch, "the log entry has a version without a signed entry timestamp")
	}
	statement, err := envelope.DecodeB64Payload()
	if err != nil {
		return reject(Malformed, "statement: %w", err)
	}
	logged, signed := entry.GetHashedRekordV002().GetData(), dsse.PAE(envelope.PayloadType, statement)
	if entry.GetHashedRekordV002() == nil {
		logged, signed = entry.GetDsseV002().GetPayloadHash(), statement
	}
	if !hashMatches(logged, signed) {
		return reject(LogMismatch, "the log entry is for other content")
	}
	return nil
}

// hashMatches reports whether h is the hash of text.
func hashMatches(h *protocommon.HashOutput, text []byte) bool {
	hash, ok := map[protocommon.HashAlgorithm]crypto.Hash{
		protocommon.HashAlgorithm_SHA2_256: crypto.SHA256,
		protocommon.HashAlgorithm_SHA2_384: crypto.SHA384,
		protocommon.HashAlgorithm_SHA2_512: crypto.SHA512,
	}[h.GetAlgorithm()]
	if !ok {
		return false
	}
	sum := hash.New()
	sum.Write(text)
	return bytes.Equal(h.GetDigest(), sum.Sum(nil))
}

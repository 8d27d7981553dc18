package sign

import (
	"bytes"
	"crypto"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	rekorpb "github.com/sigstore/rekor-tiles/v2/pkg/generated/protobuf"
	"google.golang.org/protobuf/encoding/protojson"
)

// whatIsLogged refuses an entry of a log of version 2 that is about other bytes
// than were signed here. The library compares signatures and keys; whoever
// makes a key can make one with a signature that is good for two texts.
func (c *candidate) whatIsLogged() error {
	entries, err := c.bundle.TlogEntries()
	if err != nil {
		return reject(LogMismatch, "its log entry: %w", err)
	}
	for _, e := range entries {
		var body rekorpb.Entry
		if protojson.Unmarshal(e.TransparencyLogEntry().GetCanonicalizedBody(), &body) != nil {
			continue // of version 1, as the library sees it too
		}
		if err := c.isLogged(body.GetSpec()); err != nil {
			return err
		}
	}
	return nil
}

// isLogged compares an entry with the statement: hashedrekord 0.0.2 has the hash
// of what the signature covers, dsse 0.0.2, which only early signers wrote, that
// of the statement.
func (c *candidate) isLogged(entry *rekorpb.Spec) error {
	envelope, err := c.bundle.Envelope()
	if err != nil {
		return reject(LogMismatch, "its log entry is of a version that has no room for a promise")
	}
	statement, err := envelope.DecodeB64Payload()
	if err != nil {
		return reject(Malformed, "its statement: %w", err)
	}
	logged, signed := entry.GetHashedRekordV002().GetData(), dsse.PAE(envelope.PayloadType, statement)
	if entry.GetHashedRekordV002() == nil {
		logged, signed = entry.GetDsseV002().GetPayloadHash(), statement
	}
	if !isHash(logged, signed) {
		return reject(LogMismatch, "its log entry is about something else")
	}
	return nil
}

func isHash(h *protocommon.HashOutput, text []byte) bool {
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

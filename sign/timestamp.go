package sign

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"net/http"

	"github.com/digitorus/timestamp"
)

const authorityName = "timestamp authority"

// authority is a timestamp authority (RFC 3161 over HTTP).
type authority struct{ *service }

// stamp returns the authority's word that it has seen message, as the DER
// encoding of a TimeStampResp.
func (a authority) stamp(ctx context.Context, message []byte) ([]byte, error) {
	digest := sha256.Sum256(message)
	request := timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: digest[:], Certificates: true}
	body, err := request.Marshal()
	if err != nil {
		return nil, err
	}
	reply, err := a.do(ctx, call{
		method: http.MethodPost, body: body, header: map[string]string{"Content-Type": "application/timestamp-query"},
		expect: []int{http.StatusOK, http.StatusCreated},
	})
	if err != nil {
		return nil, err
	}
	seen, err := timestamp.ParseResponse(reply.body)
	if err != nil {
		return nil, a.fail("reading its answer: %w", err)
	}
	if seen.HashAlgorithm != crypto.SHA256 || !bytes.Equal(seen.HashedMessage, digest[:]) {
		return nil, a.fail("its answer is about something else")
	}
	return reply.body, nil
}

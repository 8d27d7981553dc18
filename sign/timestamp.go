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

// authority is a timestamp authority (RFC 3161 over HTTP). The client of sigstore-go
// is not used: it does not compare the response with the request, and it does not
// request the certificates of the authority, which cosign needs if its certificate
// chain file lacks the leaf.
type authority struct{ *service }

// timestamp returns a timestamp of message as the DER encoding of a
// TimeStampResp.
func (a authority) timestamp(ctx context.Context, message []byte) ([]byte, error) {
	digest := sha256.Sum256(message)
	request := timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: digest[:], Certificates: true}
	body, err := request.Marshal()
	if err != nil {
		return nil, err
	}
	resp, err := a.post(ctx, "", "application/timestamp-query", body, http.StatusOK, http.StatusCreated)
	if err != nil {
		return nil, err
	}
	got, err := timestamp.ParseResponse(resp.body)
	if err != nil {
		return nil, a.fail("reading its response: %w", err)
	}
	if got.HashAlgorithm != crypto.SHA256 || !bytes.Equal(got.HashedMessage, digest[:]) {
		return nil, a.fail("the timestamp is for another message")
	}
	return resp.body, nil
}

package sbom

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/pgext/pgext/internal/strictjson"
)

// blank is the placeholder for the UUID of a document.
const blank = "00000000-0000-0000-0000-000000000000"

// named encodes a document and replaces the first placeholder by a UUID of version 5
// (RFC 9562) computed from all bytes. Equal documents have equal UUIDs.
func named(document any) ([]byte, error) {
	data, err := strictjson.Marshal(document, "")
	if err != nil {
		return nil, fmt.Errorf("encoding an SBOM: %w", err)
	}
	before, after, ok := bytes.Cut(data, []byte(blank))
	if !ok {
		return nil, errors.New("the document has no placeholder for its UUID")
	}
	id := uuid.NewSHA1(uuid.NameSpaceURL, data)
	return bytes.Join([][]byte{before, after}, []byte(id.String())), nil
}

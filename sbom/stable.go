package sbom

import (
	"bytes"
	"errors"

	"github.com/google/uuid"
)

// blank stands where a document names itself until the rest of it is written.
const blank = "00000000-0000-0000-0000-000000000000"

// named returns the document with the first blank replaced by a UUID of
// version 5 (RFC 9562) of all its bytes, so that a document has one name and a
// name one document.
func named(data []byte) ([]byte, error) {
	before, after, ok := bytes.Cut(data, []byte(blank))
	if !ok {
		return nil, errors.New("the document has no place for its name")
	}
	id := uuid.NewSHA1(uuid.NameSpaceURL, data)
	return bytes.Join([][]byte{before, after}, []byte(id.String())), nil
}

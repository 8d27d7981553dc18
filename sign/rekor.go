package sign

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"regexp"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	rekorpb "github.com/sigstore/rekor-tiles/v2/pkg/generated/protobuf"
	"github.com/sigstore/rekor/pkg/generated/client/entries"
	"github.com/sigstore/rekor/pkg/generated/models"
	sigsign "github.com/sigstore/sigstore-go/pkg/sign"
	"google.golang.org/protobuf/encoding/protojson"
)

const rekorName = "Rekor"

// rekor is a transparency log. sigstore-go builds the entries. The requests are sent
// by this package, because the clients of sigstore-go accept no transport, retry
// differently for each version, and treat 409 as a failure.
type rekor struct {
	*service
	version int
}

// GetTransparencyLogEntry implements sigsign.Transparency: it logs the signature of
// b and appends the entry to b. text is the public key or certificate in PEM form.
func (r rekor) GetTransparencyLogEntry(ctx context.Context, text []byte, b *protobundle.Bundle) error {
	log := sigsign.NewRekor(&sigsign.RekorOptions{Version: uint32(r.version), Client: r, ClientV2: r, Timeout: -1})
	if err := log.GetTransparencyLogEntry(ctx, text, b); err != nil {
		return r.failure("reading its response", err)
	}
	sig := b.GetMessageSignature().GetSignature()
	if envelope := b.GetDsseEnvelope(); envelope != nil {
		sig = envelope.GetSignatures()[0].GetSig()
	}
	all := b.GetVerificationMaterial().GetTlogEntries()
	if !bytes.Contains(all[len(all)-1].GetCanonicalizedBody(), []byte(base64.StdEncoding.EncodeToString(sig))) {
		return r.fail("the returned entry has another signature")
	}
	return nil
}

// CreateLogEntry implements sigsign.RekorClient (API version 1). An entry that
// exists (409 Conflict) is fetched and returned like a new one, because the response
// to an earlier attempt may have been lost.
func (r rekor) CreateLogEntry(p *entries.CreateLogEntryParams, _ ...entries.ClientOption) (*entries.CreateLogEntryCreated, error) {
	resp, err := r.create(p.Context, "/api/v1/log/entries", p.ProposedEntry)
	if err != nil {
		return nil, err
	}
	if resp.status == http.StatusConflict {
		if resp, err = r.existing(p.Context, resp.header.Get("Location")); err != nil {
			return nil, err
		}
	}
	var found models.LogEntry
	if err := json.Unmarshal(resp.body, &found); err != nil {
		return nil, err
	}
	for id, e := range found {
		if len(found) == 1 && complete(e) {
			return &entries.CreateLogEntryCreated{ETag: id, Payload: found}, nil
		}
	}
	return nil, errIncomplete
}

var errIncomplete = errors.New("incomplete log entry")

// create posts an entry. The status of the response is 201, or 409 if the entry
// exists.
func (r rekor) create(ctx context.Context, path string, entry any) (response, error) {
	body, err := json.Marshal(entry)
	if err != nil {
		return response{}, err
	}
	return r.post(ctx, path, "application/json", body, http.StatusCreated, http.StatusConflict)
}

// entryID matches the ID of an entry, with or without the ID of its tree.
var entryID = regexp.MustCompile(`^([0-9a-f]{16})?[0-9a-f]{64}$`)

// existing fetches the entry at location, the Location of a conflict.
func (r rekor) existing(ctx context.Context, location string) (response, error) {
	id := path.Base(location)
	if !entryID.MatchString(id) {
		return response{}, r.fail("409 Conflict without the location of the existing entry")
	}
	return r.get(ctx, "/api/v1/log/entries/"+id, map[string]string{"Accept": "application/json"})
}

// complete reports whether e has every field that a bundle needs. The library
// dereferences the fields without a check.
func complete(e models.LogEntryAnon) bool {
	if _, ok := e.Body.(string); !ok || e.IntegratedTime == nil || e.LogID == nil || e.LogIndex == nil || e.Verification == nil {
		return false
	}
	p := e.Verification.InclusionProof
	return len(e.Verification.SignedEntryTimestamp) > 0 && p != nil &&
		p.Checkpoint != nil && p.LogIndex != nil && p.RootHash != nil && p.TreeSize != nil
}

// errLogged is the error for an entry that exists in a log of version 2, which
// returns an entry only when it is created.
var errLogged = errors.New("this signature is already logged, and the log returns an entry only once")

// Add implements sigsign.RekorV2Client (API version 2). The log responds when its
// tree includes the entry, after some seconds. The error wraps errLogged if the
// entry exists.
func (r rekor) Add(ctx context.Context, entry any) (*protorekor.TransparencyLogEntry, error) {
	request, ok := entry.(*rekorpb.DSSERequestV002)
	if !ok {
		return nil, fmt.Errorf("unsupported entry %T", entry)
	}
	body, err := protojson.Marshal(hashedEntry(request))
	if err != nil {
		return nil, err
	}
	resp, err := r.create(ctx, "/api/v2/log/entries", json.RawMessage(body))
	switch {
	case err != nil:
		return nil, err
	case resp.status == http.StatusConflict:
		return nil, r.serviceError(resp.status, errLogged.Error(), errLogged)
	}
	var e protorekor.TransparencyLogEntry
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(resp.body, &e); err != nil {
		return nil, err
	}
	if len(e.GetLogId().GetKeyId()) == 0 || e.GetKindVersion().GetKind() == "" || len(e.GetCanonicalizedBody()) == 0 ||
		e.GetInclusionProof().GetCheckpoint().GetEnvelope() == "" {
		return nil, errIncomplete
	}
	return &e, nil
}

// hashedEntry returns a request for an entry of type hashedrekord with the hash of
// the bytes that the signature of the envelope covers. The specification of Rekor 2
// dropped the type dsse, which sigstore-go 1.1.4 still requests (sigstore-go #627).
func hashedEntry(request *rekorpb.DSSERequestV002) *rekorpb.CreateEntryRequest {
	envelope := request.GetEnvelope()
	digest := sha256.Sum256(preAuth(envelope.GetPayload()))
	return &rekorpb.CreateEntryRequest{Spec: &rekorpb.CreateEntryRequest_HashedRekordRequestV002{
		HashedRekordRequestV002: &rekorpb.HashedRekordRequestV002{
			Digest:    digest[:],
			Signature: &rekorpb.Signature{Content: envelope.GetSignatures()[0].GetSig(), Verifier: request.GetVerifiers()[0]},
		},
	}}
}

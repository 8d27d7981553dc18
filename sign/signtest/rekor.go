package signtest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cyberphone/json-canonicalization/go/src/webpki.org/jsoncanonicalizer"
	"github.com/go-openapi/runtime"
	"github.com/sigstore/rekor/pkg/generated/models"
	"github.com/sigstore/rekor/pkg/types"
	"github.com/sigstore/rekor/pkg/util"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"

	// The supported types of entries.
	_ "github.com/sigstore/rekor/pkg/types/dsse/v0.0.1"
	_ "github.com/sigstore/rekor/pkg/types/hashedrekord/v0.0.1"
	_ "github.com/sigstore/rekor/pkg/types/intoto/v0.0.1"
	_ "github.com/sigstore/rekor/pkg/types/intoto/v0.0.2"
)

const (
	treeNumber = 1193050959916656506
	treeID     = "108e9186e8c5677a" // treeNumber in hex
	logHost    = "rekor.signtest"
)

// Rekor is a transparency log with version 1 of the API. Like the real one it verifies
// signatures, and responds with 409 if an entry exists.
type Rekor struct {
	Service
	key   *ecdsa.PrivateKey
	id    string
	shift atomic.Int64

	mu     sync.Mutex
	tree   *testonly.Tree
	bodies [][]byte
	times  []int64
	byUUID map[string]int
}

func newRekor(tb testing.TB) *Rekor {
	tb.Helper()
	r := &Rekor{key: newKey(tb), tree: testonly.New(rfc6962.DefaultHasher), byUUID: map[string]int{}}
	r.id = hex.EncodeToString(logID(tb, &r.key.PublicKey))
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/log/entries", r.create)
	mux.HandleFunc("GET /api/v1/log/entries/{uuid}", r.get)
	mux.HandleFunc("POST /api/v1/log/entries/retrieve", r.retrieve)
	mux.HandleFunc("GET /api/v1/log/publicKey", func(w http.ResponseWriter, _ *http.Request) {
		text, err := cryptoutils.MarshalPublicKeyToPEM(&r.key.PublicKey)
		if err != nil {
			refuse(w, http.StatusInternalServerError, err)
			return
		}
		w.Header().Set("Content-Type", "application/x-pem-file")
		_, _ = w.Write(text)
	})
	r.start(tb, mux)
	return r
}

// Shift moves the clock of the log.
func (r *Rekor) Shift(d time.Duration) { r.shift.Store(int64(d)) }

// Entries returns the canonical bodies of the entries in order.
func (r *Rekor) Entries() [][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([][]byte(nil), r.bodies...)
}

func (r *Rekor) create(w http.ResponseWriter, req *http.Request) {
	body, err := canonical(req.Context(), req.Body)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	uuid, added := r.add(body)
	w.Header().Set("Location", "/api/v1/log/entries/"+uuid)
	if !added {
		refuse(w, http.StatusConflict, errors.New("an equivalent entry already exists in the transparency log with UUID "+uuid))
		return
	}
	w.Header().Set("ETag", uuid)
	r.respond(w, http.StatusCreated, uuid)
}

// canonical returns the canonical form of a proposed entry with a valid signature.
func canonical(ctx context.Context, from io.Reader) ([]byte, error) {
	proposed, err := models.UnmarshalProposedEntry(io.LimitReader(from, 32<<20), runtime.JSONConsumer())
	if err != nil {
		return nil, err
	}
	entry, err := types.CreateVersionedEntry(proposed)
	if err != nil {
		return nil, err
	}
	return types.CanonicalizeEntry(ctx, entry)
}

// add returns the UUID of the entry and whether it is new.
func (r *Rekor) add(body []byte) (string, bool) {
	uuid := treeID + hex.EncodeToString(rfc6962.DefaultHasher.HashLeaf(body))
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.byUUID[uuid]; ok {
		return uuid, false
	}
	r.byUUID[uuid] = len(r.bodies)
	r.bodies = append(r.bodies, body)
	r.times = append(r.times, time.Now().Add(time.Duration(r.shift.Load())).Unix())
	r.tree.AppendData(body)
	return uuid, true
}

func (r *Rekor) get(w http.ResponseWriter, req *http.Request) {
	r.respond(w, http.StatusOK, req.PathValue("uuid"))
}

// retrieve sends the requested entries that exist.
func (r *Rekor) retrieve(w http.ResponseWriter, req *http.Request) {
	var request struct {
		EntryUUIDs []string          `json:"entryUUIDs"`
		Entries    []json.RawMessage `json:"entries"`
	}
	if err := json.NewDecoder(io.LimitReader(req.Body, 32<<20)).Decode(&request); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	for _, entry := range request.Entries {
		body, err := canonical(req.Context(), bytes.NewReader(entry))
		if err != nil {
			refuse(w, http.StatusBadRequest, err)
			return
		}
		request.EntryUUIDs = append(request.EntryUUIDs, hex.EncodeToString(rfc6962.DefaultHasher.HashLeaf(body)))
	}
	found := []map[string]models.LogEntryAnon{}
	for _, uuid := range request.EntryUUIDs {
		if entry, name, err := r.entry(uuid); err == nil {
			found = append(found, map[string]models.LogEntryAnon{name: entry})
		}
	}
	writeJSON(w, http.StatusOK, found)
}

// respond sends an entry.
func (r *Rekor) respond(w http.ResponseWriter, status int, uuid string) {
	entry, name, err := r.entry(uuid)
	if err != nil {
		refuse(w, http.StatusNotFound, err)
		return
	}
	writeJSON(w, status, map[string]models.LogEntryAnon{name: entry})
}

// entry returns an entry by its UUID, with or without the tree ID, and an inclusion
// proof.
func (r *Rekor) entry(uuid string) (models.LogEntryAnon, string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := uuid
	if len(uuid) == 2*sha256.Size {
		name = treeID + uuid
	}
	n, ok := r.byUUID[name]
	if !ok {
		return models.LogEntryAnon{}, "", errors.New("entry not found")
	}
	index, body := int64(n), base64.StdEncoding.EncodeToString(r.bodies[n])
	timestamp, err := r.entryTimestamp(map[string]any{
		"body": body, "integratedTime": r.times[n], "logID": r.id, "logIndex": index,
	})
	if err != nil {
		return models.LogEntryAnon{}, "", err
	}
	proof, err := r.proof(index)
	if err != nil {
		return models.LogEntryAnon{}, "", err
	}
	return models.LogEntryAnon{
		Body: body, IntegratedTime: &r.times[n], LogID: &r.id, LogIndex: &index,
		Verification: &models.LogEntryAnonVerification{InclusionProof: proof, SignedEntryTimestamp: timestamp},
	}, name, nil
}

// entryTimestamp returns the signed entry timestamp: a signature of the canonical
// form.
func (r *Rekor) entryTimestamp(payload map[string]any) ([]byte, error) {
	raw, err := json.Marshal(payload)
	if err != nil {
		return nil, err
	}
	text, err := jsoncanonicalizer.Transform(raw)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	return ecdsa.SignASN1(rand.Reader, r.key, sum[:])
}

// proof returns the inclusion proof of an entry with a signed checkpoint.
func (r *Rekor) proof(index int64) (*models.InclusionProof, error) {
	size := r.tree.Size()
	path, err := r.tree.InclusionProof(uint64(index), size)
	if err != nil {
		return nil, err
	}
	hashes := make([]string, len(path))
	for i, h := range path {
		hashes[i] = hex.EncodeToString(h)
	}
	signer, err := signature.LoadECDSASignerVerifier(r.key, crypto.SHA256)
	if err != nil {
		return nil, err
	}
	head, err := util.CreateAndSignCheckpoint(context.Background(), logHost, treeNumber, size, r.tree.Hash(), signer)
	if err != nil {
		return nil, err
	}
	checkpoint, treeSize, rootHash := string(head), int64(size), hex.EncodeToString(r.tree.Hash())
	return &models.InclusionProof{
		Checkpoint: &checkpoint, Hashes: hashes, LogIndex: &index, RootHash: &rootHash, TreeSize: &treeSize,
	}, nil
}

package signtest

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"testing"

	"github.com/cyberphone/json-canonicalization/go/src/webpki.org/jsoncanonicalizer"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	rekorpb "github.com/sigstore/rekor-tiles/v2/pkg/generated/protobuf"
	tilesnote "github.com/sigstore/rekor-tiles/v2/pkg/note"
	"github.com/sigstore/rekor-tiles/v2/pkg/types/dsse"
	"github.com/sigstore/rekor-tiles/v2/pkg/types/hashedrekord"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"
	"golang.org/x/mod/sumdb/note"
	"google.golang.org/protobuf/encoding/protojson"
)

// Tiles is a transparency log with version 2 of the Rekor API (c2sp.org/tlog-tiles).
// It verifies entries with the code of the real one. An entry has an inclusion proof
// with a checkpoint (c2sp.org/tlog-checkpoint, a signed note), but no signed entry
// timestamp and no time. It responds with 409 if an entry exists.
type Tiles struct {
	Service
	key        ed25519.PrivateKey
	id         []byte
	signer     note.Signer
	algorithms *signature.AlgorithmRegistryConfig

	mu     sync.Mutex
	tree   *testonly.Tree
	bodies [][]byte
	known  map[string]int
}

func newTiles(tb testing.TB) *Tiles {
	tb.Helper()
	t := &Tiles{tree: testonly.New(rfc6962.DefaultHasher), known: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v2/log/entries", t.create)
	t.start(tb, mux)
	var err error
	if _, t.key, err = ed25519.GenerateKey(rand.Reader); err != nil {
		tb.Fatal(err)
	}
	if t.algorithms, err = signature.NewAlgorithmRegistryConfig([]protocommon.PublicKeyDetails{
		protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256, protocommon.PublicKeyDetails_PKIX_RSA_PKCS1V15_2048_SHA256,
	}); err != nil {
		tb.Fatal(err)
	}
	signer, err := signature.LoadED25519Signer(t.key)
	if err != nil {
		tb.Fatal(err)
	}
	if _, t.id, err = tilesnote.KeyHash(t.origin(tb), t.key.Public()); err != nil {
		tb.Fatal(err)
	}
	if t.signer, err = tilesnote.NewNoteSigner(tb.Context(), t.origin(tb), signer); err != nil {
		tb.Fatal(err)
	}
	return t
}

// origin returns the name of the log: its host.
func (t *Tiles) origin(tb testing.TB) string {
	tb.Helper()
	u, err := url.Parse(t.URL)
	if err != nil {
		tb.Fatal(err)
	}
	return u.Hostname()
}

// Key returns the public key of the checkpoints.
func (t *Tiles) Key() crypto.PublicKey { return t.key.Public() }

// Entries returns the canonical bodies of the entries in order.
func (t *Tiles) Entries() [][]byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([][]byte(nil), t.bodies...)
}

func (t *Tiles) create(w http.ResponseWriter, req *http.Request) {
	raw, err := io.ReadAll(io.LimitReader(req.Body, 32<<20))
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	entry, err := t.read(raw)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	added, existing, err := t.add(entry)
	switch {
	case err != nil:
		refuse(w, http.StatusInternalServerError, err)
		return
	case existing >= 0:
		refuse(w, http.StatusConflict, fmt.Errorf("an equivalent entry already exists in the transparency log with index %d", existing))
		return
	}
	text, err := protojson.Marshal(added)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(text)
}

// read returns the entry for a request with a valid signature.
func (t *Tiles) read(raw []byte) (*rekorpb.Entry, error) {
	var request rekorpb.CreateEntryRequest
	if err := protojson.Unmarshal(raw, &request); err != nil {
		return nil, err
	}
	if plain := request.GetHashedRekordRequestV002(); plain != nil {
		return hashedrekord.ToLogEntry(plain, t.algorithms)
	}
	return dsse.ToLogEntry(request.GetDsseRequestV002(), t.algorithms)
}

// add appends an entry to the log. existing is the index of an earlier equal entry,
// or -1.
func (t *Tiles) add(entry *rekorpb.Entry) (added *protorekor.TransparencyLogEntry, existing int, err error) {
	text, err := protojson.Marshal(entry)
	if err != nil {
		return nil, -1, err
	}
	body, err := jsoncanonicalizer.Transform(text)
	if err != nil {
		return nil, -1, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if n, ok := t.known[string(body)]; ok {
		return nil, n, nil
	}
	n := len(t.bodies)
	t.known[string(body)] = n
	t.bodies = append(t.bodies, body)
	t.tree.AppendData(body)
	proof, err := t.proof(n)
	if err != nil {
		return nil, -1, err
	}
	return &protorekor.TransparencyLogEntry{
		LogIndex: int64(n), LogId: &protocommon.LogId{KeyId: t.id},
		KindVersion:    &protorekor.KindVersion{Kind: entry.GetKind(), Version: entry.GetApiVersion()},
		InclusionProof: proof, CanonicalizedBody: body,
	}, -1, nil
}

// proof returns the inclusion proof of entry n with a checkpoint.
func (t *Tiles) proof(n int) (*protorekor.InclusionProof, error) {
	size, root := t.tree.Size(), t.tree.Hash()
	path, err := t.tree.InclusionProof(uint64(n), size)
	if err != nil {
		return nil, err
	}
	text := t.signer.Name() + "\n" + strconv.FormatUint(size, 10) + "\n" + base64.StdEncoding.EncodeToString(root) + "\n"
	checkpoint, err := note.Sign(&note.Note{Text: text}, t.signer)
	if err != nil {
		return nil, err
	}
	return &protorekor.InclusionProof{
		LogIndex: int64(n), RootHash: root, TreeSize: int64(size), Hashes: path,
		Checkpoint: &protorekor.Checkpoint{Envelope: string(checkpoint)},
	}, nil
}

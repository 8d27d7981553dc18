package signtest

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// TUF is a repository of The Update Framework (specification 1.0) with a
// trusted_root.json and signing configs, like those of sigstore deployments.
type TUF struct {
	Service
	// Anchor is the initial root.json of clients.
	Anchor []byte

	key     ed25519.PrivateKey
	version int64
	targets map[string][]byte

	mu    sync.Mutex
	files map[string][]byte
}

// NewTUF starts a repository with a new key that publishes root.
func NewTUF(tb testing.TB, root []byte) *TUF {
	tb.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	t := &TUF{key: key, files: map[string][]byte{}, targets: map[string][]byte{}}
	t.start(tb, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		t.mu.Lock()
		defer t.mu.Unlock()
		content, ok := t.files[strings.TrimPrefix(req.URL.Path, "/")]
		if !ok {
			http.NotFound(w, req)
			return
		}
		_, _ = w.Write(content)
	}))
	public, err := metadata.KeyFromPublicKey(key.Public())
	if err != nil {
		tb.Fatal(err)
	}
	anchor := metadata.Root(time.Now().Add(validity))
	for _, role := range []string{metadata.ROOT, metadata.TARGETS, metadata.SNAPSHOT, metadata.TIMESTAMP} {
		if err := anchor.Signed.AddKey(public, role); err != nil {
			tb.Fatal(err)
		}
	}
	t.Anchor = signMetadata(tb, t, anchor)
	t.Publish(tb, root, time.Now().Add(validity))
	return t
}

// Publish replaces the trusted root. The metadata is valid until expires.
func (t *TUF) Publish(tb testing.TB, root []byte, expires time.Time) {
	tb.Helper()
	t.targets["trusted_root.json"] = root
	t.publish(tb, expires)
}

// Add publishes another file, such as signing_config.v0.2.json.
func (t *TUF) Add(tb testing.TB, name string, content []byte) {
	tb.Helper()
	t.targets[name] = content
	t.publish(tb, time.Now().Add(validity))
}

func (t *TUF) publish(tb testing.TB, expires time.Time) {
	tb.Helper()
	t.version++
	files := map[string][]byte{}
	targets, snapshot, stamp := metadata.Targets(expires), metadata.Snapshot(expires), metadata.Timestamp(expires)
	for name, content := range t.targets {
		target, err := metadata.TargetFile().FromBytes(name, content, "sha256")
		if err != nil {
			tb.Fatal(err)
		}
		targets.Signed.Targets[name] = target
		sum := sha256.Sum256(content)
		files["targets/"+hex.EncodeToString(sum[:])+"."+name] = content
	}
	targets.Signed.Version, snapshot.Signed.Version, stamp.Signed.Version = t.version, t.version, t.version
	snapshot.Signed.Meta["targets.json"] = metadata.MetaFile(t.version)
	stamp.Signed.Meta["snapshot.json"] = metadata.MetaFile(t.version)
	prefix := strconv.FormatInt(t.version, 10) + "."
	files[prefix+"targets.json"], files[prefix+"snapshot.json"] = signMetadata(tb, t, targets), signMetadata(tb, t, snapshot)
	files["timestamp.json"] = signMetadata(tb, t, stamp)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.files = files
}

// Change replaces the content of the files whose names end with suffix.
func (t *TUF) Change(suffix string, change func([]byte) []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, content := range t.files {
		if strings.HasSuffix(name, suffix) {
			t.files[name] = change(content)
		}
	}
}

// signMetadata signs and encodes metadata.
func signMetadata[T metadata.Roles](tb testing.TB, t *TUF, m *metadata.Metadata[T]) []byte {
	tb.Helper()
	signer, err := signature.LoadSigner(t.key, crypto.Hash(0))
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := m.Sign(signer); err != nil {
		tb.Fatal(err)
	}
	text, err := m.ToBytes(true)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

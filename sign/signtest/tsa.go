package signtest

import (
	"crypto"
	"encoding/asn1"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
)

// TSA is a timestamp authority (RFC 3161).
type TSA struct {
	Service
	root, leaf authority
	shift      atomic.Int64
}

func newTSA(tb testing.TB) *TSA {
	tb.Helper()
	t := &TSA{root: newRoot(tb, "timestamp root")}
	t.leaf = t.root.newTimestampLeaf(tb)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/timestamp", t.stamp)
	t.start(tb, mux)
	return t
}

// StampURL returns the URL for requests.
func (t *TSA) StampURL() string { return t.URL + "/api/v1/timestamp" }

// Shift moves the clock of the authority.
func (t *TSA) Shift(d time.Duration) { t.shift.Store(int64(d)) }

func (t *TSA) stamp(w http.ResponseWriter, req *http.Request) {
	raw, err := io.ReadAll(io.LimitReader(req.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	request, err := timestamp.ParseRequest(raw)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	stamp := timestamp.Timestamp{
		HashAlgorithm: request.HashAlgorithm, HashedMessage: request.HashedMessage,
		Time:  time.Now().Add(time.Duration(t.shift.Load())),
		Nonce: request.Nonce, Policy: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 2},
		AddTSACertificate: request.Certificates, ExtraExtensions: request.Extensions,
	}
	response, err := stamp.CreateResponseWithOpts(t.leaf.certificate, t.leaf.key, crypto.SHA256)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/timestamp-reply")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(response)
}

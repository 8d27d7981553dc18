package signtest

import (
	"encoding/json"
	"io"
	"net/http"
)

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // fails only if the client closed the connection
}

// refuse sends an error in the format of Fulcio and Rekor.
func refuse(w http.ResponseWriter, status int, err error) {
	writeJSON(w, status, map[string]any{"code": status, "message": err.Error()})
}

// discarded is a http.ResponseWriter that discards the response.
type discarded struct {
	header http.Header
}

func (u *discarded) Header() http.Header         { return u.header }
func (u *discarded) Write(p []byte) (int, error) { return len(p), nil }
func (u *discarded) WriteHeader(int)             {}

type readCloser struct {
	io.Reader
}

func (readCloser) Close() error { return nil }

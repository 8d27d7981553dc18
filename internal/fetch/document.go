package fetch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/pgext/pgext/internal/redact"
)

const (
	// documentKind is the kind of the cache records that hold documents.
	documentKind = "document"
	// defaultMaxDocument bounds a document, in bytes.
	defaultMaxDocument = 16 << 20
)

// Document is a small file that changes at its URL, such as a Release file.
// Nothing is verified here: that is for the caller, who knows the signature.
type Document struct {
	// Name is for people; "" is the URL.
	Name string
	URL  string
	// MaxSize bounds the size in bytes; 0 is 16 MiB.
	MaxSize int64
	// Revalidate makes caches on the way ask the server as well
	// (Cache-Control: max-age=0), which a lagging proxy needs. The server, or
	// what stands for it, is asked in any case.
	Revalidate bool
}

func (d Document) completed() Document {
	if d.Name == "" {
		d.Name = redact.Address(d.URL)
	}
	if d.MaxSize <= 0 {
		d.MaxSize = defaultMaxDocument
	}
	return d
}

// Document returns what is at the URL of d now. The cached copy serves when the
// server reports that it is still current, and offline, where the answer "not
// found" is remembered as well. The error is a *NotFoundError, an *OfflineError,
// a *StatusError, or that of the network. That the copy cannot be kept is logged
// and no error.
func (f *Fetcher) Document(ctx context.Context, d Document) ([]byte, error) {
	d = d.completed()
	body, err := f.document(ctx, d)
	if err != nil {
		if strings.HasPrefix(err.Error(), d.Name) { // a URL, said already
			return nil, fmt.Errorf("fetching %w", err)
		}
		return nil, fmt.Errorf("fetching %s: %w", d.Name, err)
	}
	return body, nil
}

func (f *Fetcher) document(ctx context.Context, d Document) ([]byte, error) {
	at, err := f.locate(d.URL)
	if err != nil {
		return nil, err
	}
	copied, known := f.recall(at)
	now := copied
	switch {
	case !f.o.Offline || at.isFile():
		if now, err = f.current(ctx, at, d, copied); err != nil {
			return nil, err
		}
		if !known || !now.same(copied) {
			f.remember(ctx, at, now)
		}
	case !known || int64(len(copied.body)) > d.MaxSize:
		return nil, &OfflineError{Name: d.Name}
	}
	if now.Gone {
		return nil, &NotFoundError{Name: d.Name, URLs: []string{at.String()}}
	}
	return now.body, nil
}

// current asks the server, several times when it must.
func (f *Fetcher) current(ctx context.Context, at location, d Document, copied snapshot) (snapshot, error) {
	release, err := f.acquire(ctx)
	if err != nil {
		return snapshot{}, err
	}
	defer release()
	var now snapshot
	err = f.retry(ctx, at, func() error {
		var err error
		now, err = f.ask(ctx, at, d, copied)
		return err
	})
	if isGone(err) {
		return snapshot{Gone: true}, nil
	}
	return now, err
}

// snapshot is a document as it was when its server was last asked.
type snapshot struct {
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
	// Gone is set when the server had no such document.
	Gone bool `json:"gone,omitempty"`

	body []byte
}

func (s snapshot) same(t snapshot) bool {
	return s.ETag == t.ETag && s.LastModified == t.LastModified && s.Gone == t.Gone && bytes.Equal(s.body, t.body)
}

// ask makes one request, conditional on the copy being out of date.
func (f *Fetcher) ask(ctx context.Context, at location, d Document, copied snapshot) (snapshot, error) {
	header := http.Header{}
	if d.Revalidate {
		header.Set("Cache-Control", "max-age=0")
	}
	conditional := false
	usable := !copied.Gone && int64(len(copied.body)) <= d.MaxSize
	if usable && copied.ETag != "" {
		header.Set("If-None-Match", copied.ETag)
		conditional = true
	}
	if usable && copied.LastModified != "" {
		header.Set("If-Modified-Since", copied.LastModified)
		conditional = true
	}
	res, err := f.get(ctx, at, header)
	if err != nil {
		return snapshot{}, err
	}
	defer res.body.Close()
	switch {
	case res.status == http.StatusNotModified && conditional:
		return copied, nil
	case res.status != http.StatusOK:
		return snapshot{}, &StatusError{URL: at.String(), Code: res.status}
	case res.length > d.MaxSize:
		return snapshot{}, &tooLargeError{at: at.String(), limit: d.MaxSize}
	}
	body, err := io.ReadAll(io.LimitReader(res.body, d.MaxSize+1))
	if err != nil {
		return snapshot{}, err
	}
	if int64(len(body)) > d.MaxSize {
		return snapshot{}, &tooLargeError{at: at.String(), limit: d.MaxSize}
	}
	return snapshot{ETag: res.header.Get("ETag"), LastModified: res.header.Get("Last-Modified"), body: body}, nil
}

// recall returns the copy of the document at a location. The record is a line
// of JSON, then the body; its key is the URL without user and password. Files
// need no copy.
func (f *Fetcher) recall(at location) (snapshot, bool) {
	if at.isFile() {
		return snapshot{}, false
	}
	data, ok := f.cache.Record(documentKind, at.url.String())
	if !ok {
		return snapshot{}, false
	}
	head, body, _ := bytes.Cut(data, []byte("\n"))
	s := snapshot{body: body}
	if err := json.Unmarshal(head, &s); err != nil {
		return snapshot{}, false
	}
	return s, true
}

func (f *Fetcher) remember(ctx context.Context, at location, s snapshot) {
	if at.isFile() {
		return
	}
	head, err := json.Marshal(s)
	if err == nil {
		err = f.cache.PutRecord(documentKind, at.url.String(), append(append(head, '\n'), s.body...))
	}
	if err != nil {
		f.o.Log.WarnContext(ctx, "keeping a copy", "url", at.String(), "error", err)
	}
}

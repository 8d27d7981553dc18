package fetch

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"

	"github.com/pgext/pgext/internal/cache"
)

// transfer is the download of a blob from one URL. What an attempt received is
// kept for the next one, which asks for the rest only.
type transfer struct {
	fetcher *Fetcher
	blob    Blob
	at      location

	w      *cache.Writer // nil before the first byte
	sha512 hash.Hash     // nil when it is not asked for
	etag   string        // strong validator of the bytes in w, or ""

	spliced bool // the running attempt continues an earlier one
}

// attempt makes one request. Its errors are transient (see transientError) when
// another attempt may succeed.
func (t *transfer) attempt(ctx context.Context) (string, error) {
	sha := ""
	err := t.receive(ctx)
	if err == nil {
		sha, err = t.commit()
	}
	var mismatch *MismatchError
	if t.spliced && errors.As(err, &mismatch) {
		// The halves may be of two versions of the file: once more, from the start.
		return "", &transientError{err: err}
	}
	return sha, err
}

// have returns the number of bytes received.
func (t *transfer) have() int64 {
	if t.w == nil {
		return 0
	}
	return t.w.Size()
}

// drop forgets what was received.
func (t *transfer) drop() {
	if t.w != nil {
		t.w.Abort()
	}
	t.w, t.sha512, t.etag = nil, nil, ""
}

// receive asks for what is missing and writes it.
func (t *transfer) receive(ctx context.Context) error {
	res, err := t.request(ctx)
	if err != nil {
		return err
	}
	defer res.body.Close()
	start, total, limit := t.have(), t.blob.Size, t.blob.limit()
	if res.length >= 0 {
		total = start + res.length
		if t.blob.Size >= 0 && total != t.blob.Size || total > limit {
			t.drop()
			return t.wrongSize(total)
		}
	}
	if t.w == nil {
		if err := t.begin(res); err != nil {
			return err
		}
	}
	// One byte more than allowed tells a body that is too long from one that ends.
	_, err = io.CopyBuffer(&meter{t, total}, io.LimitReader(res.body, limit-start+1), make([]byte, 128<<10))
	if err != nil {
		return err
	}
	switch got := t.have(); {
	case t.blob.Size >= 0 && got < t.blob.Size:
		return &transientError{err: fmt.Errorf("%s: %w after %d of %d bytes", t.at, io.ErrUnexpectedEOF, got, t.blob.Size)}
	case got > limit:
		t.drop()
		return t.wrongSize(got)
	}
	return nil
}

// request returns a response whose body continues what was received; when the
// server sends the whole, that is dropped.
func (t *transfer) request(ctx context.Context) (*response, error) {
	t.spliced = false
	start := t.have()
	header := http.Header{}
	if start > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", start))
		if t.etag != "" {
			header.Set("If-Range", t.etag)
		}
	}
	res, err := t.fetcher.get(ctx, t.at, header)
	var status *StatusError
	switch {
	case errors.As(err, &status) && status.Code == http.StatusRequestedRangeNotSatisfiable && start > 0:
		t.drop()
		return nil, &transientError{err: err}
	case err != nil:
		return nil, err
	case res.status == http.StatusOK:
		t.drop()
		return res, nil
	case res.status == http.StatusPartialContent && start > 0 &&
		strings.HasPrefix(res.header.Get("Content-Range"), fmt.Sprintf("bytes %d-", start)):
		t.spliced = true
		return res, nil
	}
	res.body.Close()
	t.drop()
	return nil, &transientError{err: &StatusError{URL: t.at.String(), Code: res.status}}
}

// begin prepares for the first byte.
func (t *transfer) begin(res *response) error {
	w, err := t.fetcher.cache.Create()
	if err != nil {
		return err
	}
	t.w = w
	if t.blob.SHA512 != "" {
		t.sha512 = sha512.New()
	}
	if tag := res.header.Get("ETag"); strings.HasPrefix(tag, `"`) { // W/"…" is weak: RFC 9110, 8.8.3
		t.etag = tag
	}
	return nil
}

// wrongSize reports that the body has, or would have, got bytes and should not.
func (t *transfer) wrongSize(got int64) error {
	if t.blob.Size >= 0 {
		return sizeMismatch(t.at.String(), got, t.blob.Size)
	}
	return &tooLargeError{at: t.at.String(), limit: t.blob.limit()}
}

// commit verifies the digests and makes the blob visible.
func (t *transfer) commit() (string, error) {
	defer t.drop()
	if t.sha512 != nil {
		if got := hex.EncodeToString(t.sha512.Sum(nil)); got != t.blob.SHA512 {
			return "", &MismatchError{Source: t.at.String(), Kind: "sha512", Got: got, Want: t.blob.SHA512, Size: t.have()}
		}
	}
	sha, size, err := t.w.Commit(t.blob.SHA256)
	var mismatch *cache.MismatchError
	if errors.As(err, &mismatch) {
		return "", &MismatchError{Source: t.at.String(), Kind: "sha256", Got: mismatch.Got, Want: mismatch.Want, Size: mismatch.Size}
	}
	if err == nil && t.blob.SHA256 == "" {
		err = t.fetcher.cache.PutRecord(sha512Kind, t.blob.SHA512, []byte(sha))
	}
	if err != nil {
		return "", err
	}
	t.fetcher.o.Log.Debug("fetched", "name", t.blob.Name, "url", t.at.String(), "size", size)
	return sha, nil
}

// meter writes to the cache, hashes, and reports progress.
type meter struct {
	*transfer
	total int64
}

func (m *meter) Write(p []byte) (int, error) {
	n, err := m.w.Write(p)
	if m.sha512 != nil {
		m.sha512.Write(p[:n])
	}
	m.fetcher.o.Progress(Progress{Name: m.blob.Name, Done: m.w.Size(), Total: m.total})
	return n, err
}

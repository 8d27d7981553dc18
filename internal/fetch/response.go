package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/pgext/pgext/internal/retry"
)

// response is the good answer to a request: 200, 206 or 304.
type response struct {
	status int
	header http.Header
	length int64 // of the body in bytes, -1 when it is not known
	body   io.ReadCloser
}

// get asks for what is at a location. A status that is no success is a
// *StatusError; errors that another attempt may not meet are transient. The
// caller closes the body, whose errors are like those of get.
func (f *Fetcher) get(ctx context.Context, at location, header http.Header) (*response, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if at.isFile() {
		return openFile(at)
	}
	dog := watch(ctx, at, f.o.IdleTimeout)
	req, err := http.NewRequestWithContext(withCredential(dog.ctx, at.credential), http.MethodGet, at.url.String(), nil)
	if err != nil {
		dog.stop()
		return nil, fmt.Errorf("%s: the URL cannot be requested", at)
	}
	req.Header = header.Clone()
	req.Header.Set("User-Agent", f.o.UserAgent)
	req.Header.Set("Accept-Encoding", "identity") // bytes as they are stored
	res, err := f.client.Do(req)                  //nolint:bodyclose // the watchdog is the body, and closes it
	if err != nil {
		defer dog.stop()
		return nil, dog.explain(err)
	}
	dog.body = res.Body
	switch res.StatusCode {
	case http.StatusOK, http.StatusPartialContent, http.StatusNotModified:
		return &response{res.StatusCode, res.Header, res.ContentLength, dog}, nil
	}
	defer dog.Close()                 //nolint:errcheck // the status is the error
	io.CopyN(io.Discard, dog, 16<<10) //nolint:errcheck // a short body read to its end lets the connection be used again
	return nil, statusError(at, res)
}

func statusError(at location, res *http.Response) error {
	err := &StatusError{URL: at.String(), Code: res.StatusCode}
	switch code := res.StatusCode; {
	case code == http.StatusRequestTimeout, code == http.StatusTooManyRequests, code >= http.StatusInternalServerError:
		return &transientError{err: err, after: retry.After(res.Header, time.Now())}
	}
	return err
}

// errNoFile reports that a file URL leads nowhere, as 404 does.
var errNoFile = errors.New("no such file")

func openFile(at location) (*response, error) {
	path := filepath.FromSlash(at.url.Path)
	info, err := os.Stat(path) // before it is opened: that could wait on a pipe
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: %w", at, errNoFile)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: not a regular file", at)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &response{http.StatusOK, http.Header{}, info.Size(), file}, nil
}

// errStalled is the cause of a context that a watchdog cancelled.
var errStalled = errors.New("stalled")

// watchdog is the body of a response; it cancels the request when nothing
// arrives for too long.
type watchdog struct {
	at     location
	parent context.Context //nolint:containedctx // lives as long as one request
	ctx    context.Context //nolint:containedctx // the request's, child of parent
	cancel context.CancelCauseFunc
	idle   time.Duration
	timer  *time.Timer
	body   io.ReadCloser
	n      int64 // bytes read
}

func watch(ctx context.Context, at location, idle time.Duration) *watchdog {
	child, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(idle, func() { cancel(errStalled) })
	return &watchdog{at: at, parent: ctx, ctx: child, cancel: cancel, idle: idle, timer: timer}
}

func (d *watchdog) stop() {
	d.timer.Stop()
	d.cancel(nil)
}

// Read implements io.Reader.
func (d *watchdog) Read(p []byte) (int, error) {
	d.timer.Reset(d.idle)
	n, err := d.body.Read(p)
	d.n += int64(n)
	if err != nil && err != io.EOF { //nolint:errorlint // io.Reader returns it bare
		err = d.explain(err)
	}
	return n, err
}

// Close implements io.Closer.
func (d *watchdog) Close() error {
	d.stop()
	return d.body.Close()
}

// explain turns an error of the request into one that names the place, shows no
// secret, and is transient where another attempt makes sense.
func (d *watchdog) explain(err error) error {
	if cause := d.parent.Err(); cause != nil {
		return cause
	}
	if errors.Is(context.Cause(d.ctx), errStalled) {
		err = fmt.Errorf("no data for %v", d.idle)
		return &transientError{err: fmt.Errorf("%s: %w", d.at, err)}
	}
	err = bare(err)
	where := d.at.String()
	if d.n > 0 {
		where = fmt.Sprintf("%s: after %d bytes", where, d.n)
	}
	var certificate *tls.CertificateVerificationError
	var refused *refusedRedirectError
	switch {
	case errors.As(err, &certificate):
		err = &certificateError{err}
	case d.n == 0 && !errors.As(err, &refused):
		err = &unreachableError{err}
	}
	if isPermanent(err) {
		return fmt.Errorf("%s: %w", where, err)
	}
	return &transientError{err: fmt.Errorf("%s: %w", where, err)}
}

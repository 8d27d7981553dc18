package fetch

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/retry"
)

// Options tell how a Fetcher works. The zero value is ready for use.
type Options struct {
	// Client makes the requests. Nil is a client that honours the proxies of
	// the environment and netrc. Of any other one the transport and timeout are
	// used; netrc is not read.
	Client *http.Client
	// Jobs is the number of downloads at a time; 0 is 8.
	Jobs int
	// Attempts is how often one URL is tried before it counts as failed; 0 is 4.
	Attempts int
	// Offline makes what is in the cache, and behind file URLs, all there is.
	Offline bool
	// UserAgent is sent with every request; "" is "pgext".
	UserAgent string
	// IdleTimeout ends an attempt that received nothing for so long; 0 is one
	// minute.
	IdleTimeout time.Duration
	// Log hears of retries and of rungs that failed; nil discards.
	Log *slog.Logger
	// Progress, when not nil, is called after every piece of a blob that
	// arrived, by several goroutines at a time, and should return at once.
	Progress func(Progress)
	// Sleep waits between attempts until the time is over or the context is
	// done, whose error it returns; nil is the clock.
	Sleep func(context.Context, time.Duration) error
}

// Progress describes how far the download of one blob is. Nothing is reported for a
// blob that the cache has.
type Progress struct {
	// Name is the blob's.
	Name string
	// Done is the number of bytes received; it starts at 0 again when an attempt
	// could not be resumed.
	Done int64
	// Total is the number of bytes to receive, -1 when it is not known.
	Total int64
}

func (o Options) completed() Options {
	if o.Jobs <= 0 {
		o.Jobs = 8
	}
	if o.Attempts <= 0 {
		o.Attempts = 4
	}
	if o.UserAgent == "" {
		o.UserAgent = "pgext"
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = time.Minute
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	if o.Sleep == nil {
		o.Sleep = retry.Sleep
	}
	return o
}

// Fetcher brings blobs and documents into a cache. It is safe for use by several
// goroutines, which share its limit of downloads.
type Fetcher struct {
	cache  *cache.Cache
	o      Options
	client *http.Client
	netrc  func() netrc  // read when it is first needed
	slots  chan struct{} // one element a running download

	mu    sync.Mutex
	calls map[string]*call // by digest
}

// New returns a Fetcher that fills c.
func New(c *cache.Cache, o Options) *Fetcher {
	o = o.completed()
	f := &Fetcher{
		cache: c,
		o:     o,
		netrc: func() netrc { return nil },
		slots: make(chan struct{}, o.Jobs),
		calls: map[string]*call{},
	}
	if o.Client == nil {
		f.netrc = sync.OnceValue(func() netrc { return userNetrc(o.Log) })
	}
	f.client = newClient(o)
	return f
}

// acquire waits for a download to be allowed; the caller calls the function it
// returns when the download is over.
func (f *Fetcher) acquire(ctx context.Context) (release func(), err error) {
	select {
	case f.slots <- struct{}{}:
		return func() { <-f.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pgext/pgext/internal/digest"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/redact"
)

// maxRelease bounds a Release file and its signature, in bytes; sid's has
// 0.2 MB.
const maxRelease = 10 << 20

// Fetcher gets files from servers; *fetch.Fetcher is one.
type Fetcher interface {
	Document(context.Context, fetch.Document) ([]byte, error)
	Blob(context.Context, fetch.Blob) (sha256 string, err error)
}

// Store opens what a Fetcher has fetched; *cache.Cache is one.
type Store interface {
	Open(sha256 string) (*os.File, error)
}

// Options say how archives are opened.
type Options struct {
	// Fetcher and Store are required.
	Fetcher Fetcher
	Store   Store
	// Mirrors names the root to use, by archive; see ParseMirrors.
	Mirrors map[string]Mirror
	// Host is the root of the file system whose apt sources may name a
	// mirror; nil is this machine's.
	Host fs.FS
	// AllowExpired accepts a Release past its Valid-Until.
	AllowExpired bool
	// Now is the time that keys and Releases are judged by; nil is the clock.
	Now func() time.Time
	// Log hears why a mirror of the host was passed over; nil discards.
	Log *slog.Logger
}

func (o Options) complete() Options {
	if o.Host == nil {
		o.Host = os.DirFS("/")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Opened is an archive whose Releases and indexes have been verified.
type Opened struct {
	Archive Archive
	// Mirror is the root that was asked.
	Mirror Mirror
	// Releases follow the order of Archive.Suites, without absent ones.
	Releases []Release
	// Packages are the indexes, by suite, component and architecture.
	Packages []PackagesFile
}

// Open verifies the Releases of the archive's suites and fetches the indexes
// for some Debian architectures. The error is a *TrustError, an
// *UnknownSuiteError, an *UnknownIndexError, an *InvalidError or one of the
// Fetcher.
func Open(ctx context.Context, a Archive, archs []string, o Options) (*Opened, error) {
	opened, err := open(ctx, a, archs, o.complete())
	if err != nil {
		return nil, fmt.Errorf("opening archive %s: %w", a.Name, err)
	}
	return opened, nil
}

func open(ctx context.Context, a Archive, archs []string, o Options) (*Opened, error) {
	a, err := a.complete()
	if err != nil {
		return nil, err
	}
	if err := a.checkKeyring(); err != nil {
		return nil, err
	}
	op := &opening{archive: a, Options: o, now: o.Now()}
	for _, f := range a.Fingerprints {
		op.pins = append(op.pins, normalFingerprint(f))
	}
	mirror, suites, err := op.choose(ctx)
	if err != nil {
		return nil, err
	}
	opened := &Opened{Archive: a, Mirror: mirror}
	for i := range suites {
		if err := op.checkDates(&suites[i]); err != nil {
			return nil, err
		}
		opened.Releases = append(opened.Releases, suites[i].Release)
	}
	opened.Packages, err = op.packages(ctx, suites, archs)
	return opened, err
}

// Mirrors returns the roots that Open would ask, in order and without asking:
// the named mirror, or the one of the snapshot, or those of the host's apt
// sources and then the official one. It serves those who need no index, only
// files whose digest a lock has.
func Mirrors(a Archive, o Options) []Mirror {
	candidates, last := mirrors(a, o.complete())
	return append(candidates, last)
}

// mirrors returns the roots that may be passed over, and the one that may
// not.
func mirrors(a Archive, o Options) (candidates []Mirror, last Mirror) {
	if named, ok := o.Mirrors[a.Name]; ok {
		return nil, trimmed(string(named))
	}
	if !a.Snapshot.IsZero() && a.SnapshotRoot != "" {
		return nil, a.snapshot(a.Snapshot)
	}
	return hostMirrors(a, o.Host, o.Log), trimmed(a.URL)
}

// opening is the work of opening one archive.
type opening struct {
	Options
	archive Archive
	pins    []string
	now     time.Time
}

// suite is a verified Release, parsed.
type suite struct {
	Release
	parsed release
	root   Mirror
	url    string // of the Release, without credentials
}

// choose returns the first root that has all suites, verified but for their
// dates: a mirror that lags behind is still the one to use, and to refuse.
func (op *opening) choose(ctx context.Context) (Mirror, []suite, error) {
	candidates, last := mirrors(op.archive, op.Options)
	var skipped error
	for _, root := range candidates {
		suites, err := op.suites(ctx, root)
		if err == nil {
			err = op.checkOrigin(suites)
		}
		if err == nil {
			return root, suites, nil
		}
		if ctx.Err() != nil {
			return "", nil, err
		}
		op.Log.DebugContext(ctx, "passing over a mirror of the host", "archive", op.archive.Name, "mirror", root.String(), "error", err)
		skipped = err
	}
	suites, err := op.suites(ctx, last)
	if err != nil && skipped != nil {
		err = fmt.Errorf("%w (the mirror of this host's apt sources was tried before: %s)", err, skipped.Error())
	}
	return last, suites, err
}

// checkOrigin refuses a root of the host's that holds something else than the
// archive, signed by the same keys.
func (op *opening) checkOrigin(suites []suite) error {
	for _, s := range suites {
		if s.parsed.origin != op.archive.Origin || s.parsed.label != op.archive.Label {
			return fmt.Errorf("%s: is of origin %q, label %q", s.url, s.parsed.origin, s.parsed.label)
		}
	}
	return nil
}

// suites verifies the Releases of all suites at one root. Optional ones that
// the root does not have are left out.
func (op *opening) suites(ctx context.Context, root Mirror) ([]suite, error) {
	list, err := each(op.archive.Suites, func(name string) (*suite, error) {
		s, err := op.suite(ctx, root, name)
		var unknown *UnknownSuiteError
		if errors.As(err, &unknown) && op.archive.optional(name) {
			return nil, nil //nolint:nilnil // absent, which is no error
		}
		return s, err
	})
	if err != nil {
		return nil, err
	}
	var present []suite
	for _, s := range list {
		if s != nil {
			present = append(present, *s)
		}
	}
	return present, nil
}

// suite fetches and verifies one Release.
func (op *opening) suite(ctx context.Context, root Mirror, name string) (*suite, error) {
	file, m, err := op.message(ctx, root, name)
	if err != nil {
		return nil, err
	}
	s := &suite{root: root, url: redact.Address(file.url)}
	key, refusal := verifier{keyring: op.archive.Keyring, pins: op.pins, now: op.now}.verify(m)
	if refusal != nil {
		refusal.URL = s.url
		return nil, refusal
	}
	if s.parsed, err = parseRelease(m.text); err != nil {
		return nil, &TrustError{Reason: Malformed, URL: s.url, Text: "cannot be read", Err: err}
	}
	if refusal := s.parsed.checkSuite(name); refusal != nil {
		refusal.URL = s.url
		return nil, refusal
	}
	s.Release = Release{
		Archive: op.archive.Name, Suite: name, Codename: s.parsed.codename, SHA256: digest.SHA256(file.data),
		Date: s.parsed.date, ValidUntil: s.parsed.validUntil, Fingerprint: key,
	}
	return s, nil
}

// document is a downloaded file.
type document struct {
	url  string
	data []byte
}

// message fetches InRelease, or where the suite has none, Release with
// Release.gpg.
func (op *opening) message(ctx context.Context, root Mirror, name string) (document, message, error) {
	inRelease, err := op.document(ctx, root, name, "InRelease")
	if err == nil {
		m, err := splitClearsigned(inRelease.data)
		if err != nil {
			return document{}, message{}, &TrustError{Reason: Malformed, URL: redact.Address(inRelease.url), Text: "is not a signed Release", Err: err}
		}
		return inRelease, m, nil
	}
	if !isNotFound(err) {
		return document{}, message{}, err
	}
	release, err := op.document(ctx, root, name, "Release")
	if isNotFound(err) {
		return document{}, message{}, &UnknownSuiteError{Archive: op.archive.Name, Suite: name, URL: root.String()}
	}
	if err != nil {
		return document{}, message{}, err
	}
	signature, err := op.document(ctx, root, name, "Release.gpg")
	if isNotFound(err) {
		refusal := refuse(Unsigned, "is not signed: there is neither InRelease nor Release.gpg")
		refusal.URL = redact.Address(release.url)
		return document{}, message{}, refusal
	}
	return release, message{text: release.data, signed: release.data, signatures: signature.data}, err
}

func (op *opening) document(ctx context.Context, root Mirror, suite, file string) (document, error) {
	d := document{url: root.join("dists/" + suite + "/" + file)}
	var err error
	d.data, err = op.Fetcher.Document(ctx, fetch.Document{
		Name: redact.Address(d.url), URL: d.url, MaxSize: maxRelease, Revalidate: true,
	})
	return d, err
}

func isNotFound(err error) bool {
	var gone *fetch.NotFoundError
	return errors.As(err, &gone)
}

// checkDates refuses a Release that is not valid now, and notes one whose
// expiry was allowed.
func (op *opening) checkDates(s *suite) error {
	r := s.parsed
	if op.archive.NoValidUntil || !op.archive.Snapshot.IsZero() {
		r.validUntil = time.Time{}
	}
	expired, refusal := r.checkDates(op.now, op.AllowExpired)
	if refusal != nil {
		refusal.URL = s.url
		return refusal
	}
	s.Expired = expired
	return nil
}

// each calls fn for all elements of in at a time; results and errors follow
// their order, whatever the order in which they come.
func each[T, R any](in []T, fn func(T) (R, error)) ([]R, error) {
	out, errs := make([]R, len(in)), make([]error, len(in))
	var group errgroup.Group
	for i := range in {
		group.Go(func() error {
			out[i], errs[i] = fn(in[i])
			return nil
		})
	}
	_ = group.Wait() // the functions return nil
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

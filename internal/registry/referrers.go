package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pgext/pgext/internal/retry"
)

// maxPages bounds a list of referrers that the registry gives in pages.
const maxPages = 1000

// fallbackTag is where a registry without the referrers API has the list (OCI
// distribution specification 1.1, referrers tag schema).
func fallbackTag(subject v1.Hash) string { return subject.Algorithm + "-" + subject.Hex }

// referrers returns what the registry, or the fallback tag, lists for subject.
func (s *session) referrers(ctx context.Context, subject v1.Hash) ([]v1.Descriptor, error) {
	all, ok, err := s.askReferrers(ctx, subject)
	if ok || err != nil {
		return all, err
	}
	got, ok, err := s.read(ctx, fallbackTag(subject))
	if err != nil {
		return nil, err
	}
	list, err := newFallback(subject, got, ok)
	if err != nil {
		return nil, err
	}
	return list.descriptors()
}

// withoutReferrers are the answers of registries that do not know the API.
var withoutReferrers = []int{
	http.StatusNotFound, http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotAcceptable,
	http.StatusUnsupportedMediaType, http.StatusNotImplemented,
}

// askReferrers asks the API; false means that there is none.
func (s *session) askReferrers(ctx context.Context, subject v1.Hash) (all []v1.Descriptor, ok bool, err error) {
	path := "referrers/" + subject.String()
	for range maxPages {
		a, err := s.ask(ctx, question{
			method: http.MethodGet, path: path, header: http.Header{"Accept": {string(types.OCIImageIndex)}},
			accept: append([]int{http.StatusOK}, withoutReferrers...),
		})
		if err != nil {
			return nil, false, err
		}
		kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type")) // a malformed one is another one
		if a.status != http.StatusOK || kind != string(types.OCIImageIndex) {
			return nil, false, nil
		}
		var m v1.IndexManifest
		if err := json.Unmarshal(a.body, &m); err != nil {
			return nil, false, fmt.Errorf("referrers of %s: %w", subject, err)
		}
		if err := s.spend(len(a.body)); err != nil {
			return nil, false, fmt.Errorf("referrers of %s: %w", subject, err)
		}
		all = append(all, m.Manifests...)
		next, more := nextPage(a)
		if !more {
			return all, true, nil
		}
		path = "referrers/" + subject.String() + "?" + next.RawQuery
	}
	return nil, false, fmt.Errorf("referrers of %s: more than %d pages", subject, maxPages)
}

var nextLink = regexp.MustCompile(`<([^>]*)>\s*;\s*rel="?next"?`)

// nextPage reads the header Link (RFC 8288). Only its query counts, so that no
// other place is asked with our credentials.
func nextPage(a answer) (*url.URL, bool) {
	m := nextLink.FindStringSubmatch(a.header.Get("Link"))
	if m == nil {
		return nil, false
	}
	next, err := a.url.Parse(m[1])
	return next, err == nil && next.RawQuery != "" && next.RawQuery != a.url.RawQuery
}

// fallback is the index behind a fallback tag. What it says beyond the entries
// that we add stays as it was.
type fallback struct {
	stored
	fields  map[string]json.RawMessage
	entries []json.RawMessage
}

// newFallback returns an empty list where the tag is not there. GitLab resolves
// the tag to the subject itself; that is no list either.
func newFallback(subject v1.Hash, got stored, ok bool) (fallback, error) {
	f := fallback{fields: map[string]json.RawMessage{
		"schemaVersion": json.RawMessage("2"),
		"mediaType":     json.RawMessage(`"` + string(types.OCIImageIndex) + `"`),
	}}
	if !ok || got.digest == subject {
		return f, nil
	}
	tag := fallbackTag(subject)
	var d document
	if err := json.Unmarshal(got.raw, &d); err != nil || d.kind() != types.OCIImageIndex {
		return fallback{}, &NoListError{Tag: tag}
	}
	f.stored = got
	if err := json.Unmarshal(got.raw, &f.fields); err != nil {
		return fallback{}, fmt.Errorf("tag %s: %w", tag, err)
	}
	if err := json.Unmarshal(f.fields["manifests"], &f.entries); err != nil {
		return fallback{}, fmt.Errorf("tag %s: %w", tag, err)
	}
	return f, nil
}

func (f fallback) descriptors() ([]v1.Descriptor, error) {
	out := make([]v1.Descriptor, len(f.entries))
	for i, raw := range f.entries {
		if err := json.Unmarshal(raw, &out[i]); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, err)
		}
	}
	return out, nil
}

// with returns the list with wanted in it, and whether that is another list.
// Entries are in the order of their digests, so that the order of publishers
// does not show.
func (f fallback) with(wanted []v1.Descriptor) (fallback, bool, error) {
	old, err := f.descriptors()
	if err != nil {
		return fallback{}, false, err
	}
	entries, changed := map[string]json.RawMessage{}, false
	for i, d := range old {
		entries[d.Digest.String()] = f.entries[i]
	}
	for _, d := range wanted {
		if slices.ContainsFunc(old, func(o v1.Descriptor) bool { return sameListing(o, d) }) {
			continue
		}
		raw, err := json.Marshal(d)
		if err != nil {
			return fallback{}, false, err
		}
		entries[d.Digest.String()], changed = raw, true
	}
	if !changed {
		return f, false, nil
	}
	out := fallback{fields: maps.Clone(f.fields)}
	for _, digest := range slices.Sorted(maps.Keys(entries)) {
		out.entries = append(out.entries, entries[digest])
	}
	if out.fields["manifests"], err = json.Marshal(out.entries); err != nil {
		return fallback{}, false, err
	}
	out.mediaType = types.OCIImageIndex
	if out.raw, err = json.Marshal(out.fields); err != nil {
		return fallback{}, false, err
	}
	if len(out.raw) > maxManifest {
		return fallback{}, false, fmt.Errorf("a list of %d referrers has more than %d bytes", len(out.entries), maxManifest)
	}
	return out, true, nil
}

// sameListing tells whether an entry says what the specification wants of it.
func sameListing(a, b v1.Descriptor) bool {
	return a.Digest == b.Digest && a.Size == b.Size && a.MediaType == b.MediaType &&
		a.ArtifactType == b.ArtifactType && maps.Equal(a.Annotations, b.Annotations)
}

// list makes sure that the registry lists all of these for subject.
func (s *session) list(ctx context.Context, subject v1.Hash, all []manifest) error {
	wanted := make([]v1.Descriptor, len(all))
	for i, m := range all {
		wanted[i] = m.listed
	}
	got, ok, err := s.askReferrers(ctx, subject)
	switch {
	case err != nil:
		return err
	case !ok:
		return s.listFallback(ctx, subject, wanted)
	}
	wait := s.client.o.Backoff
	for attempt := 1; ; attempt++ {
		missing := slices.DeleteFunc(slices.Clone(all), func(m manifest) bool { return holds(got, m.digest) })
		if len(missing) == 0 {
			return nil
		}
		if attempt >= s.client.o.Attempts {
			return &DroppedError{Referrer: missing[0].digest, Subject: subject}
		}
		for _, m := range missing {
			if err := s.put(ctx, m.digest.String(), m.stored, ""); err != nil {
				return err
			}
		}
		// Some registries make their list a moment later.
		if err := retry.Sleep(ctx, min(wait, maxWait)); err != nil {
			return err
		}
		wait *= 2
		if got, _, err = s.askReferrers(ctx, subject); err != nil {
			return err
		}
	}
}

func holds(all []v1.Descriptor, h v1.Hash) bool {
	return slices.ContainsFunc(all, func(d v1.Descriptor) bool { return d.Digest == h })
}

// errNotKept is of a tag that never names what it was made to name.
var errNotKept = errors.New("the registry does not keep what is put there")

// listFallback adds to the list behind the fallback tag.
func (s *session) listFallback(ctx context.Context, subject v1.Hash, wanted []v1.Descriptor) error {
	err := s.update(ctx, fallbackTag(subject), func(got stored, ok bool) (stored, bool, error) {
		old, err := newFallback(subject, got, ok)
		if err != nil {
			return stored{}, false, err
		}
		next, changed, err := old.with(wanted)
		return next.stored, changed, err
	})
	if errors.Is(err, errNotKept) {
		return &DroppedError{Referrer: wanted[0].Digest, Subject: subject}
	}
	return err
}

// DroppedError says that a registry took a referrer and does not list it: what
// it is about would look as if it had none.
type DroppedError struct {
	Referrer, Subject v1.Hash
}

func (e *DroppedError) Error() string {
	return fmt.Sprintf("the registry took referrer %s of %s and does not list it", e.Referrer, e.Subject)
}

// ExitCode is that of registry errors.
func (*DroppedError) ExitCode() int { return exitCode }

// Hint says what it means.
func (*DroppedError) Hint() string {
	return "this registry drops SBOMs, provenance and signatures: no tag was moved; publish to another one"
}

// NoListError says that a fallback tag names something that is no list of
// referrers.
type NoListError struct{ Tag string }

func (e *NoListError) Error() string {
	return fmt.Sprintf("tag %s is where referrers are listed, and names something else", e.Tag)
}

// ExitCode is that of registry errors.
func (*NoListError) ExitCode() int { return exitCode }

// Hint says what a user can do.
func (e *NoListError) Hint() string { return "remove the tag " + e.Tag + " from the repository" }

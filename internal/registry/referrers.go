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

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/retry"
)

// maxPages bounds the pages of a list of referrers.
const maxPages = 1000

// referrers returns the referrers of subject that the referrers API or the fallback
// tag lists.
func (s *session) referrers(ctx context.Context, subject v1.Hash) ([]v1.Descriptor, error) {
	all, ok, err := s.apiReferrers(ctx, subject)
	if ok || err != nil {
		return all, err
	}
	got, ok, err := s.read(ctx, oci.FallbackTag(subject))
	if err != nil {
		return nil, err
	}
	list, err := newFallback(subject, got, ok)
	if err != nil {
		return nil, err
	}
	return list.descriptors()
}

// withoutReferrers are the responses of registries without the referrers API.
var withoutReferrers = []int{
	http.StatusNotFound, http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotAcceptable,
	http.StatusUnsupportedMediaType, http.StatusNotImplemented,
}

// apiReferrers returns the response of the referrers API; false if the registry
// does not have it.
func (s *session) apiReferrers(ctx context.Context, subject v1.Hash) (all []v1.Descriptor, ok bool, err error) {
	path := "referrers/" + subject.String()
	for range maxPages {
		a, err := s.do(ctx, request{
			method: http.MethodGet, path: path, header: http.Header{"Accept": {string(types.OCIImageIndex)}},
			accept: append([]int{http.StatusOK}, withoutReferrers...),
		})
		if err != nil {
			return nil, false, err
		}
		kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type")) // a malformed type is a wrong type
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

// nextPage reads the header Link (RFC 8288). Only the query of its URL is used, so
// that credentials are not sent to another host.
func nextPage(a response) (*url.URL, bool) {
	m := nextLink.FindStringSubmatch(a.header.Get("Link"))
	if m == nil {
		return nil, false
	}
	next, err := a.url.Parse(m[1])
	return next, err == nil && next.RawQuery != "" && next.RawQuery != a.url.RawQuery
}

// fallback is the index of a fallback tag. Its unknown fields are preserved.
type fallback struct {
	stored
	fields  map[string]json.RawMessage
	entries []json.RawMessage
}

// newFallback returns an empty list if the tag does not exist. GitLab resolves the
// tag to the subject itself, which also means that there is no list.
func newFallback(subject v1.Hash, got stored, ok bool) (fallback, error) {
	f := fallback{fields: map[string]json.RawMessage{
		"schemaVersion": json.RawMessage("2"),
		"mediaType":     json.RawMessage(`"` + string(types.OCIImageIndex) + `"`),
	}}
	if !ok || got.digest == subject {
		return f, nil
	}
	tag := oci.FallbackTag(subject)
	if kind, err := kindOf(got.raw); err != nil || kind != types.OCIImageIndex {
		return fallback{}, failure.New(failure.Registry, "remove the tag "+tag+" from the repository",
			"tag %s is reserved for a list of referrers and names something else", tag)
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

// with returns the list with the entries wanted, and whether it changed. Entries
// are sorted by digest, so that the order of publishers does not matter.
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
	if len(out.raw) > oci.MaxManifest {
		return fallback{}, false, fmt.Errorf("a list of %d referrers has more than %d bytes", len(out.entries), oci.MaxManifest)
	}
	return out, true, nil
}

// sameListing reports whether two entries are equal in the fields that the
// specification requires.
func sameListing(a, b v1.Descriptor) bool {
	return a.Digest == b.Digest && a.Size == b.Size && a.MediaType == b.MediaType &&
		a.ArtifactType == b.ArtifactType && maps.Equal(a.Annotations, b.Annotations)
}

// list ensures that the registry lists all of these referrers for subject.
func (s *session) list(ctx context.Context, subject v1.Hash, all []manifest) error {
	wanted := make([]v1.Descriptor, len(all))
	for i, m := range all {
		wanted[i] = m.listed
	}
	got, ok, err := s.apiReferrers(ctx, subject)
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
			return droppedError(missing[0].digest, subject)
		}
		for _, m := range missing {
			if err := s.put(ctx, m.digest.String(), m.stored, ""); err != nil {
				return err
			}
		}
		// Some registries update their list a moment later.
		if err := retry.Sleep(ctx, min(wait, maxWait)); err != nil {
			return err
		}
		wait *= 2
		if got, _, err = s.apiReferrers(ctx, subject); err != nil {
			return err
		}
	}
}

func holds(all []v1.Descriptor, h v1.Hash) bool {
	return slices.ContainsFunc(all, func(d v1.Descriptor) bool { return d.Digest == h })
}

// errNotKept is the error for a tag that does not name what was put there.
var errNotKept = errors.New("the registry does not keep the new content")

// listFallback adds to the list behind the fallback tag.
func (s *session) listFallback(ctx context.Context, subject v1.Hash, wanted []v1.Descriptor) error {
	err := s.update(ctx, oci.FallbackTag(subject), func(got stored, ok bool) (stored, bool, error) {
		old, err := newFallback(subject, got, ok)
		if err != nil {
			return stored{}, false, err
		}
		next, changed, err := old.with(wanted)
		return next.stored, changed, err
	})
	if errors.Is(err, errNotKept) {
		return droppedError(wanted[0].Digest, subject)
	}
	return err
}

// droppedError returns the error for a referrer that the registry accepted and does
// not list.
func droppedError(referrer, subject v1.Hash) error {
	return failure.New(failure.Registry, "publish to another registry: this one loses SBOMs, provenance and signatures; no tag was moved",
		"the registry accepted referrer %s of %s and does not list it", referrer, subject)
}

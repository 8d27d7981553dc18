package registry

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/registry/registrytest"
)

var everyFault = flag.Bool("every-fault", false, "TestFaults fails every request of a publish in every way")

// full is a publication with everything: two architectures, an SBOM and
// provenance of each, bundles about all, and signatures for older tools.
func full(tb testing.TB, text string) Publication {
	tb.Helper()
	idx := quickIndex(tb, text)
	p := Publication{
		Set:    oci.Set{Index: idx, Legacy: map[string]v1.Image{}},
		Moving: []string{"1-18-trixie"}, Immutable: []string{text + "-202603011200-18-trixie"},
	}
	m := must(idx.IndexManifest())
	for _, d := range m.Manifests {
		img := must(idx.Image(d.Digest))
		p.Referrers = append(p.Referrers,
			newReferrer(tb, img, "application/spdx+json"), newReferrer(tb, img, "application/vnd.in-toto+json"),
			newReferrer(tb, img, "application/vnd.dev.sigstore.bundle.v0.3+json"))
	}
	p.Referrers = append(p.Referrers, newReferrer(tb, idx, "application/vnd.dev.sigstore.bundle.v0.3+json"))
	p.Legacy[oci.SignatureTag(digestOf(tb, idx))] = newIndexImage(tb, text)
	return p
}

// newIndexImage is an image as it lies under the tag .sig.
func newIndexImage(tb testing.TB, text string) v1.Image {
	tb.Helper()
	idx := quickIndex(tb, text+" signature")
	return must(idx.Image(must(idx.IndexManifest()).Manifests[0].Digest))
}

// expected returns the result of registrytest.State for p.
func expected(tb testing.TB, p Publication) string {
	tb.Helper()
	t, err := newTransaction(nil, p)
	if err != nil {
		tb.Fatal(err)
	}
	lines := []string{}
	for _, tag := range slices.Concat(p.Moving, p.Immutable) {
		lines = append(lines, fmt.Sprintf("tag %s %s", tag, t.top().digest))
	}
	all := slices.Concat(t.image, t.referrers)
	for tag, img := range p.Legacy {
		m := must(imageManifest(img))
		lines, all = append(lines, fmt.Sprintf("tag %s %s", tag, m.digest)), append(all, m)
	}
	for _, m := range all {
		lines = append(lines, fmt.Sprintf("manifest %s %s %d", m.digest, m.mediaType, len(m.raw)))
		for _, b := range m.blobs {
			lines = append(lines, fmt.Sprintf("blob %s %d", b.Digest, b.Size))
		}
		if m.subject != nil {
			lines = append(lines, fmt.Sprintf("referrer %s of %s", m.digest, *m.subject))
		}
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n")
}

// stateOf reads what the tags of p lead to.
func stateOf(tb testing.TB, repo string, p Publication) string {
	tb.Helper()
	got, err := registrytest.State(tb.Context(), repo, func(tag string) bool {
		return slices.Contains(p.Moving, tag) || slices.Contains(p.Immutable, tag) || p.Legacy[tag] != nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return got
}

// plain is the library's registry without the referrers API.
func plain() http.Handler {
	return refuseTruncated(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
}

// TestFaults fails each request of a publish in turn. Whatever happens, the tag
// that moves names an image that is complete: the old one, unless the publish
// succeeded or its very last request had arrived. A fault that passes is not
// even noticed. Publishing again, without faults, leaves what an undisturbed
// publish leaves. The sample that is tried here is all of it with -every-fault.
func TestFaults(t *testing.T) {
	for _, tc := range []struct {
		name    string
		backend func(testing.TB) http.Handler
		// sample is how many faults are tried unless all are.
		sample int
	}{
		{"registry with referrers", func(testing.TB) http.Handler { return Memory() }, 24},
		{"registry without", func(testing.TB) http.Handler { return plain() }, 24},
		{"docker-registry", func(tb testing.TB) http.Handler { tb.Helper(); return registrytest.Forward(registrytest.Docker(tb)) }, 5},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			proxy := registrytest.NewProxy(tc.backend(t))
			f := faults{proxy: proxy, host: serve(t, proxy)}
			f.fresh(t)
			requests := f.measure(t)
			all := faultsOf(requests)
			step := len(all)/tc.sample | 1
			if *everyFault {
				step = 1
			}
			points, silences := 0, 0
			for i := 0; i < len(all); i += step {
				if all[i].Mode == registrytest.Silence && !*everyFault {
					if silences++; silences > 1 {
						continue // they take time
					}
				}
				f.try(t, all[i])
				points++
			}
			t.Logf("%d faults injected into publishes of %d requests, in %v", points, requests, time.Since(start).Round(time.Millisecond))
		})
	}
}

// faultsOf returns every fault of a publish.
func faultsOf(requests int) (all []registrytest.Fault) {
	for at := range requests {
		for span := range registrytest.Spans {
			for mode := range registrytest.Modes {
				all = append(all, registrytest.Fault{Mode: mode, Span: span, At: at + 1})
			}
		}
	}
	return all
}

// faults publishes one image after the other in one repository.
type faults struct {
	proxy      *registrytest.Proxy
	host, repo string
	old        Publication
	n          int
	transport  *http.Transport
}

// fresh takes another repository: the library's registry is slow in large ones.
func (f *faults) fresh(t *testing.T) {
	t.Helper()
	f.repo, f.old = fmt.Sprintf("%s/ext/pgvector-%d", f.host, f.n), full(t, "first")
	must(quick().Push(t.Context(), f.repo, f.old))
}

// measure returns how many requests an undisturbed publish makes.
func (f *faults) measure(t *testing.T) int {
	t.Helper()
	p := full(t, "undisturbed")
	f.proxy.Arm(registrytest.Fault{})
	if _, err := f.impatient().Push(t.Context(), f.repo, p); err != nil {
		t.Fatal(err)
	}
	n := f.proxy.Count()
	if diff := cmp.Diff(stateOf(t, f.repo, p), expected(t, p)); diff != "" {
		t.Fatalf("an undisturbed publish (-got +want):\n%s", diff)
	}
	f.old = p
	return n
}

// impatient is a client that gives up soon, and makes one request at a time, so
// that each run makes the same.
func (f *faults) impatient() *Client {
	if f.transport == nil {
		f.transport = remote.DefaultTransport.(*http.Transport).Clone()
		f.transport.ResponseHeaderTimeout = silence
	}
	return New(Options{Backoff: time.Millisecond, Attempts: 3, Jobs: 1, Transport: f.transport})
}

// silence is how long the client waits for an answer.
const silence = 300 * time.Millisecond

func (f *faults) try(t *testing.T, fault registrytest.Fault) {
	t.Helper()
	if f.n++; f.n%10 == 0 {
		f.fresh(t)
	}
	next := full(t, fmt.Sprint("n", f.n))
	f.proxy.Arm(fault)
	_, err := f.impatient().Push(t.Context(), f.repo, next)
	hit := f.proxy.Hit()
	f.proxy.Arm(registrytest.Fault{})
	if err != nil && fault.Span == registrytest.Once && fault.Mode != registrytest.Unauthorized {
		t.Errorf("%s, %s: Push() = %v", fault, hit, err)
	}
	if err == nil && fault.Span == registrytest.Outage && fault.Mode != registrytest.Lost && fault.Mode != registrytest.CutAnswer {
		t.Errorf("%s, %s: Push() succeeds", fault, hit)
	}
	if err != nil {
		lastArrived := fault.Mode.Arrived() && strings.HasSuffix(hit, "/manifests/"+next.Moving[0])
		f.checkOld(t, fmt.Sprint(fault, ", ", hit), next, lastArrived)
	}
	if _, err := quick().Push(t.Context(), f.repo, next); err != nil {
		t.Fatalf("%s, %s: Push() again = %v", fault, hit, err)
	}
	if diff := cmp.Diff(stateOf(t, f.repo, next), expected(t, next)); diff != "" {
		t.Fatalf("%s, %s: after pushing again (-got +want):\n%s", fault, hit, diff)
	}
	f.old = next
}

// checkOld checks that the moving tag names the old image, and all of it.
func (f *faults) checkOld(t *testing.T, what string, next Publication, moved bool) {
	t.Helper()
	now, want := f.old, expected(t, f.old)
	tag := f.repo + ":" + f.old.Moving[0]
	if got, err := quick().Resolve(t.Context(), tag); err != nil {
		t.Fatalf("%s: the tag is gone: %v", what, err)
	} else if moved && got.Digest == digestOf(t, next.Index) {
		now, want = next, expected(t, next)
	}
	if diff := cmp.Diff(stateOf(t, f.repo, now), want); diff != "" {
		t.Fatalf("%s: what the tag names (-got +want):\n%s", what, diff)
	}
}

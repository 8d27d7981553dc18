package sign_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/registry"
	"github.com/pgext/pgext/sign"
)

// place is a repository of an in-memory registry with an index.
type place struct {
	repo  name.Repository
	index v1.ImageIndex
	// subjects are the index, then its manifests.
	subjects []sign.Subject
}

// newPlace pushes an index with two manifests.
func newPlace(tb testing.TB) place {
	tb.Helper()
	server := httptest.NewServer(registry.Memory())
	tb.Cleanup(server.Close)
	return newPlaceOn(tb, strings.TrimPrefix(server.URL, "http://"))
}

// newPlaceOn is newPlace for a running registry.
func newPlaceOn(tb testing.TB, host string) place {
	tb.Helper()
	repo, err := name.NewRepository(host + "/pg/vector")
	must(tb, err)
	index, err := random.Index(100, 1, 2)
	must(tb, err)
	return place{repo: repo, index: index}.fill(tb)
}

// invalidInName matches characters that are invalid in a repository name.
var invalidInName = regexp.MustCompile(`[^a-z0-9]+`)

// again returns another repository with the same index and no evidence.
func (p place) again(tb testing.TB) place {
	tb.Helper()
	repo, err := name.NewRepository(p.repo.Name() + "/" + invalidInName.ReplaceAllString(strings.ToLower(path.Base(tb.Name())), "-"))
	must(tb, err)
	return place{repo: repo, index: p.index}.fill(tb)
}

func (p place) fill(tb testing.TB) place {
	tb.Helper()
	must(tb, remote.WriteIndex(p.repo.Tag("1"), p.index))
	p.subjects = append(p.subjects, p.subject(tb, p.index))
	manifest, err := p.index.IndexManifest()
	must(tb, err)
	for _, d := range manifest.Manifests {
		p.subjects = append(p.subjects, sign.Subject{Repository: p.repo.Name(), Digest: d.Digest, MediaType: d.MediaType, Size: d.Size})
	}
	return p
}

func (p place) subject(tb testing.TB, d partial.Describable) sign.Subject {
	tb.Helper()
	digest, err := d.Digest()
	must(tb, err)
	size, err := d.Size()
	must(tb, err)
	mediaType, err := d.MediaType()
	must(tb, err)
	return sign.Subject{Repository: p.repo.Name(), Digest: digest, MediaType: mediaType, Size: size}
}

// at returns the reference of a subject.
func (p place) at(s sign.Subject) string { return p.repo.Digest(s.Digest.String()).String() }

// publish attaches new signatures to their subjects.
func (p place) publish(tb testing.TB, s oci.Set) {
	tb.Helper()
	for _, img := range s.Referrers {
		digest, err := img.Digest()
		must(tb, err)
		must(tb, remote.Write(p.repo.Digest(digest.String()), img))
	}
	for tag, img := range s.Legacy {
		must(tb, remote.Write(p.repo.Tag(tag), img))
	}
}

// evidence fetches the evidence of all subjects.
func (p place) evidence(tb testing.TB) oci.Set {
	tb.Helper()
	e := oci.Set{Legacy: map[string]v1.Image{}}
	for _, s := range p.subjects {
		found, err := remote.Referrers(p.repo.Digest(s.Digest.String()))
		must(tb, err)
		manifest, err := found.IndexManifest()
		must(tb, err)
		for _, d := range manifest.Manifests {
			img, err := remote.Image(p.repo.Digest(d.Digest.String()))
			must(tb, err)
			e.Referrers = append(e.Referrers, img)
		}
		for _, tag := range []string{oci.SignatureTag(s.Digest), oci.AttestationTag(s.Digest)} {
			if img, err := remote.Image(p.repo.Tag(tag)); err == nil {
				e.Legacy[tag] = img
			}
		}
	}
	return e
}

// statement returns a statement with one manifest and the index as subjects.
func (p place) statement(n int, predicateType string) sign.Statement {
	predicate, _ := json.Marshal(map[string]any{"spdxVersion": "SPDX-2.3", "name": "image <" + p.subjects[n].Digest.Hex + ">"})
	return sign.Statement{Subjects: []sign.Subject{p.subjects[n], p.subjects[0]}, PredicateType: predicateType, Predicate: predicate}
}

const (
	spdx       = "https://spdx.dev/Document"
	cyclonedx  = "https://cyclonedx.org/bom"
	provenance = "https://slsa.dev/provenance/v1"
)

// everything returns the batch of a build of two architectures: three subjects and six
// statements.
func (p place) everything() sign.Batch {
	b := sign.Batch{Subjects: p.subjects}
	for n := 1; n <= 2; n++ {
		for _, predicateType := range []string{spdx, cyclonedx, provenance} {
			b.Statements = append(b.Statements, p.statement(n, predicateType))
		}
	}
	return b
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func newECDSA(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(tb, err)
	return key
}

func publicPEM(tb testing.TB, key crypto.PublicKey) []byte {
	tb.Helper()
	text, err := cryptoutils.MarshalPublicKeyToPEM(key)
	must(tb, err)
	return text
}

// logs returns logs of version 1.
func logs(urls ...string) []sign.Log {
	var all []sign.Log
	for _, url := range urls {
		if url != "" {
			all = append(all, sign.Log{URL: url})
		}
	}
	return all
}

// stampURLs removes empty URLs.
func stampURLs(urls ...string) []string {
	return slices.DeleteFunc(urls, func(s string) bool { return s == "" })
}

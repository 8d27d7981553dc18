package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/oci"
)

// bundleType is the artifact type of what is signed.
const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"

// attachedKinds are the artifact types of documents, and the predicate types of
// what is signed.
var attachedKinds = map[string][2]string{
	"spdx": {"application/spdx+json"}, "cdx": {"application/vnd.cyclonedx+json"}, "provenance": {"application/vnd.in-toto+json"},
	"signature": {bundleType, "https://sigstore.dev/cosign/sign/v1"}, "spdx-attestation": {bundleType, "https://spdx.dev/Document"},
	"cdx-attestation": {bundleType, "https://cyclonedx.org/bom"}, "provenance-attestation": {bundleType, "https://slsa.dev/provenance/v1"},
}

// cmdAttached changes what is attached to the image in a layout. SUBJECT is
// index, or the platform's architecture; KIND is spdx, cdx or provenance,
// signature, or one of the first with -attestation.
//
//	attached damage LAYOUT SUBJECT BLOB        changes a bit of the config, or of the layer
//	attached digest LAYOUT SUBJECT VARIABLE    the hexadecimal digits
//	attached count LAYOUT SUBJECT KIND N
//	attached manifest LAYOUT SUBJECT KIND VARIABLE       the digits of its digest
//	attached save LAYOUT SUBJECT KIND FILE
//	attached predicate LAYOUT SUBJECT provenance FILE    what the statement says
//	attached add LAYOUT SUBJECT KIND FILE      the content of FILE
//	attached remove LAYOUT SUBJECT KIND
func cmdAttached(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: attached WAY LAYOUT SUBJECT KIND …")
	}
	ref, err := oci.ParseRef(ts.MkAbs(args[1]))
	ts.Check(err)
	l := attachedTo{ts, ref.Layout, attachedKinds[args[3]]}
	subject := l.subject(args[2])
	digest, err := subject.Digest()
	ts.Check(err)
	switch args[0] {
	case "digest":
		ts.Setenv(args[3], digest.Hex)
		return
	case "damage":
		l.damage(subject.(v1.Image), args[3])
		return
	}
	if l.kind[0] == "" {
		ts.Fatalf("attached: there is no kind %q", args[3])
	}
	found := l.find(digest)
	switch way := args[0]; {
	case way == "count" && len(args) == 5:
		var count int
		ts.Check(json.Unmarshal([]byte(args[4]), &count))
		if len(found) != count {
			ts.Fatalf("there are %d, want %d", len(found), count)
		}
	case way == "add" && len(args) == 5:
		r := oci.Referrer{ArtifactType: l.kind[0], Content: []byte(ts.ReadFile(args[4])), Annotations: map[string]string{}}
		if l.kind[1] != "" {
			r.Annotations["dev.sigstore.bundle.predicateType"] = l.kind[1]
		}
		made, err := oci.NewReferrer(subject, r)
		ts.Check(err)
		ts.Check(image.At(l.layout).Write(stateOf(ts).tb.Context(), image.Output{Set: oci.Set{Referrers: []v1.Image{made}}}))
	case len(found) == 0:
		ts.Fatalf("there is none of %s about %s", args[3], args[2])
	case way == "save" && len(args) == 5:
		_, r, _, err := oci.ReadReferrer(found[0], l.kind[0])
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(args[4]), r.Content, 0o600))
	case way == "manifest" && len(args) == 5:
		digest, err := found[0].Digest()
		ts.Check(err)
		ts.Setenv(args[4], digest.Hex)
	case way == "predicate" && len(args) == 5:
		_, r, _, err := oci.ReadReferrer(found[0], l.kind[0])
		ts.Check(err)
		var statement struct{ Predicate json.RawMessage }
		ts.Check(json.Unmarshal(r.Content, &statement))
		ts.Check(os.WriteFile(ts.MkAbs(args[4]), statement.Predicate, 0o600))
	case way == "remove":
		l.remove(found)
	default:
		ts.Fatalf("usage: attached WAY LAYOUT SUBJECT KIND …")
	}
}

// attachedTo is what of a kind is attached to images in a layout.
type attachedTo struct {
	ts     *testscript.TestScript
	layout string
	kind   [2]string
}

// subject returns the index of the layout's only image, or one architecture.
func (l attachedTo) subject(name string) partial.Describable {
	tags, err := image.At(l.layout).Tags()
	l.ts.Check(err)
	a, err := image.At(l.layout).Open(tags[0].Digest.String())
	l.ts.Check(err)
	if name == "index" {
		return a.Index
	}
	for _, img := range a.Images {
		config, err := img.ConfigFile()
		l.ts.Check(err)
		if config.Architecture == name {
			return img
		}
	}
	l.ts.Fatalf("attached: there is no %s in %s", name, l.layout)
	return nil
}

func (l attachedTo) find(subject v1.Hash) []v1.Image {
	all, err := image.At(l.layout).Referrers(subject)
	l.ts.Check(err)
	return slices.DeleteFunc(all, func(img v1.Image) bool {
		_, r, ok, err := oci.ReadReferrer(img, l.kind[0])
		l.ts.Check(err)
		return !ok || r.Annotations["dev.sigstore.bundle.predicateType"] != l.kind[1] && l.kind[1] != ""
	})
}

func (l attachedTo) damage(img v1.Image, blob string) {
	m, err := img.Manifest()
	l.ts.Check(err)
	digest := m.Config.Digest
	if blob == "layer" {
		digest = m.Layers[0].Digest
	}
	name := filepath.Join(l.layout, "blobs", digest.Algorithm, digest.Hex)
	data, err := os.ReadFile(name)
	l.ts.Check(err)
	data[len(data)/2] ^= 1
	l.ts.Check(os.WriteFile(name, data, 0o600))
}

// remove takes entries out of index.json; blobs stay.
func (l attachedTo) remove(found []v1.Image) {
	name := filepath.Join(l.layout, "index.json")
	text, err := os.ReadFile(name)
	l.ts.Check(err)
	var index struct {
		SchemaVersion int               `json:"schemaVersion"`
		MediaType     string            `json:"mediaType"`
		Manifests     []json.RawMessage `json:"manifests"`
	}
	l.ts.Check(json.Unmarshal(text, &index))
	for _, img := range found {
		digest, err := img.Digest()
		l.ts.Check(err)
		index.Manifests = slices.DeleteFunc(index.Manifests, func(d json.RawMessage) bool { return strings.Contains(string(d), digest.Hex) })
	}
	text, err = json.Marshal(index)
	l.ts.Check(err)
	l.ts.Check(os.WriteFile(name, text, 0o600))
}

package main

import (
	"archive/tar"
	"bytes"
	"flag"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/rogpeppe/go-internal/testscript"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/debextract/debtest"
	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/oci"
)

// cmdVendor makes an image as others would: an index in the OCI layout DIR,
// tagged TAG (or several, with commas between), of what FILE describes. FILE has
// the form of a package's files; a mode may come before a path, and ${arch} is
// the architecture.
//
//	-archs LIST    default amd64
//	-label K=V     of the config; several times
//	-type TYPE     media type of the layer
//	-attested      with the entry unknown/unknown that BuildKit adds
//	-evidence      with an SBOM of each architecture, a signature of that SBOM,
//	               and one of the index for older tools
func cmdVendor(ts *testscript.TestScript, neg bool, args []string) {
	flags := flag.NewFlagSet("vendor", flag.ContinueOnError)
	archs := flags.String("archs", "amd64", "")
	layerType := flags.String("type", string(types.OCILayer), "")
	attested := flags.Bool("attested", false, "")
	evidence := flags.Bool("evidence", false, "")
	labels := map[string]string{}
	flags.Func("label", "", func(s string) error {
		k, v, _ := strings.Cut(s, "=")
		labels[k] = v
		return nil
	})
	if err := flags.Parse(args); err != nil || neg || flags.NArg() != 3 {
		ts.Fatalf("usage: vendor [flags] FILE DIR TAG")
	}
	idx := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for arch := range strings.SplitSeq(*archs, ",") {
		platform, ok := debian.LookupArchitecture(arch)
		if !ok {
			ts.Fatalf("vendor: unknown architecture %s", arch)
		}
		text := strings.ReplaceAll(ts.ReadFile(flags.Arg(0)), "${arch}", arch)
		img, err := vendorImage(platform, labels, text, types.MediaType(*layerType))
		ts.Check(err)
		add := func(os, arch string) {
			idx = mutate.AppendManifests(idx, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{
				Platform: &v1.Platform{OS: os, Architecture: arch},
			}})
		}
		add("linux", platform.OCI)
		if *attested {
			add("unknown", "unknown")
		}
	}
	out := image.Output{Set: oci.Set{Index: idx}, Tags: strings.Split(flags.Arg(2), ",")}
	if *evidence {
		ts.Check(addEvidence(&out))
	}
	ts.Check(image.At(ts.MkAbs(flags.Arg(1))).Write(stateOf(ts).tb.Context(), out))
}

// addEvidence attaches what a signed build attaches.
func addEvidence(o *image.Output) error {
	m, err := o.Index.IndexManifest()
	if err != nil {
		return err
	}
	for _, d := range m.Manifests {
		img, err := o.Index.Image(d.Digest)
		if err != nil {
			return err
		}
		sbom, err := oci.NewReferrer(img, oci.Referrer{ArtifactType: "application/spdx+json", Content: []byte(`{}`)})
		if err != nil {
			return err
		}
		bundle, err := oci.NewReferrer(sbom, oci.Referrer{ArtifactType: "application/vnd.dev.sigstore.bundle.v0.3+json", Content: []byte(`{"signed":1}`)})
		if err != nil {
			return err
		}
		o.Referrers = append(o.Referrers, sbom, bundle)
	}
	digest, err := o.Index.Digest()
	if err != nil {
		return err
	}
	sig, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1),
		static.NewLayer([]byte(`{"critical":{}}`), "application/vnd.dev.cosign.simplesigning.v1+json"))
	if err != nil {
		return err
	}
	o.Legacy = map[string]v1.Image{oci.SignatureTag(digest): sig}
	return nil
}

func vendorImage(platform debian.Architecture, labels map[string]string, text string, t types.MediaType) (v1.Image, error) {
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		data, err := vendorTar(platform.Name, text)
		return io.NopCloser(bytes.NewReader(data)), err
	}, tarball.WithMediaType(t))
	if err != nil {
		return nil, err
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if img, err = mutate.ConfigFile(img, &v1.ConfigFile{
		Architecture: platform.OCI, OS: "linux", RootFS: v1.RootFS{Type: "layers"}, Config: v1.Config{Labels: labels},
	}); err != nil {
		return nil, err
	}
	return mutate.AppendLayers(img, layer)
}

// modeFirst matches a line that begins with a mode.
var modeFirst = regexp.MustCompile(`^([0-7]{4}) (.*)$`)

func vendorTar(arch, text string) ([]byte, error) {
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		mode := int64(0o644)
		if m := modeFirst.FindStringSubmatch(line); m != nil {
			var err error
			if mode, err = strconv.ParseInt(m[1], 8, 64); err != nil {
				return nil, err
			}
			line = m[2]
		}
		for _, f := range packageFiles("", arch, line)[1:] {
			if err := writeMember(tw, f, mode); err != nil {
				return nil, err
			}
		}
	}
	return b.Bytes(), tw.Close()
}

func writeMember(tw *tar.Writer, f debtest.File, mode int64) error {
	h := &tar.Header{Name: f.Path, Mode: mode | int64(f.Mode&fs.ModePerm), Typeflag: tar.TypeReg, Size: int64(len(f.Content))}
	if f.Link != "" {
		h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, f.Link, int64(os.ModePerm)
	}
	if err := tw.WriteHeader(h); err != nil {
		return err
	}
	_, err := io.WriteString(tw, f.Content)
	return err
}

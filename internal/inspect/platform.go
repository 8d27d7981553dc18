package inspect

import (
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/decompress"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/text"
)

// checkIndex checks the entries of an index.
func checkIndex(m *v1.IndexManifest) []finding.Finding {
	var out []finding.Finding
	taken := map[string]bool{}
	images := 0
	for _, d := range m.Manifests {
		switch {
		case d.Platform != nil && d.Platform.Architecture == "unknown":
			out = append(out, finding.New("PGX050", "", fmt.Sprintf("entry %s is for the platform %s", d.Digest, d.Platform), "build the image with buildx --provenance=false --sbom=false and attach attestations as referrers"))
			continue
		case !d.MediaType.IsImage():
			out = append(out, finding.New("PGX040", "", fmt.Sprintf("entry %s has media type %s, which is not an image manifest", d.Digest, d.MediaType), ""))
			continue
		case d.Platform != nil && taken[d.Platform.String()]:
			out = append(out, finding.New("PGX042", "", fmt.Sprintf("two entries are for the platform %s", d.Platform), ""))
		case d.Platform != nil:
			taken[d.Platform.String()] = true
		}
		images++
	}
	if images == 0 {
		out = append(out, finding.New("PGX040", "", "the index has no image", ""))
	}
	return finding.Sort(out)
}

// setPlatform sets Platform and Arch from the config, or from the index if the
// config has no platform.
func (x *inspector) setPlatform(config *v1.ConfigFile, entry v1.Descriptor, listed bool) {
	var own v1.Platform
	if p := config.Platform(); p != nil {
		own = *p
	}
	p := own
	if own.Architecture == "" && entry.Platform != nil {
		p = *entry.Platform
	}
	x.Platform = p.String()
	x.Arch = debianArch(p)
	if listed && entry.Platform != nil && own.Architecture != "" &&
		(own.OS != entry.Platform.OS || own.Architecture != entry.Platform.Architecture) {
		x.report("PGX042", "", fmt.Sprintf("platform %s in the index, %s in the config", entry.Platform, own), "")
	}
}

// debianArch returns Debian's name of a platform. Only 32-bit ARM has variants.
func debianArch(p v1.Platform) string {
	for _, a := range debian.Architectures() {
		if a.OCI == p.Architecture && (a.Variant == "" || p.Variant == "" || a.Variant == p.Variant) {
			return a.Name
		}
	}
	return ""
}

// compressions maps the media types that container runtimes support to their
// compression.
var compressions = map[types.MediaType]decompress.Format{
	types.OCILayer: decompress.Gzip, types.DockerLayer: decompress.Gzip,
	types.OCILayerZStd: decompress.Zstd, types.OCIUncompressedLayer: decompress.None,
	types.DockerUncompressedLayer: decompress.None,
}

var configTypes = []types.MediaType{types.OCIConfigJSON, types.DockerConfigJSON}

// checkLayers compares the layers with the manifest and the config.
func (x *inspector) checkLayers(m *v1.Manifest, config *v1.ConfigFile) {
	if !slices.Contains(configTypes, m.Config.MediaType) {
		x.report("PGX040", "", fmt.Sprintf("the config has media type %s", m.Config.MediaType), "add an image config; runtimes cannot mount other artifacts")
	}
	if got, want := len(config.RootFS.DiffIDs), len(m.Layers); got != want {
		x.report("PGX040", "", fmt.Sprintf("%s, but %s in the config", text.Plural(want, "layer", "layers"), text.Plural(got, "diff_id", "diff_ids")), "")
	}
	comments := make([]string, 0, len(m.Layers))
	for _, h := range config.History {
		if !h.EmptyLayer {
			comments = append(comments, h.CreatedBy)
		}
	}
	for i, d := range m.Layers {
		l := Layer{Digest: d.Digest.String(), MediaType: string(d.MediaType), Size: d.Size}
		if len(comments) == len(m.Layers) {
			l.Comment = comments[i]
		}
		if i < len(x.flat.Layers) {
			f := x.flat.Layers[i]
			l.Compression, l.Unpacked, l.TrailingData = f.Format.String(), f.Unpacked, f.GoesOn
			x.checkLayer(i+1, d.MediaType, f.Format)
			if f.Mismatched && i < len(config.RootFS.DiffIDs) {
				x.report("PGX040", "", fmt.Sprintf("layer %d: diff_id mismatch: got %s, the config has %s", i+1, f.DiffID, config.RootFS.DiffIDs[i]), "")
			}
		}
		x.Layers = append(x.Layers, l)
	}
}

// checkLayer compares the compression of a layer with its media type.
func (x *inspector) checkLayer(number int, t types.MediaType, got decompress.Format) {
	want, known := compressions[t]
	switch {
	case !known:
		x.report("PGX040", "", fmt.Sprintf("layer %d has media type %s", number, t), "use application/vnd.oci.image.layer.v1.tar+gzip")
	case got == want:
	case want == decompress.None || got == decompress.XZ:
		x.report("PGX040", "", fmt.Sprintf("layer %d: compression is %s, media type is %s", number, got, t), "")
	default:
		x.report("PGX045", "", fmt.Sprintf("layer %d: compression is %s, media type is %s", number, got, t), "")
	}
}

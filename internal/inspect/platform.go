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

// judgeIndex looks at the entries of an index.
func judgeIndex(m *v1.IndexManifest) []finding.Finding {
	var out []finding.Finding
	taken := map[string]bool{}
	images := 0
	for _, d := range m.Manifests {
		switch {
		case d.Platform != nil && d.Platform.Architecture == "unknown":
			out = append(out, finding.New("PGX050", "", fmt.Sprintf("entry %s is for the platform %s", d.Digest, d.Platform), "build it with buildx --provenance=false --sbom=false, and attach evidence as referrers"))
			continue
		case !d.MediaType.IsImage():
			out = append(out, finding.New("PGX040", "", fmt.Sprintf("entry %s is of type %s, which is no image manifest", d.Digest, d.MediaType), ""))
			continue
		case d.Platform != nil && taken[d.Platform.String()]:
			out = append(out, finding.New("PGX042", "", fmt.Sprintf("two entries are for the platform %s", d.Platform), ""))
		case d.Platform != nil:
			taken[d.Platform.String()] = true
		}
		images++
	}
	if images == 0 {
		out = append(out, finding.New("PGX040", "", "the index lists no image", ""))
	}
	return finding.Sort(out)
}

// platform settles which machine the image is for.
func (x *examination) platform(config *v1.ConfigFile, entry v1.Descriptor, listed bool) {
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
		x.find("PGX042", "", fmt.Sprintf("the index lists it for %s, its config says %s", entry.Platform, own), "")
	}
}

// debianArch returns Debian's name of a platform; variants matter for 32-bit
// ARM alone.
func debianArch(p v1.Platform) string {
	for _, a := range debian.Architectures() {
		if a.OCI == p.Architecture && (a.Variant == "" || p.Variant == "" || a.Variant == p.Variant) {
			return a.Name
		}
	}
	return ""
}

// compressions are the media types that runtimes unpack, with the compression
// they stand for.
var compressions = map[types.MediaType]decompress.Format{
	types.OCILayer: decompress.Gzip, types.DockerLayer: decompress.Gzip,
	types.OCILayerZStd: decompress.Zstd, types.OCIUncompressedLayer: decompress.None,
	types.DockerUncompressedLayer: decompress.None,
}

var configTypes = []types.MediaType{types.OCIConfigJSON, types.DockerConfigJSON}

// judgeLayers compares the layers with what manifest and config say.
func (x *examination) judgeLayers(m *v1.Manifest, config *v1.ConfigFile) {
	if !slices.Contains(configTypes, m.Config.MediaType) {
		x.find("PGX040", "", fmt.Sprintf("its config is of type %s", m.Config.MediaType), "an artifact can be pulled and not mounted: give it the config of an image")
	}
	if got, want := len(config.RootFS.DiffIDs), len(m.Layers); got != want {
		x.find("PGX040", "", fmt.Sprintf("%s, and %s in the config", text.Plural(want, "layer", "layers"), text.Plural(got, "diff_id", "diff_ids")), "")
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
			l.Compression, l.Unpacked, l.GoesOn = f.Format.String(), f.Unpacked, f.GoesOn
			x.judgeLayer(i+1, d.MediaType, f.Format)
			if f.Mismatched && i < len(config.RootFS.DiffIDs) {
				x.find("PGX040", "", fmt.Sprintf("layer %d unpacks to %s, the config's diff_id is %s", i+1, f.DiffID, config.RootFS.DiffIDs[i]), "")
			}
		}
		x.Layers = append(x.Layers, l)
	}
}

func (x *examination) judgeLayer(number int, t types.MediaType, got decompress.Format) {
	want, known := compressions[t]
	switch {
	case !known:
		x.find("PGX040", "", fmt.Sprintf("layer %d is of type %s", number, t), "use application/vnd.oci.image.layer.v1.tar+gzip")
	case got == want:
	case want == decompress.None || got == decompress.XZ:
		x.find("PGX040", "", fmt.Sprintf("layer %d is %s and labelled %s", number, got, t), "")
	default:
		x.find("PGX045", "", fmt.Sprintf("layer %d is compressed with %s and labelled %s", number, got, t), "")
	}
}

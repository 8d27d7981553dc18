package inspect

import (
	"archive/tar"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/oci"
)

// TestFindings checks the finding for each defect of an image.
func TestFindings(t *testing.T) {
	complete := slices.Concat(vector("amd64"), database("p", "1", vector("amd64")...))
	good := func(t *testing.T, more ...member) v1.Image {
		t.Helper()
		return made(t, "amd64", label(t, nil), layer(t, types.OCILayer, slices.Concat(complete, more)...))
	}
	unlabelled := func(t *testing.T, members ...member) v1.Image {
		t.Helper()
		return made(t, "amd64", nil, layer(t, types.OCILayer, members...))
	}
	const (
		libc    = "PGX053 note: libc.so.6 (amd64)"
		noLabel = "PGX048 note: the image has no label io.pgext.metadata (amd64)"
	)
	for _, tc := range []struct {
		name string
		img  v1.Image
		want []string // findings except libc
	}{
		{"valid image", good(t), nil},
		{
			"mode 0600", good(t, member{path: "share/extension/x", mode: 0o600}),
			[]string{"PGX041 error: share/extension/x: has mode 0600, so PostgreSQL cannot read it (amd64)"},
		},
		{"mode 0600 of the server's own", good(t, member{path: "share/extension/x", mode: 0o600, uid: 26}), []string{"PGX052 note: 1 entry belongs to 26:0, such as share/extension/x (amd64)"}},
		{
			"directory 0700", good(t, member{path: "share/x/", mode: 0o700}),
			[]string{"PGX041 error: share/x: has mode 0700, so PostgreSQL cannot list or enter it (amd64)"},
		},
		{
			"setuid", good(t, member{path: "bin/su", mode: 0o4755}),
			[]string{"PGX043 warning: bin/su: has mode 4755 (amd64)"},
		},
		{"device and pipe", good(t, member{path: "lib/null", typ: tar.TypeChar}, member{path: "lib/pipe", typ: tar.TypeFifo}), []string{"PGX043 warning: lib/null: is a character device (amd64)", "PGX043 warning: lib/pipe: is a pipe (amd64)"}},
		{"links", good(t, member{path: "lib/a", link: "/lib/vector.so"}, member{path: "lib/b", link: "../../etc/passwd"},
			member{path: "lib/c", link: "gone"}, member{path: "lib/d", link: "../lib/vector.so"}), []string{
			"PGX005 error: lib/b: -> ../../etc/passwd (amd64)",
			"PGX044 warning: lib/a: -> /lib/vector.so (amd64)",
			"PGX055 warning: lib/c: -> gone (amd64)",
		}},
		{"entry above the root", unlabelled(t, member{path: "../x"}), []string{
			`PGX005 error: reading image DIGEST: layer 1: entry "../x": leaves the root (amd64)`,
			"PGX046 warning: no control file in share/extension and no module in lib (amd64)", noLabel,
		}},
		{"whiteout", made(t, "amd64", label(t, nil), layer(t, types.OCILayer, member{path: "lib/old.so"}),
			layer(t, types.OCILayer, append(append(vector("amd64"), database("p", "1", vector("amd64")...)...), member{path: "lib/.wh.old.so"})...)), []string{"PGX051 note: lib/.wh.old.so: hides a file of a lower layer (amd64)"}},
		{"wrong machine", made(t, "amd64", nil, layer(t, types.OCILayer, vector("arm64")...)), []string{
			"PGX003 error: lib/vector.so: is an ELF file for arm64 in an image for amd64 (amd64)", noLabel,
			"PGX054 note: unknown package of lib/vector.so (amd64)",
		}},
		{"$libdir", good(t, member{path: "share/extension/vector--0.8--0.8.1.sql", content: "LOAD '$libdir/vector';\n"},
			member{path: "share/extension/x.control", content: "module_pathname = '$libdir/x'\ndefault_version = '1'\n"}), []string{
			"PGX023 warning: share/extension/vector--0.8--0.8.1.sql: 1 × LOAD '$libdir/…', which PostgreSQL searches in its own library directory only (amd64)",
			`PGX031 note: share/extension/x.control: no script in share/extension installs version "1" of x (amd64)`,
			"PGX032 note: share/extension/x.control: 1 × $libdir/ (amd64)",
		}},
		{"Debian's own layout", unlabelled(t, member{path: "usr/lib/postgresql/18/lib/x.so", content: object("amd64", "")},
			member{path: "usr/share/postgresql/18/extension/x.control", content: "default_version = '1'\n"}), []string{
			"PGX046 warning: no control file in share/extension and no module in lib (amd64)",
			"PGX047 note: usr/lib: 1 file with 808 bytes, such as usr/lib/postgresql/18/lib/x.so (amd64)",
			"PGX047 note: usr/share: 1 file with 22 bytes, such as usr/share/postgresql/18/extension/x.control (amd64)", noLabel,
			"PGX054 note: unknown package of usr/lib/postgresql/18/lib/x.so (amd64)",
		}},
		{"label of another image", made(t, "amd64", label(t, func(m *metadata.Metadata) {
			m.Arch, m.Modules, m.Name = "arm64", []string{"vectors"}, "No"
			m.Extensions[0].Version, m.LDLibraryPath = "0.9", []string{"system"}
			m.Parameters = map[string]string{"port": "1", "vector.probes": "2"}
		}), layer(t, types.OCILayer, complete...)), []string{
			"PGX007 error: parameter port is set by CloudNativePG itself; it refuses clusters that set it (amd64)",
			"PGX049 warning: arch: arm64 in the label, amd64 in the image (amd64)",
			"PGX049 warning: extensions: [vector 0.9] in the label, [vector 0.8.1] in the image (amd64)",
			"PGX049 warning: modules: [vectors] in the label, [vector] in the image (amd64)",
			`PGX049 warning: name: "No" does not match ^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$ (amd64)`,
			"PGX049 warning: system: the label lists this directory, but it is missing or empty in the image (amd64)",
		}},
		{"label of another schema", made(t, "amd64", map[string]string{metadata.Label: `{"schema":9}`}, layer(t, types.OCILayer, complete...)), []string{"PGX049 warning: decoding io.pgext.metadata: unsupported schema 9 (this pgext supports schema 1) (amd64)"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			img := tc.img
			digest, err := img.Digest()
			if err != nil {
				t.Fatal(err)
			}
			a, err := oci.FromImage(img)
			s := take(t, a, err)
			var got []string
			for _, text := range texts(s) {
				if text != libc {
					got = append(got, strings.ReplaceAll(text, digest.String(), "DIGEST"))
				}
			}
			slices.Sort(got)
			slices.Sort(tc.want)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// TestShapes checks media types and compressions that containerd was observed to
// accept or refuse.
func TestShapes(t *testing.T) {
	data := tarOf(t, vector("amd64")...)
	ok := made(t, "amd64", nil, layer(t, types.OCILayer, vector("amd64")...))
	for _, tc := range []struct {
		name string
		img  v1.Image
		want string // the PGX040 or PGX045, if any
	}{
		{"gzip", ok, ""},
		{"Docker's types", made(t, "amd64", nil, layer(t, types.DockerLayer, vector("amd64")...)), ""},
		{"uncompressed", made(t, "amd64", nil, plain(data, types.OCIUncompressedLayer)), ""},
		{
			"own type of layer", made(t, "amd64", nil, layer(t, "application/vnd.example.tar+gzip", vector("amd64")...)),
			"PGX040 error: layer 1 has media type application/vnd.example.tar+gzip (amd64)",
		},
		{
			"gzip labelled as tar", made(t, "amd64", nil, layer(t, types.OCIUncompressedLayer, vector("amd64")...)),
			"PGX040 error: layer 1: compression is gzip, media type is application/vnd.oci.image.layer.v1.tar (amd64)",
		},
		{
			"tar labelled as zstd", made(t, "amd64", nil, plain(data, types.OCILayerZStd)),
			"PGX045 warning: layer 1: compression is none, media type is application/vnd.oci.image.layer.v1.tar+zstd (amd64)",
		},
		{
			"own type of config", mutate.ConfigMediaType(ok, "application/vnd.example.config+json"),
			"PGX040 error: the config has media type application/vnd.example.config+json (amd64)",
		},
		{
			"no diff_ids", changed(t, ok, func(c *v1.ConfigFile) { c.RootFS.DiffIDs = nil }),
			"PGX040 error: 1 layer, but 0 diff_ids in the config (amd64)",
		},
		{
			"wrong diff_id", changed(t, ok, func(c *v1.ConfigFile) { c.RootFS.DiffIDs[0].Hex = strings.Repeat("0", 64) }),
			"PGX040 error: layer 1: diff_id mismatch: got DIFFID, the config has sha256:" + strings.Repeat("0", 64) + " (amd64)",
		},
		{"no tar at all", made(t, "amd64", nil, plain(make([]byte, 3000), types.OCIUncompressedLayer)), ""},
		{
			"text", made(t, "amd64", nil, plain([]byte(strings.Repeat("text ", 500)), types.OCIUncompressedLayer)),
			"PGX040 error: reading image DIGEST: layer 1: malformed layer: archive/tar: invalid tar header (amd64)",
		},
		{
			"half a tar", made(t, "amd64", nil, plain(data[:600], types.OCIUncompressedLayer)),
			"PGX040 error: reading image DIGEST: layer 1: malformed layer: entry \"lib/vector.so\": unexpected EOF (amd64)",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, err := oci.FromImage(tc.img)
			s := take(t, a, err)
			if malformed := strings.Contains(tc.want, "malformed layer:"); (s.Images[0].UnpackError != nil) != malformed {
				t.Errorf("UnpackError = %v", s.Images[0].UnpackError)
			}
			got := ""
			for _, text := range texts(s) {
				if strings.HasPrefix(text, "PGX040") || strings.HasPrefix(text, "PGX045") {
					got += strings.ReplaceAll(strings.ReplaceAll(text, diffID(t, ok), "DIFFID"), a.Digest.String(), "DIGEST")
				}
			}
			if got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func diffID(t *testing.T, img v1.Image) string {
	t.Helper()
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	return config.RootFS.DiffIDs[0].String()
}

// TestIndex checks the findings about an index.
func TestIndex(t *testing.T) {
	amd64 := made(t, "amd64", nil, layer(t, types.OCILayer, vector("amd64")...))
	arm64 := made(t, "arm64", nil, layer(t, types.OCILayer, vector("arm64")...))
	add := func(img mutate.Appendable, os, arch string) mutate.IndexAddendum {
		return mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: os, Architecture: arch}}}
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	nested, err := empty.Index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		index  v1.ImageIndex
		images int
		want   []string // PGX040, PGX042 and PGX050
	}{
		{"two architectures", mutate.AppendManifests(index, add(amd64, "linux", "amd64"), add(arm64, "linux", "arm64")), 2, nil},
		{
			"attestation first", mutate.AppendManifests(index, add(arm64, "unknown", "unknown"), add(amd64, "linux", "amd64")), 1,
			[]string{"PGX050 note: entry ARM64 is for the platform unknown/unknown"},
		},
		{
			"listed for another platform", mutate.AppendManifests(index, add(amd64, "linux", "arm64")), 1,
			[]string{"PGX042 error: platform linux/arm64 in the index, linux/amd64 in the config (amd64)"},
		},
		{
			"twice", mutate.AppendManifests(index, add(amd64, "linux", "amd64"), add(arm64, "linux", "amd64")), 2,
			[]string{"PGX042 error: platform linux/amd64 in the index, linux/arm64 in the config (arm64)", "PGX042 error: two entries are for the platform linux/amd64"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, err := oci.FromIndex(tc.index)
			s := take(t, a, err)
			if !s.Index || len(s.Images) != tc.images {
				t.Errorf("Index = %v with %d images, want %d", s.Index, len(s.Images), tc.images)
			}
			digest, err := arm64.Digest()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, text := range texts(s) {
				if code := text[:6]; code == "PGX040" || code == "PGX042" || code == "PGX050" {
					text = strings.ReplaceAll(text, digest.String(), "ARM64")
					got = append(got, strings.ReplaceAll(text, nested.String(), "NESTED"))
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

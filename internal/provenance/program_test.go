package provenance

import (
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProgram(t *testing.T) {
	commit := strings.Repeat("ab", 20)
	info := func(sum string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Sum: sum}, Settings: settings}
	}
	revision := debug.BuildSetting{Key: "vcs.revision", Value: commit}
	clean := debug.BuildSetting{Key: "vcs.modified", Value: "false"}
	changed := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	for _, tt := range []struct {
		name, version string
		info          *debug.BuildInfo
		want          Descriptor
	}{
		// The example of in-toto's digest_set.md.
		{"published module", "v1.2.3", info("h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), Descriptor{
			URI: "pkg:golang/github.com/pgext/pgext@v1.2.3", Digest: map[string]string{"dirHash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		}},
		{"clean tree", "v1.2.3", info("", revision, clean), Descriptor{
			URI: "pkg:golang/github.com/pgext/pgext@v1.2.3", Digest: map[string]string{"gitCommit": commit},
		}},
		{"changed tree", "v1.2.3", info("", revision, changed), Descriptor{
			URI: "pkg:golang/github.com/pgext/pgext@v1.2.3", Annotations: map[string]string{"digest": unidentified},
		}},
		{"unreadable checksum", "v1.2.3", info("h1:AAAA"), Descriptor{
			URI: "pkg:golang/github.com/pgext/pgext@v1.2.3", Annotations: map[string]string{"digest": unidentified},
		}},
		{"nothing known", "dev", nil, Descriptor{
			URI: "pkg:golang/github.com/pgext/pgext", Annotations: map[string]string{"digest": unidentified},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := ProgramOf(tt.version, tt.info).builder()
			tt.want.Name = "pgext"
			if diff := cmp.Diff([]Descriptor{tt.want}, b.BuilderDependencies); diff != "" {
				t.Errorf("builder dependencies (-want +got):\n%s", diff)
			}
			if b.ID != BuilderID {
				t.Errorf("builder.id = %q, want %q", b.ID, BuilderID)
			}
		})
	}
}

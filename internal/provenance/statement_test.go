package provenance

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	slsa "github.com/in-toto/attestation/go/predicates/provenance/v1"
	intoto "github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/lock"
)

var update = flag.Bool("update", false, "write the golden files")

func TestEncode(t *testing.T) {
	got := encoded(t, statement(t))
	if *update {
		if err := os.WriteFile("testdata/statement.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/statement.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("Encode() (-want +got):\n%s", diff)
	}
	// These bytes are signed: a change of them is a change of image.OutputVersion
	// or of BuildType. Unlike the golden file, -update does not rewrite the digest.
	const pinned = "33ede8f7ba3f01e3c1a5a9d4ec27dcfa26d51f544a451acfc635e7f38ce54489"
	if sum := fmt.Sprintf("%x", sha256.Sum256(got)); sum != pinned || image.OutputVersion != 1 {
		t.Errorf("Encode() has SHA-256 %s, want %s, for output version %d", sum, pinned, image.OutputVersion)
	}
	t.Run("twice", func(t *testing.T) {
		if again := encoded(t, statement(t)); !slices.Equal(got, again) {
			t.Error("the second encoding differs")
		}
	})
	t.Run("no secret", func(t *testing.T) {
		// The recipe is included unchanged, with the query of its URLs.
		text := strings.ReplaceAll(string(got), "b.deb?token=secret", "")
		if strings.Contains(text, "secret") {
			t.Errorf("the statement contains a credential:\n%s", text)
		}
	})
}

// TestSpecification parses statements strictly with the published types of the
// specifications.
func TestSpecification(t *testing.T) {
	i := FromEnvironment(gitHubRun.get)
	for name, s := range map[string]Statement{
		"plain":       statement(t),
		"in a run":    statement(t).WithInvocation(i),
		"unknown":     statement(t, func(in *Input) { in.Program = Program{} }),
		"image base":  statement(t, func(in *Input) { in.Pins.Base = imageBase("image:registry.example/pg/postgresql:18") }),
		"path base":   statement(t, func(in *Input) { in.Pins.Base = imageBase("image:oci:../operand") }),
		"nothing set": statement(t, func(in *Input) { *in = smallest(*in) }),
	} {
		t.Run(name, func(t *testing.T) {
			var official intoto.Statement
			if err := protojson.Unmarshal(encoded(t, s), &official); err != nil {
				t.Fatal(err)
			}
			if err := official.Validate(); err != nil {
				t.Error(err)
			}
			predicate, err := s.Predicate.Encode()
			if err != nil {
				t.Fatal(err)
			}
			var provenance slsa.Provenance
			if err := protojson.Unmarshal(predicate, &provenance); err != nil {
				t.Fatal(err)
			}
			if err := provenance.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

func imageBase(name string) lock.Base {
	return lock.Base{Name: name, Image: "sha256:" + hex64b, Postgres: "18.6", Checksum: "sha256:" + hex64c}
}

// smallest removes all optional fields.
func smallest(in Input) Input {
	in.Epoch, in.Revision, in.Annotations, in.Files, in.Patches, in.Upstream = nil, 0, nil, nil, nil, nil
	in.Internal.Rewrites = nil
	in.Pins.Packages = in.Pins.Packages[:2]
	return in
}

// TestIndependence requires that other targets in the lock, and the time zone of the
// creation time, do not change the statement.
func TestIndependence(t *testing.T) {
	alone := encoded(t, statement(t))
	other := pins()
	other.Arch, other.Packages = "arm64", nil
	both, _ := lock.Lock{}.With(other).With(pins()).Find("forky", 18, "amd64")
	if got := encoded(t, statement(t, func(in *Input) { in.Pins = both })); !slices.Equal(got, alone) {
		t.Error("a second target in the lock changed the statement")
	}
	zone := time.FixedZone("other", 3600)
	if got := encoded(t, statement(t, func(in *Input) { in.Internal.Created = built.In(zone) })); !slices.Equal(got, alone) {
		t.Error("the time zone changed the statement")
	}
}

func TestDependencies(t *testing.T) {
	for _, tt := range []struct {
		name   string
		base   lock.Base
		want   string
		digest string
	}{
		{"profile", pins().Base, "", hex64c},
		{
			"image with tag", imageBase("image:registry.example/pg/postgresql:18"),
			"pkg:oci/postgresql@sha256%3A" + hex64b + "?repository_url=registry.example%2Fpg%2Fpostgresql&tag=18", hex64b,
		},
		{
			"image with digest", imageBase("image:registry.example/pg/postgresql:18@sha256:" + hex64a),
			"pkg:oci/postgresql@sha256%3A" + hex64b + "?repository_url=registry.example%2Fpg%2Fpostgresql&tag=18", hex64b,
		},
		{"layout", imageBase("image:oci:../operand"), "", hex64b},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := statement(t, func(in *Input) { in.Pins.Base = tt.base })
			got := s.Predicate.BuildDefinition.Of(KindBase)
			if len(got) != 1 || got[0].URI != tt.want || got[0].Digest["sha256"] != tt.digest {
				t.Errorf("base = %+v, want URI %q and digest %s", got, tt.want, tt.digest)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Input)
		want   string
	}{
		{"no digest", func(in *Input) { in.Digest = "latest" }, `writing provenance: "latest" is not a digest`},
		{"recipe that is not UTF-8", func(in *Input) { in.Recipe = []byte("\xff") }, "writing provenance: the recipe is not UTF-8"},
		{"unknown archive", func(in *Input) {
			in.Locate = func(string, string) (string, error) { return "", errors.New("is not known") }
		}, "writing provenance: archive debian: is not known"},
		{
			"vendor file missing in the recipe", func(in *Input) { in.Files = nil },
			"writing provenance: package vendor: the recipe names no file with SHA-256 " + hex64b,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := input()
			tt.change(&in)
			_, err := New(in)
			if err == nil || err.Error() != tt.want {
				t.Errorf("New() error = %v, want %q", err, tt.want)
			}
		})
	}
}

// TestParameters requires every parameter that determines bytes of the image to change
// the statement.
func TestParameters(t *testing.T) {
	plain := encoded(t, statement(t))
	for name, change := range map[string]func(*Input){
		"recipe comment": func(in *Input) { in.Recipe = append([]byte("#\n"), in.Recipe...) },
		"package":        func(in *Input) { in.Pins.Packages[0].Size++ },
		"compression":    func(in *Input) { in.Compression = "zstd" },
		"epoch":          func(in *Input) { in.Epoch = nil },
		"revision":       func(in *Input) { in.Revision++ },
		"annotation":     func(in *Input) { in.Annotations = nil },
		"vendor file":    func(in *Input) { in.Files[0].Path = "elsewhere.deb" },
		"patch":          func(in *Input) { in.Patches[1].Content = []byte("x") },
		"patch order":    func(in *Input) { slices.Reverse(in.Patches) },
		"output version": func(in *Input) { in.Internal.Output++ },
		"program":        func(in *Input) { in.Program.Version = "v1.2.4" },
		"source":         func(in *Input) { in.Upstream.SHA256 = hex64a },
	} {
		t.Run(name, func(t *testing.T) {
			if got := encoded(t, statement(t, change)); slices.Equal(got, plain) {
				t.Error("the statement did not change")
			}
		})
	}
}

// TestPlainJSON requires JSON without HTML escapes.
func TestPlainJSON(t *testing.T) {
	text := string(encoded(t, statement(t)))
	if !json.Valid([]byte(text)) || !strings.Contains(text, `"<2>"`) || !strings.HasSuffix(text, "}\n") {
		t.Errorf("not plain JSON:\n%s", text)
	}
}

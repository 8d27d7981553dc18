package provenance

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/pgext/pgext/internal/digest"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/redact"
)

// Input has the inputs of the build of one architecture.
type Input struct {
	// Digest of the manifest, "sha256:" and hex.
	Digest string
	// Recipe is the content of the recipe file.
	Recipe []byte
	Pins   lock.Target
	// Compression is gzip or zstd.
	Compression string
	// Epoch is SOURCE_DATE_EPOCH; nil if it was not set.
	Epoch       *time.Time
	Revision    int
	Annotations map[string]string
	// Files are the packages in source.deb.files for the target, with variables
	// expanded.
	Files   []recipe.DebFile
	Patches []NamedFile
	// Upstream is the source that was built; nil if there is none.
	Upstream *Upstream
	Internal Internal
	// Locate returns the URL of a path in an archive of Pins, below the official root
	// and not a mirror; "" for an archive on the local disk.
	Locate func(archive, path string) (string, error)
	// PURL returns the package URL of a package; "" for none.
	PURL    func(lock.Package) string
	Program Program
}

// NamedFile is a file in the directory of the recipe.
type NamedFile struct {
	// Path is relative to the recipe.
	Path    string
	Content []byte
}

// Upstream is a source archive.
type Upstream struct {
	// URL of the archive; "" for a local file.
	URL string
	// Path is relative to the recipe; "" for an archive with a URL.
	Path string
	// SHA256 is in hex.
	SHA256 string
}

// New returns the statement of a build.
func New(in Input) (Statement, error) {
	if !utf8.Valid(in.Recipe) {
		return Statement{}, errors.New("writing provenance: the recipe is not UTF-8")
	}
	hex, ok := digest.Cut(in.Digest)
	if !ok {
		return Statement{}, fmt.Errorf("writing provenance: %q is not a digest", in.Digest)
	}
	dependencies, err := in.dependencies()
	if err != nil {
		return Statement{}, fmt.Errorf("writing provenance: %w", err)
	}
	internal := in.Internal
	internal.Created = internal.Created.UTC()
	return Statement{
		Type:          StatementType,
		Subject:       []Descriptor{{Name: internal.Image + ":" + internal.Tag, Digest: map[string]string{"sha256": hex}}},
		PredicateType: PredicateType,
		Predicate: Predicate{
			BuildDefinition: BuildDefinition{
				BuildType:            BuildType,
				ExternalParameters:   in.external(),
				InternalParameters:   internal,
				ResolvedDependencies: dependencies,
			},
			RunDetails: RunDetails{Builder: in.Program.builder()},
		},
	}, nil
}

func (in Input) external() External {
	e := External{
		Recipe: string(in.Recipe), Lock: string(lock.Lock{}.With(in.Pins).Encode()),
		Distro: in.Pins.Distro, Postgres: in.Pins.Postgres, Arch: in.Pins.Arch,
		Compression: in.Compression, Revision: in.Revision, Annotations: in.Annotations,
	}
	if in.Epoch != nil {
		seconds := in.Epoch.Unix()
		e.SourceDateEpoch = &seconds
	}
	for _, f := range in.Files {
		e.Files = append(e.Files, File{URL: redact.Public(f.URL), Path: f.Path, SHA256: f.SHA256})
	}
	for _, p := range in.Patches {
		patch := Patch{Path: p.Path, Text: string(p.Content)}
		if !utf8.Valid(p.Content) {
			patch.Text, patch.Content = "", p.Content
		}
		e.Patches = append(e.Patches, patch)
	}
	return e
}

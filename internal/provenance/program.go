package provenance

import (
	"encoding/base64"
	"encoding/hex"
	"runtime/debug"
	"strings"

	packageurl "github.com/anchore/packageurl-go"

	"github.com/pgext/pgext/internal/digest"
)

// Program is the pgext that built.
type Program struct {
	// Version is what `pgext version` says; "" or "dev" when nobody knows.
	Version string
	// Sum is the checksum of the module, "h1:" and base64; "" when the program
	// was not built from a published module.
	Sum string
	// Commit is the git commit of the working tree that the program was built
	// from; "" when there was none, or it had changes.
	Commit string
}

// ProgramOf returns what the Go toolchain noted about a program. version is
// what the program calls itself; info may be nil.
func ProgramOf(version string, info *debug.BuildInfo) Program {
	p := Program{Version: version}
	if info == nil {
		return p
	}
	p.Sum = info.Main.Sum
	modified := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			p.Commit = s.Value
		case "vcs.modified":
			modified = s.Value == "true"
		}
	}
	if modified || !digest.IsSHA1(p.Commit) {
		p.Commit = ""
	}
	return p
}

// unidentified is said of a program that no digest is known of.
const unidentified = "unknown: not built from a published module or an unchanged commit"

// builder is the program as a platform of its own.
func (p Program) builder() Builder {
	version := p.Version
	if version == "dev" || version == "(devel)" {
		version = ""
	}
	d := Descriptor{
		Name: "pgext",
		URI:  packageurl.NewPackageURL(packageurl.TypeGolang, "github.com/pgext", "pgext", version, nil, "").ToString(),
	}
	if sum, ok := dirHash(p.Sum); ok {
		d.Digest = map[string]string{"dirHash": sum}
	} else if p.Commit != "" {
		d.Digest = map[string]string{"gitCommit": p.Commit}
	} else {
		d.Annotations = map[string]string{"digest": unidentified}
	}
	b := Builder{ID: BuilderID, BuilderDependencies: []Descriptor{d}}
	if version != "" {
		b.Version = map[string]string{"pgext": version}
	}
	return b
}

// dirHash turns a checksum of go.sum into in-toto's digest of the same name:
// without "h1:", in hex
// (https://github.com/in-toto/attestation/blob/main/spec/v1/digest_set.md).
func dirHash(sum string) (string, bool) {
	encoded, ok := strings.CutPrefix(sum, "h1:")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	return hex.EncodeToString(raw), ok && err == nil && len(raw) == 32
}

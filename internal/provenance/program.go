package provenance

import (
	"encoding/base64"
	"encoding/hex"
	"runtime/debug"
	"strings"

	packageurl "github.com/anchore/packageurl-go"

	"github.com/pgext/pgext/internal/digest"
)

// Program identifies the pgext binary that built an image.
type Program struct {
	// Version of pgext version; "" or "dev" if it is unknown.
	Version string
	// Sum is the checksum of the module, "h1:" and base64; "" if the program was not
	// built from a published module.
	Sum string
	// Commit is the git commit that the program was built from; "" if it is unknown or
	// the working tree had changes.
	Commit string
}

// ProgramOf returns the program with the module checksum and commit in its build
// information, which may be nil.
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

// unidentified is the annotation of a program without a known digest.
const unidentified = "unknown: not built from a published module or an unchanged commit"

// builder returns the program as a SLSA builder.
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

// dirHash converts a checksum of go.sum to the digest dirHash of in-toto: without
// "h1:", in hex
// (https://github.com/in-toto/attestation/blob/main/spec/v1/digest_set.md).
func dirHash(sum string) (string, bool) {
	encoded, ok := strings.CutPrefix(sum, "h1:")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	return hex.EncodeToString(raw), ok && err == nil && len(raw) == 32
}

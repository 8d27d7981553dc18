package layout

import (
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/strictjson"
)

// documentSchema is the version of ReportDocument.
const documentSchema = 1

// ReportDocument is the content of TAG-ARCH.report.json: the Report and the
// findings about one architecture of an image.
type ReportDocument struct {
	// Schema is set by Encode.
	Schema int    `json:"schema"`
	Image  string `json:"image"`
	// Tag is the moving tag.
	Tag string `json:"tag"`
	// Arch is a Debian architecture.
	Arch string `json:"arch"`
	// Digest is the digest of the manifest, "sha256:" and hex.
	Digest string `json:"digest"`
	// Findings are the findings about this architecture; nil is encoded as [].
	Findings []finding.Finding `json:"findings"`
	Report
}

// Encode returns the document as indented JSON with a final newline.
func (d ReportDocument) Encode() ([]byte, error) {
	d.Schema, d.Findings = documentSchema, append([]finding.Finding{}, d.Findings...)
	return strictjson.Marshal(d, "  ")
}

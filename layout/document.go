package layout

import (
	"bytes"
	"encoding/json"

	"github.com/pgext/pgext/internal/finding"
)

// documentSchema is the version of ReportDocument.
const documentSchema = 1

// ReportDocument is the file TAG-ARCH.report.json: the Report about one
// architecture of an image, with what a person should know about it.
type ReportDocument struct {
	// Schema is set by Encode.
	Schema int    `json:"schema"`
	Image  string `json:"image"`
	// Tag is the one that moves.
	Tag string `json:"tag"`
	// Arch is a Debian architecture.
	Arch string `json:"arch"`
	// Digest is that of the architecture's manifest, "sha256:" and hex.
	Digest string `json:"digest"`
	// Findings are those about this architecture; nil is written empty.
	Findings []finding.Finding `json:"findings"`
	Report
}

// Encode returns the document as indented JSON with a newline at its end.
func (d ReportDocument) Encode() ([]byte, error) {
	d.Schema, d.Findings = documentSchema, append([]finding.Finding{}, d.Findings...)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	err := enc.Encode(d)
	return b.Bytes(), err
}

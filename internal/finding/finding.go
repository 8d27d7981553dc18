package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity ranks a finding. An error fails a build; a warning fails it with
// --strict.
type Severity uint8

// The severities in ascending order.
const (
	Note Severity = iota
	Warning
	Error
)

var severityNames = [...]string{"note", "warning", "error"}

// String returns note, warning or error.
func (s Severity) String() string { return severityNames[s] }

// MarshalText implements encoding.TextMarshaler.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Severity) UnmarshalText(text []byte) error {
	i := slices.Index(severityNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown severity %q", text)
	}
	*s = Severity(i)
	return nil
}

// Finding is a problem or a fact about an image.
type Finding struct {
	// Code is a key of the registry, such as PGX001.
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	// Arch is the Debian architecture that has it; "" for all.
	Arch string `json:"arch,omitempty"`
	// Path is a path in the image, or in a package if the file is not in the
	// image.
	Path string `json:"path,omitempty"`
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"`
}

// String returns the finding as one line, without its hint.
func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: ", f.Code, f.Severity)
	if f.Path != "" {
		fmt.Fprintf(&b, "%s: ", f.Path)
	}
	b.WriteString(f.Text)
	if f.Arch != "" {
		fmt.Fprintf(&b, " (%s)", f.Arch)
	}
	return b.String()
}

// New returns a finding with the severity of its code's kind. It panics if the
// code is not registered, which is a programming error.
func New(code, path, text, hint string) Finding {
	k, ok := Lookup(code)
	if !ok {
		panic("finding: unregistered code " + code)
	}
	return Finding{Code: code, Severity: k.Severity, Path: path, Text: text, Hint: hint}
}

// Sort returns the findings without duplicates, sorted by descending severity,
// code, path, architecture and text.
func Sort(fs []Finding) []Finding {
	out := slices.Clone(fs)
	slices.SortFunc(out, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(b.Severity, a.Severity),
			strings.Compare(a.Code, b.Code),
			strings.Compare(a.Path, b.Path),
			strings.Compare(a.Arch, b.Arch),
			strings.Compare(a.Text, b.Text),
		)
	})
	return slices.Compact(out)
}

// Worst returns the highest severity among fs, and false when fs is empty.
func Worst(fs []Finding) (Severity, bool) {
	worst := Note
	for _, f := range fs {
		worst = max(worst, f.Severity)
	}
	return worst, len(fs) > 0
}

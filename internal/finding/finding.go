package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity ranks a finding. Errors stop a build; warnings do with --strict.
type Severity uint8

// The severities, least first.
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

// Finding is one thing a person should know.
type Finding struct {
	// Code is a key of the registry, such as PGX001.
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	// Arch is the Debian architecture it was seen on; "" for all.
	Arch string `json:"arch,omitempty"`
	// Path is the path in the image, or in the package when it is not placed.
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

// New returns a finding of a registered code with the severity of its kind.
// It panics when the code is not registered: that is a programmer's error.
func New(code, path, text, hint string) Finding {
	k, ok := Lookup(code)
	if !ok {
		panic("finding: unregistered code " + code)
	}
	return Finding{Code: code, Severity: k.Severity, Path: path, Text: text, Hint: hint}
}

// Sort returns the findings, worst first, then by code, path, architecture
// and text, without duplicates.
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

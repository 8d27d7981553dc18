package sign

import "fmt"

// Format is the format in which signatures are attached to an image.
type Format string

// The formats. The zero value means FormatBundle.
const (
	// FormatBundle is a sigstore bundle 0.3 in a referrer, the default of cosign 3.
	FormatBundle Format = "bundle"
	// FormatLegacy is a layer of the image tagged sha256-<hex>.sig (.att for
	// attestations), which some policy engines require.
	FormatLegacy Format = "legacy"
	// FormatBoth writes both formats.
	FormatBoth Format = "both"
)

// ParseFormat parses the value of a flag; "" is FormatBundle.
func ParseFormat(s string) (Format, error) {
	switch f := Format(s); f {
	case "":
		return FormatBundle, nil
	case FormatBundle, FormatLegacy, FormatBoth:
		return f, nil
	}
	return "", fmt.Errorf("signature format %q is not bundle, legacy or both", s)
}

func (f Format) bundle() bool { return f != FormatLegacy }
func (f Format) legacy() bool { return f == FormatLegacy || f == FormatBoth }

package sign

import "fmt"

// Format is how signatures lie beside an image.
type Format string

// The zero value of Format counts as FormatBundle.
const (
	// FormatBundle is a sigstore bundle 0.3 in a referrer, cosign 3's default.
	FormatBundle Format = "bundle"
	// FormatLegacy is a layer of the image tagged sha256-<hex>.sig (.att for
	// attestations), which policy engines in use still look for.
	FormatLegacy Format = "legacy"
	// FormatBoth writes either.
	FormatBoth Format = "both"
)

// ParseFormat reads what a user wrote; "" is FormatBundle.
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

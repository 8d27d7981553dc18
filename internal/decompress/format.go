package decompress

import (
	"bytes"
	"fmt"
	"path"
)

// Format is a compression format.
type Format uint8

// The formats that Debian archives and packages use today (deb(5)).
const (
	None Format = iota
	Gzip
	XZ
	Zstd
)

var formats = [...]struct {
	name, extension string
	magic           []byte
}{
	None: {"none", "", nil},
	Gzip: {"gzip", ".gz", []byte{0x1f, 0x8b}},                // RFC 1952, 2.3.1
	XZ:   {"xz", ".xz", []byte{0xfd, '7', 'z', 'X', 'Z', 0}}, // xz-file-format.txt, 2.1.1.1
	Zstd: {"zstd", ".zst", []byte{0x28, 0xb5, 0x2f, 0xfd}},   // RFC 8878, 3.1.1
}

// String returns "none", "gzip", "xz" or "zstd".
func (f Format) String() string {
	if int(f) < len(formats) {
		return formats[f].name
	}
	return fmt.Sprintf("Format(%d)", uint8(f))
}

// Extension returns what the names of such files end in, with the dot; "" for
// None.
func (f Format) Extension() string {
	if int(f) < len(formats) {
		return formats[f].extension
	}
	return ""
}

// Detect returns the format of a stream that starts with prefix, of which six
// bytes are enough. Whatever it does not recognise is None.
func Detect(prefix []byte) Format {
	for f := Gzip; int(f) < len(formats); f++ {
		if bytes.HasPrefix(prefix, formats[f].magic) {
			return f
		}
	}
	return None
}

// ByExtension returns the format that the end of a file name promises. A
// compression format that is not read here is ErrUnsupported; any other
// ending, or none, means None.
func ByExtension(name string) (Format, error) {
	ext := path.Ext(name)
	switch ext {
	case ".bz2", ".lz", ".lz4", ".lzma", ".Z":
		return None, fmt.Errorf("%s: %w %q", name, ErrUnsupported, ext)
	}
	for f := Gzip; int(f) < len(formats); f++ {
		if formats[f].extension == ext {
			return f, nil
		}
	}
	return None, nil
}

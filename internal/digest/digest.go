package digest

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// SHA256 returns the SHA-256 of data, 64 digits.
func SHA256(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Is reports whether s is a digest of size bytes.
func Is(s string, size int) bool {
	return len(s) == 2*size && strings.Trim(s, "0123456789abcdef") == ""
}

// IsSHA1 reports whether s is a digest of 40 digits, as which git names commits
// too.
func IsSHA1(s string) bool { return Is(s, 20) }

// IsSHA256 reports whether s is a digest of 64 digits.
func IsSHA256(s string) bool { return Is(s, sha256.Size) }

// Cut returns the digits of s, which is "sha256:" and 64 of them (OCI Image
// Format Specification, descriptor.md, "Digests"), and whether it is.
func Cut(s string) (digits string, ok bool) {
	digits, ok = strings.CutPrefix(s, "sha256:")
	if !ok || !IsSHA256(digits) {
		return "", false
	}
	return digits, true
}

// IsNamed reports whether Cut takes s.
func IsNamed(s string) bool {
	_, ok := Cut(s)
	return ok
}

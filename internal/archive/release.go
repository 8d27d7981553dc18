package archive

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/digest"
)

// Release is what a lock keeps of a verified InRelease file, or Release with
// Release.gpg.
type Release struct {
	// Archive is the archive's name; Suite the folder below dists.
	Archive, Suite string
	// Codename is the Release's own field; it may be empty.
	Codename string
	// SHA256 of the InRelease or Release file as downloaded, lower-case hex.
	SHA256 string
	// Date is when the archive made it, ValidUntil when it ceases to be valid
	// (zero for never); UTC, whole seconds.
	Date, ValidUntil time.Time
	// Fingerprint is the primary key's behind the signature, upper-case hex.
	Fingerprint string
	// Expired reports that it was past ValidUntil, which was allowed.
	Expired bool
}

// release is a parsed Release file; see
// https://wiki.debian.org/DebianRepository/Format.
type release struct {
	origin, label, suite, codename string
	date, validUntil               time.Time
	// notAutomatic reports that the suite is no distribution of its own.
	notAutomatic bool
	// byHash reports that indexes can also be had by their digest.
	byHash bool
	// separateAll reports that packages for all architectures are in an index of
	// their own, and not in those of each architecture.
	separateAll bool
	// indexes holds the Packages files of binary packages by name, such as
	// main/binary-amd64/Packages.xz.
	indexes map[string]index
}

// index is one line of the Release's checksum fields.
type index struct {
	size           int64
	sha256, sha512 string // at least one is set
}

// parseRelease reads a Release file whose signature has been verified.
func parseRelease(text []byte) (release, error) {
	s := debian.NewScanner(bytes.NewReader(text))
	if !s.Scan() {
		if s.Err() != nil {
			return release{}, s.Err()
		}
		return release{}, errors.New("holds no fields")
	}
	p := s.Paragraph()
	if s.Scan() {
		return release{}, errors.New("holds more than one paragraph")
	}
	if s.Err() != nil {
		return release{}, s.Err()
	}
	r := release{
		origin: p.Get("Origin"), label: p.Get("Label"), suite: p.Get("Suite"), codename: p.Get("Codename"),
		notAutomatic: strings.EqualFold(p.Get("NotAutomatic"), "yes"),
		byHash:       strings.EqualFold(p.Get("Acquire-By-Hash"), "yes"),
		separateAll: slices.Contains(strings.Fields(p.Get("Architectures")), "all") &&
			!slices.Contains(strings.Fields(p.Get("No-Support-for-Architecture-all")), "Packages"),
		indexes: make(map[string]index),
	}
	var err error
	if r.date, err = parseDate(p.Get("Date")); err != nil {
		return release{}, fmt.Errorf("field Date: %w", err)
	}
	if until := p.Get("Valid-Until"); until != "" {
		if r.validUntil, err = parseDate(until); err != nil {
			return release{}, fmt.Errorf("field Valid-Until: %w", err)
		}
	}
	for _, field := range []string{"SHA256", "SHA512"} {
		if err := r.addIndexes(field, p.Get(field)); err != nil {
			return release{}, fmt.Errorf("field %s: %w", field, err)
		}
	}
	return r, nil
}

// parseDate reads the date format of Release files, that of RFC 5322 in UTC.
func parseDate(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, errors.New("is missing")
	}
	for _, layout := range []string{"Mon, 2 Jan 2006 15:04:05 MST", "Mon, 2 Jan 2006 15:04:05 -0700"} {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		// Go gives unknown abbreviations an offset of zero.
		if zone, _ := t.Zone(); layout[len(layout)-1] == 'T' && zone != "UTC" && zone != "GMT" {
			continue
		}
		return t.UTC(), nil
	}
	return time.Time{}, fmt.Errorf("%.60q is not a date in UTC", s)
}

// addIndexes reads the lines "DIGEST SIZE NAME" of a checksum field, and keeps
// those of Packages files.
func (r release) addIndexes(field, value string) error {
	for line := range strings.Lines(value) {
		if !strings.Contains(line, "/Packages") {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) != 3 {
			return fmt.Errorf("%.80q is not a digest, a size and a name", line)
		}
		sum, name := strings.ToLower(fields[0]), fields[2]
		if !isPackages(name) {
			continue
		}
		size, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil || size < 0 || !digest.Is(sum, digestSizes[field]) {
			return fmt.Errorf("%s: %.20q with %.20q is not a digest and a size", name, fields[0], fields[1])
		}
		ix, known := r.indexes[name]
		if known && ix.size != size {
			return fmt.Errorf("%s: two sizes, %d and %d", name, ix.size, size)
		}
		ix.size = size
		if field == "SHA256" {
			ix.sha256 = sum
		} else {
			ix.sha512 = sum
		}
		r.indexes[name] = ix
	}
	return nil
}

// isPackages reports whether name is that of a Packages file of binary
// packages, in a form that can be read.
func isPackages(name string) bool {
	folder, file, ok := cutLast(name, "/")
	if !ok || !isPath(name) {
		return false
	}
	_, arch, ok := cutLast(folder, "/binary-")
	ext, isFile := strings.CutPrefix(file, "Packages")
	return ok && isFile && arch != "" && !strings.Contains(arch, "/") && slices.Contains(extensions, ext)
}

// cutLast cuts s around the last occurrence of sep.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// digestSizes are in bytes, by field.
var digestSizes = map[string]int{"SHA256": sha256.Size, "SHA512": sha512.Size}

// checkSuite refuses a Release that was made for another suite and put in
// this one's place.
func (r release) checkSuite(suite string) *TrustError {
	switch {
	case suite == r.suite, suite == r.codename:
		return nil
	case r.suite == "" && r.codename == "":
		return refuse(WrongSuite, "names no suite: the fields Suite and Codename are missing")
	}
	return refuse(WrongSuite, "is the Release of suite %q, codename %q, not of %q", r.suite, r.codename, suite)
}

// checkDates refuses a Release from the future and one that has expired.
// It reports whether the second was allowed.
func (r release) checkDates(now time.Time, allowExpired bool) (expired bool, refusal *TrustError) {
	if r.date.After(now.Add(maxSkew)) {
		return false, refuse(Future, "was made on %s, but now is %s", stamp(r.date), stamp(now))
	}
	if r.validUntil.IsZero() || !now.After(r.validUntil) {
		return false, nil
	}
	if allowExpired {
		return true, nil
	}
	return false, refuse(Expired, "expired: it was valid until %s, and now is %s", stamp(r.validUntil), stamp(now))
}

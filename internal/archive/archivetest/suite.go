package archivetest

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/pgext/pgext/debextract"
	"github.com/pgext/pgext/internal/debian"
)

// Package is one .deb of a Suite.
type Package struct {
	// Control holds the fields of the package's paragraph as text; Package,
	// Version and Architecture are required. Filename, Size and the digests
	// are added.
	Control string
	// Deb is the content of the file; any bytes if the test does not unpack it.
	Deb []byte
	// Component is where it is listed; "" is main.
	Component string
}

// FromDeb returns the package that a real .deb holds.
func FromDeb(deb []byte) Package {
	p, err := debextract.Open(bytes.NewReader(deb), int64(len(deb)), debextract.Options{})
	must(err)
	control, err := p.Control()
	must(err)
	return Package{Control: control.Paragraph.String(), Deb: deb}
}

// Suite describes what one Release file covers. The zero value of every field
// but Name is what a sound archive has.
type Suite struct {
	// Name is the folder below dists and the Codename.
	Name string
	// Alias is the Suite field; "" is Name.
	Alias string
	// Codename replaces Name in the Release; for a replayed suite.
	Codename string
	// Origin and Label; "" is Debian.
	Origin, Label string
	Packages      []Package
	// Archs that have an index, also an empty one; nil is amd64 and arm64.
	Archs []string
	// Components that have an index even where they are empty; nil is main.
	Components []string
	// Date is when the Release was made, and signed; zero is an hour ago.
	Date time.Time
	// ValidUntil ends the Release's validity; zero never does.
	ValidUntil time.Time

	// Detached writes Release and Release.gpg instead of InRelease.
	Detached bool
	// Unsigned writes Release alone.
	Unsigned bool
	// Signers sign the Release; nil is the archive's own key.
	Signers []*Key
	// Digest of the signatures; 0 is SHA256.
	Digest crypto.Hash

	// Formats of the indexes, as file extensions; nil is "", .gz and .xz.
	Formats []string
	// Digests lists the checksum fields of the Release; nil is SHA256.
	Digests []string
	// NoByHash leaves out the by-hash files and the field that promises them.
	NoByHash bool
	// SeparateAll lists packages for all architectures in binary-all alone,
	// as archives without No-Support-for-Architecture-all do.
	SeparateAll bool
	// Extra is added to the Release, as lines of fields.
	Extra string
}

// Debian returns a suite that looks like one of the Debian archive's.
func Debian(name, alias string, packages ...Package) Suite {
	return Suite{Name: name, Alias: alias, Origin: "Debian", Label: "Debian", Packages: packages}
}

// PGDG returns a suite that looks like apt.postgresql.org's for distro.
func PGDG(distro string, packages ...Package) Suite {
	return Suite{
		Name: distro + "-pgdg", Origin: "apt.postgresql.org",
		Label: "PostgreSQL for Debian/Ubuntu repository", Packages: packages,
	}
}

// Filename returns the package's path below the archive's root, such as
// pool/main/p/postgis/postgis_3.6.4-1_amd64.deb.
func (p Package) Filename() string {
	control := p.paragraph()
	source, _ := debian.SplitSource(control.Get("Source"), control.Get("Package"), control.Get("Version"))
	prefix := source[:1]
	if strings.HasPrefix(source, "lib") && len(source) > 3 {
		prefix = source[:4]
	}
	version := control.Get("Version")
	if _, rest, ok := strings.Cut(version, ":"); ok {
		version = rest
	}
	file := fmt.Sprintf("%s_%s_%s.deb", control.Get("Package"), version, control.Get("Architecture"))
	return path.Join("pool", p.component(), prefix, source, file)
}

func (p Package) component() string { return cmp.Or(p.Component, "main") }

func (p Package) paragraph() debian.Paragraph {
	s := debian.NewScanner(strings.NewReader(p.Control))
	s.Scan()
	must(s.Err())
	control := s.Paragraph()
	for _, name := range []string{"Package", "Version", "Architecture"} {
		if control.Get(name) == "" {
			panic(fmt.Sprintf("archivetest: a package without %s: %q", name, p.Control))
		}
	}
	return control
}

// stanza returns the package's paragraph in an index.
func (p Package) stanza() string {
	sum := sha256.Sum256(p.Deb)
	return fmt.Sprintf("%s\nFilename: %s\nSize: %d\nSHA256: %x\n",
		strings.TrimSpace(p.Control), p.Filename(), len(p.Deb), sum)
}

// files returns everything the suite puts below dists and pool, by path.
func (s Suite) files(key *Key) map[string][]byte {
	files := make(map[string][]byte)
	for _, p := range s.Packages {
		files[p.Filename()] = p.Deb
	}
	root := "dists/" + s.Name + "/"
	indexes := s.indexes()
	for name, data := range indexes {
		files[root+name] = data
		if s.NoByHash {
			continue
		}
		for _, field := range s.digests() {
			files[root+path.Join(path.Dir(name), "by-hash", field, digest(field, data))] = data
		}
	}
	s.sign(root, s.release(indexes), files, key)
	return files
}

// indexes returns the Packages files, in every format, by their name in the
// Release.
func (s Suite) indexes() map[string][]byte {
	out := make(map[string][]byte)
	archs := s.archs()
	if s.SeparateAll {
		archs = append(slices.Clone(archs), "all")
	}
	for _, component := range s.components() {
		for _, arch := range archs {
			name := component + "/binary-" + arch + "/Packages"
			for _, ext := range s.formats() {
				out[name+ext] = compress(ext, s.index(component, arch))
			}
		}
	}
	return out
}

func (s Suite) index(component, arch string) []byte {
	var stanzas []string
	for _, p := range s.Packages {
		a := p.paragraph().Get("Architecture")
		merged := a == "all" && !s.SeparateAll
		if p.component() == component && (a == arch || merged) {
			stanzas = append(stanzas, p.stanza())
		}
	}
	slices.Sort(stanzas)
	return []byte(strings.Join(stanzas, "\n"))
}

// release returns the text of the Release file.
func (s Suite) release(indexes map[string][]byte) []byte {
	const layout = "Mon, 02 Jan 2006 15:04:05 MST"
	var out bytes.Buffer
	fmt.Fprintf(&out, "Origin: %s\nLabel: %s\n", cmp.Or(s.Origin, "Debian"), cmp.Or(s.Label, "Debian"))
	fmt.Fprintf(&out, "Suite: %s\nCodename: %s\n", cmp.Or(s.Alias, s.Name), cmp.Or(s.Codename, s.Name))
	fmt.Fprintf(&out, "Date: %s\n", s.date().UTC().Format(layout))
	if !s.ValidUntil.IsZero() {
		fmt.Fprintf(&out, "Valid-Until: %s\n", s.ValidUntil.UTC().Format(layout))
	}
	if !s.NoByHash {
		out.WriteString("Acquire-By-Hash: yes\n")
	}
	if !s.SeparateAll {
		out.WriteString("No-Support-for-Architecture-all: Packages\n")
	}
	fmt.Fprintf(&out, "Architectures: all %s\n", strings.Join(s.archs(), " "))
	fmt.Fprintf(&out, "Components: %s\n%s", strings.Join(s.components(), " "), s.Extra)
	for _, field := range s.digests() {
		fmt.Fprintf(&out, "%s:\n", field)
		for _, name := range sortedNames(indexes) {
			fmt.Fprintf(&out, " %s %8d %s\n", digest(field, indexes[name]), len(indexes[name]), name)
		}
	}
	return out.Bytes()
}

// sign adds the Release to files in the form the suite wants.
func (s Suite) sign(root string, release []byte, files map[string][]byte, key *Key) {
	keys := s.Signers
	if keys == nil {
		keys = []*Key{key}
	}
	hash := s.Digest
	if hash == 0 {
		hash = crypto.SHA256
	}
	switch {
	case s.Unsigned:
		files[root+"Release"] = release
	case s.Detached:
		files[root+"Release"] = release
		files[root+"Release.gpg"] = signAll(keys, release, packet.SigTypeBinary, hash, s.date())
	default:
		files[root+"InRelease"] = clearsign(keys, release, hash, s.date())
	}
}

func (s Suite) date() time.Time {
	if s.Date.IsZero() {
		return time.Now().Add(-time.Hour).Truncate(time.Second)
	}
	return s.Date
}

func (s Suite) archs() []string { return orDefault(s.Archs, "amd64", "arm64") }

func (s Suite) components() []string {
	out := orDefault(s.Components, "main")
	for _, p := range s.Packages {
		if !slices.Contains(out, p.component()) {
			out = append(slices.Clone(out), p.component())
		}
	}
	return out
}

func (s Suite) formats() []string { return orDefault(s.Formats, "", ".gz", ".xz") }

func (s Suite) digests() []string { return orDefault(s.Digests, "SHA256") }

func orDefault(list []string, values ...string) []string {
	if list == nil {
		return values
	}
	return list
}

// digest returns data's checksum as the Release's field of that name has it.
func digest(field string, data []byte) string {
	switch field {
	case "SHA256":
		sum := sha256.Sum256(data)
		return hex.EncodeToString(sum[:])
	case "SHA512":
		sum := sha512.Sum512(data)
		return hex.EncodeToString(sum[:])
	}
	panic("archivetest: unknown checksum field " + field)
}

func compress(ext string, data []byte) []byte {
	var out bytes.Buffer
	switch ext {
	case "":
		return data
	case ".gz":
		w := gzip.NewWriter(&out)
		write(w, data)
	case ".xz":
		w, err := xz.NewWriter(&out)
		must(err)
		write(w, data)
	case ".zst":
		w, err := zstd.NewWriter(&out)
		must(err)
		write(w, data)
	default:
		panic("archivetest: unknown format " + ext)
	}
	return out.Bytes()
}

// SHA256 returns data's digest in lower-case hex.
func SHA256(data []byte) string { return digest("SHA256", data) }

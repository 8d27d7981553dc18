package sbom

import (
	"crypto/sha1" //nolint:gosec // SPDX requires SHA-1; pgext does not rely on it for security
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/spdx/v2/common"
)

// Relationship types of SPDX 2.3, section 11.1.
const (
	contains      = "CONTAINS"
	describes     = "DESCRIBES"
	generatedFrom = "GENERATED_FROM"
)

// relations adds the relationships of the image with its packages.
func (w *spdxWriter) relations() {
	root := w.elements[""]
	w.out.Relationships = nil
	w.relate("DOCUMENT", describes, root.PackageSPDXIdentifier, "")
	for _, p := range w.document.Packages {
		how := contains
		if p.Kind == Upstream {
			how = generatedFrom
		}
		w.relate(root.PackageSPDXIdentifier, how, w.elements[p.Name].PackageSPDXIdentifier, "")
	}
}

// relate adds a relationship.
func (w *spdxWriter) relate(a spdx.ElementID, how string, b spdx.ElementID, comment string) {
	w.out.Relationships = append(w.out.Relationships, &spdx.Relationship{
		RefA: common.MakeDocElementID("", string(a)), Relationship: how, RefB: common.MakeDocElementID("", string(b)),
		RelationshipComment: comment,
	})
}

// files adds the files and the relationships with their packages. They have no
// licence fields, which is equivalent to NOASSERTION (SPDX 2.3, 8.5 and 8.6).
func (w *spdxWriter) files() {
	for _, f := range w.document.Files {
		id := spdx.ElementID("File-" + elementID(f.Path))
		w.out.Files = append(w.out.Files, &spdx.File{
			FileSPDXIdentifier: id, FileName: "./" + f.Path, FileTypes: fileTypes(f.Path),
			Checksums: []spdx.Checksum{
				{Algorithm: spdx.SHA1, Value: f.SHA1}, {Algorithm: spdx.SHA256, Value: f.SHA256},
			},
			FileCopyrightText: noAssertion, FileComment: f.Note,
		})
		w.relate(w.elements[f.Package].PackageSPDXIdentifier, contains, id, "")
		if f.From != "" {
			w.relate(id, generatedFrom, w.elements[f.From].PackageSPDXIdentifier, f.Note)
		}
		w.sums[f.Package] = append(w.sums[f.Package], f.SHA1)
	}
}

// links adds symbolic links as annotations of their packages. They are not SPDX
// files, because SPDX requires digests for each file.
func (w *spdxWriter) links() {
	for _, l := range w.document.Links {
		owner := w.elements[l.Package]
		owner.Annotations = append(owner.Annotations, spdx.Annotation{
			Annotator:      common.Annotator{AnnotatorType: "Tool", Annotator: w.document.tool()},
			AnnotationDate: w.document.Image.Created.Format(time.RFC3339), AnnotationType: "OTHER",
			AnnotationComment: l.text(),
		})
	}
}

// verificationCodes sets the verification code of each package with files: the
// SHA-1 of the sorted SHA-1 digests of its files (SPDX 2.3, section 7.9.4).
func (w *spdxWriter) verificationCodes() {
	for name, sums := range w.sums {
		slices.Sort(sums)
		code := sha1.Sum([]byte(strings.Join(sums, ""))) //nolint:gosec // see the import
		p := w.elements[name]
		p.FilesAnalyzed, p.PackageVerificationCode = true, &spdx.PackageVerificationCode{Value: hex.EncodeToString(code[:])}
	}
}

// linkPrefix is the prefix of an annotation about a link.
const linkPrefix = "symbolic link: "

// text returns the text of the annotation, see parseLink.
func (l Link) text() string { return fmt.Sprintf("%s%q -> %q", linkPrefix, l.Path, l.Target) }

// elementID returns an idstring for a name (SPDX 2.3, section 4.2: letters, digits,
// "." and "-"): the name itself if it is valid, otherwise a valid form with a digest
// of the name.
func elementID(name string) string {
	const longest = 40
	plain := true
	clean := strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		plain = false
		return '-'
	}, name)
	if plain {
		return clean
	}
	if len(clean) > longest {
		clean = strings.TrimLeft(clean[len(clean)-longest:], "-")
	}
	sum := sha256.Sum256([]byte(name))
	return clean + "-" + hex.EncodeToString(sum[:8])
}

// fileTypes returns the types of a file by its name (SPDX 2.3, section 8.3).
func fileTypes(file string) []string {
	switch ext := path.Ext(file); {
	case ext == ".so", strings.Contains(path.Base(file), ".so."), strings.HasPrefix(file, "bin/"):
		return []string{"BINARY"}
	case ext == ".sql":
		return []string{"SOURCE"}
	case ext == ".control", path.Base(file) == "copyright", ext == ".md5sums":
		return []string{"TEXT"}
	}
	return nil
}

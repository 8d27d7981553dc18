package sbom

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/digest"
	"github.com/pgext/pgext/internal/license"
	"github.com/pgext/pgext/internal/strictjson"
)

const (
	// maxDocument limits the size of a document in bytes. The document of an
	// image with 10,000 files has 20 MB.
	maxDocument = 256 << 20
	// maxExpressions limits the size of all licence expressions in bytes,
	// because the time to check one grows faster than its length.
	maxExpressions = 256 << 10
)

// The elements of SPDX 2.3 in JSON that ReadSPDX uses.
type (
	spdxDocument struct {
		Version       string             `json:"spdxVersion"`
		ID            string             `json:"SPDXID"`
		Creation      spdxCreation       `json:"creationInfo"`
		Describes     []string           `json:"documentDescribes"`
		Packages      []spdxPackage      `json:"packages"`
		Files         []spdxFile         `json:"files"`
		Licenses      []spdxText         `json:"hasExtractedLicensingInfos"`
		Relationships []spdxRelationship `json:"relationships"`
	}
	spdxCreation struct {
		Creators []string `json:"creators"`
		Created  string   `json:"created"`
	}
	spdxPackage struct {
		ID          string           `json:"SPDXID"`
		Name        string           `json:"name"`
		Version     string           `json:"versionInfo"`
		License     string           `json:"licenseDeclared"`
		Checksums   []spdxChecksum   `json:"checksums"`
		References  []spdxReference  `json:"externalRefs"`
		Files       []string         `json:"hasFiles"`
		Annotations []spdxAnnotation `json:"annotations"`
	}
	spdxFile struct {
		ID        string         `json:"SPDXID"`
		Name      string         `json:"fileName"`
		Checksums []spdxChecksum `json:"checksums"`
	}
	spdxChecksum struct {
		Algorithm string `json:"algorithm"`
		Value     string `json:"checksumValue"`
	}
	spdxReference struct {
		Type    string `json:"referenceType"`
		Locator string `json:"referenceLocator"`
	}
	spdxAnnotation struct {
		Comment string `json:"comment"`
	}
	spdxText struct {
		ID   string `json:"licenseId"`
		Text string `json:"extractedText"`
	}
	spdxRelationship struct {
		From string `json:"spdxElementId"`
		Type string `json:"relationshipType"`
		To   string `json:"relatedSpdxElement"`
	}
)

// ReadSPDX decodes an SPDX 2.3 document in JSON, including documents of other
// programs. It returns an error for an invalid document: duplicate keys,
// identifiers, digests or paths, references to unknown identifiers, paths outside
// the image, invalid licence expressions, and licence references without a text.
func ReadSPDX(data []byte) (Inventory, error) {
	inv, err := readSPDX(data)
	if err != nil {
		return Inventory{}, fmt.Errorf("reading an SPDX document: %w", err)
	}
	return inv, nil
}

func readSPDX(data []byte) (Inventory, error) {
	if len(data) > maxDocument {
		return Inventory{}, fmt.Errorf("%d bytes, more than %d", len(data), maxDocument)
	}
	var d spdxDocument
	if err := strictjson.Unmarshal(data, &d, strictjson.Rules{}); err != nil {
		return Inventory{}, err
	}
	if d.Version != "SPDX-2.3" {
		return Inventory{}, fmt.Errorf("unsupported version %q, want SPDX-2.3", d.Version)
	}
	created, err := time.Parse(time.RFC3339, d.Creation.Created)
	if err != nil {
		return Inventory{}, fmt.Errorf("created: %w", err)
	}
	r := spdxReader{document: d, packages: map[string]int{}, files: map[string]int{}, owners: map[string]owning{}, pairs: map[[2]string]bool{}}
	for _, step := range []func() error{r.index, r.checkUnique, r.licenses, r.relations} {
		if err := step(); err != nil {
			return Inventory{}, err
		}
	}
	inv := Inventory{Created: created.UTC()}
	if len(d.Creation.Creators) > 0 {
		inv.Tool = strings.TrimPrefix(d.Creation.Creators[0], "Tool: ")
	}
	return inv, r.fill(&inv)
}

// spdxReader reads the contents of a document.
type spdxReader struct {
	document spdxDocument
	// packages and files map SPDX identifiers to indexes.
	packages, files map[string]int
	// root is the identifier of the package that the document describes.
	root string
	// owners maps files to the packages that contain them.
	owners map[string]owning
	// pairs are the pairs of package and file that were counted in owners.
	pairs map[[2]string]bool
}

// owning is the first package that contains a file, and the number of packages.
type owning struct {
	first string
	count int
}

// identifier matches an SPDXID.
var identifier = regexp.MustCompile(`^SPDXRef-[A-Za-z0-9.-]+$`)

// index sets packages and files. It checks that identifiers are valid and unique.
func (r *spdxReader) index() error {
	seen := map[string]bool{r.document.ID: true}
	check := func(id string) error {
		if !identifier.MatchString(id) {
			return fmt.Errorf("invalid SPDX identifier %q", id)
		}
		if seen[id] {
			return fmt.Errorf("duplicate SPDX identifier %s", id)
		}
		seen[id] = true
		return nil
	}
	if r.document.ID != "SPDXRef-DOCUMENT" {
		return fmt.Errorf("identifier of the document is %q, want SPDXRef-DOCUMENT", r.document.ID)
	}
	for i, p := range r.document.Packages {
		if err := check(p.ID); err != nil {
			return err
		}
		r.packages[p.ID] = i
	}
	for i, f := range r.document.Files {
		if err := check(f.ID); err != nil {
			return err
		}
		r.files[f.ID] = i
	}
	return nil
}

// licenses checks that the declared licences are valid expressions and that each
// licence reference has one text.
func (r *spdxReader) licenses() error {
	texts := map[string]bool{}
	for _, t := range r.document.Licenses {
		if strings.TrimSpace(t.Text) == "" {
			return fmt.Errorf("licence %q has no text", t.ID)
		}
		if texts[t.ID] {
			return fmt.Errorf("licence %q has more than one text", t.ID)
		}
		texts[t.ID] = true
	}
	total, checked := 0, map[string]bool{}
	for _, p := range r.document.Packages {
		l := asserted(p.License)
		if l == "" || checked[l] {
			continue
		}
		checked[l] = true
		if total += len(l); total > maxExpressions {
			return fmt.Errorf("more than %d bytes of licence expressions", maxExpressions)
		}
		if err := license.Valid(l); err != nil {
			return fmt.Errorf("%s: %w", p.ID, err)
		}
		for _, ref := range (license.License{Expression: l}).Renamed(func(ref license.Reference) string { return ref.ID }).References {
			if !texts[ref.ID] {
				return fmt.Errorf("%s: licence %s has no text", p.ID, ref.ID)
			}
		}
	}
	return nil
}

// asserted returns the value of a field, "" for NOASSERTION and NONE.
func asserted(value string) string {
	if value == noAssertion || value == "NONE" {
		return ""
	}
	return value
}

// relations sets root and owners from the relationships and from the older fields
// documentDescribes and hasFiles.
func (r *spdxReader) relations() error {
	roots := map[string]bool{}
	for _, id := range r.document.Describes {
		roots[id] = true
	}
	for _, p := range r.document.Packages {
		for _, f := range p.Files {
			if _, ok := r.files[f]; !ok {
				return fmt.Errorf("%s contains %q: not in the document", p.ID, f)
			}
			r.contain(p.ID, f)
		}
	}
	for _, rel := range r.document.Relationships {
		if !r.known(rel.From) || !r.known(rel.To) && asserted(rel.To) != "" {
			return fmt.Errorf("%q %s %q: not in the document", rel.From, rel.Type, rel.To)
		}
		switch rel.Type {
		case describes:
			roots[rel.To] = true
		case contains:
			r.contain(rel.From, rel.To)
		case "CONTAINED_BY":
			r.contain(rel.To, rel.From)
		}
	}
	for id := range roots {
		if _, ok := r.packages[id]; !ok || len(roots) > 1 {
			return errors.New("the document must describe exactly one package")
		}
		r.root = id
	}
	if r.root == "" {
		return errors.New("the document does not describe a package")
	}
	return nil
}

// known reports whether the document has an element with the identifier.
func (r *spdxReader) known(id string) bool {
	_, isPackage := r.packages[id]
	_, isFile := r.files[id]
	return isPackage || isFile || id == r.document.ID
}

// contain records that a package contains a file.
func (r *spdxReader) contain(owner, file string) {
	pair := [2]string{owner, file}
	if _, ok := r.packages[owner]; !ok || r.pairs[pair] {
		return
	}
	r.pairs[pair] = true
	o := r.owners[file]
	r.owners[file] = owning{cmp.Or(o.first, owner), o.count + 1}
}

// fill sets the packages, files and links of the inventory.
func (r *spdxReader) fill(inv *Inventory) error {
	for id, i := range r.packages {
		p := r.document.Packages[i]
		if id == r.root {
			inv.Image = p.entry()
			if sum := inv.Image.SHA256; sum != "" {
				inv.Digest = "sha256:" + sum
			}
		} else {
			inv.Packages = append(inv.Packages, p.entry())
		}
		for _, a := range p.Annotations {
			if !strings.HasPrefix(a.Comment, linkPrefix) {
				continue
			}
			l, err := parseLink(a.Comment)
			if err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
			inv.Links = append(inv.Links, Owned{Path: l.Path, Target: l.Target, Package: r.owner(id), Owners: 1})
		}
	}
	for _, f := range r.document.Files {
		o := Owned{
			Path: strings.TrimPrefix(strings.TrimPrefix(f.Name, "."), "/"),
			SHA1: digestOf(f.Checksums, "SHA1", 20), SHA256: digestOf(f.Checksums, "SHA256", 32),
			Owners: r.owners[f.ID].count,
		}
		if !fs.ValidPath(o.Path) || o.Path == "." {
			return fmt.Errorf("%s: invalid path %q", f.ID, f.Name)
		}
		if o.Owners > 0 {
			o.Package = r.owner(r.owners[f.ID].first)
		}
		inv.Files = append(inv.Files, o)
	}
	slices.SortFunc(inv.Packages, func(a, b Entry) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version), strings.Compare(a.PURL, b.PURL))
	})
	return errors.Join(byPath(inv.Files), byPath(inv.Links))
}

// owner returns the name of a package, "" for the image.
func (r *spdxReader) owner(id string) string {
	if id == r.root {
		return ""
	}
	return r.document.Packages[r.packages[id]].Name
}

// byPath sorts the list by path. A duplicate path is an error.
func byPath(list []Owned) error {
	slices.SortFunc(list, func(a, b Owned) int { return strings.Compare(a.Path, b.Path) })
	for i := range list {
		if i > 0 && list[i].Path == list[i-1].Path {
			return fmt.Errorf("duplicate path %s", list[i].Path)
		}
	}
	return nil
}

func (p spdxPackage) entry() Entry {
	e := Entry{Name: p.Name, Version: p.Version, SHA256: digestOf(p.Checksums, "SHA256", 32), License: asserted(p.License)}
	for _, ref := range p.References {
		if ref.Type == purlReference {
			e.PURL = ref.Locator
			break
		}
	}
	return e
}

// digestOf returns the digest with the algorithm and a length of n bytes, in lower
// case hex; "" if there is none.
func digestOf(sums []spdxChecksum, algorithm string, n int) string {
	for _, s := range sums {
		if v := strings.ToLower(s.Value); s.Algorithm == algorithm && digest.Is(v, n) {
			return v
		}
	}
	return ""
}

// parseLink parses the result of Link.text.
func parseLink(text string) (Link, error) {
	bad := fmt.Errorf("invalid annotation of a symbolic link %q", text)
	rest := strings.TrimPrefix(text, linkPrefix)
	quoted, err := strconv.QuotedPrefix(rest)
	if err != nil {
		return Link{}, bad
	}
	target, ok := strings.CutPrefix(rest[len(quoted):], " -> ")
	l := Link{}
	if l.Path, err = strconv.Unquote(quoted); err != nil || !ok || !fs.ValidPath(l.Path) || l.Path == "." {
		return Link{}, bad
	}
	if l.Target, err = strconv.Unquote(target); err != nil {
		return Link{}, bad
	}
	return l, nil
}

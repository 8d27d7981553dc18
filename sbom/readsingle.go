package sbom

import "fmt"

// checkUnique checks that no element has two digests of one algorithm or two
// package URLs, because programs differ in which of them they use.
func (r *spdxReader) checkUnique() error {
	for _, f := range r.document.Files {
		if err := oneEach(f.ID, f.Checksums, nil); err != nil {
			return err
		}
	}
	for _, p := range r.document.Packages {
		if err := oneEach(p.ID, p.Checksums, p.References); err != nil {
			return err
		}
	}
	return nil
}

// oneEach returns an error for a second digest of an algorithm or a second package
// URL.
func oneEach(id string, sums []spdxChecksum, refs []spdxReference) error {
	seen := map[string]bool{}
	for _, s := range sums {
		if seen[s.Algorithm] {
			return fmt.Errorf("%s has more than one %s", id, s.Algorithm)
		}
		seen[s.Algorithm] = true
	}
	for _, r := range refs {
		if r.Type != purlReference {
			continue
		}
		if seen[r.Type] {
			return fmt.Errorf("%s has more than one package URL", id)
		}
		seen[r.Type] = true
	}
	return nil
}

// purlReference is the type of an external reference with a package URL.
const purlReference = "purl"

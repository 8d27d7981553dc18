package sbom

import "fmt"

// single holds that nothing has two digests of an algorithm or two package
// URLs: readers differ in which of the two they believe.
func (r *spdxReader) single() error {
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

// purlReference is the type of a reference that is a package URL.
const purlReference = "purl"

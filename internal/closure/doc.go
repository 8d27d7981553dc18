// Package closure resolves the shared libraries that an image must carry.
//
// [Members] divides the resolved packages into those of the extension, those
// of other images and the rest. [Search] runs the library resolution of
// internal/elf over the packages that have been scanned, scans the packages that
// may hold a missing library, and repeats until nothing new can be found. The
// order of the scans depends on the package indexes alone, so the result does not
// depend on what is cached.
package closure

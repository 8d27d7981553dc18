// Package closure finds what an image must carry, looking into the fewest
// packages.
//
// Its nouns are Membership (which of the resolved packages are the extension,
// which belong to another image) and Answer (the libraries the image bundles,
// the packages of the base that satisfied the rest, what is missing). It
// decides which packages are looked into and in which order; the order depends
// on the indexes alone, so that the answer does not depend on what is cached.
package closure

// Package rootfs keeps root file systems on disk, assembled from Debian
// packages, or taken from an operand image.
//
// A Store is a folder beside the cache. A root is a folder in it, named by its
// input and immutable. No maintainer script is executed; the package itself makes
// what a PostgreSQL server needs of their results: the merged /usr, users,
// alternatives and mount points. Documentation, manual pages and translations are
// left out.
//
// A root appears atomically, by rename. Several processes may use one Store; the
// next process removes the incomplete roots of one that died. The package does
// not run programs in a root; package sandbox does.
package rootfs

// Package rootfs keeps root file systems on disk, assembled from Debian
// packages, or taken from an operand image.
//
// Its nouns are Store (a folder beside the cache) and root (a folder in it,
// named by what it was made from, never changed once it is there). No
// maintainer script is executed; the little of their work that a PostgreSQL
// server needs is done here: the merged /usr, users, alternatives, the folders
// that file systems are mounted on. Documentation, manual pages and
// translations are left out.
//
// A root appears whole, by rename. Several processes may use one Store; what a
// process that died left half made is removed by the next one. Entering a root
// is not the business of this room.
package rootfs

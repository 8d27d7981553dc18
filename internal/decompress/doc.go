// Package decompress reads the compressed streams of strangers: xz, zstd, gzip.
//
// Its nouns are Format, Options (the bounds) and Budget (memory that several
// readers share). Whatever a stream claims, a reader stays within its bounds,
// checks every checksum the format has, and reports truncation and trailing
// garbage as errors. It does not compress, and it does not know what is inside.
package decompress
